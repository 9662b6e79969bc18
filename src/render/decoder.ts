import type { Tokenizer } from "./tokenizer.ts";

export interface DecoderOptions {
  /** Whether the text of a sequence is nothing but the texts of its tokens, one after the other. */
  readonly concatenates: boolean;
  readonly specialTokens: ReadonlySet<number>;
  readonly cleanUpSpaces: boolean;
}

/**
 * A function from token ids to text, without special tokens and without ids that have no token. Where texts
 * merely concatenate, each token is decoded once: a step decodes hundreds of completions.
 */
export function createDecoder(tokenizer: Tokenizer, options: DecoderOptions): (tokens: readonly number[]) => string {
  const { concatenates, specialTokens, cleanUpSpaces } = options;
  const isText = (token: number) => !specialTokens.has(token) && tokenizer.id_to_token(token) !== undefined;
  const decode = (tokens: readonly number[]): string => {
    const kept = tokens.filter(isText);
    return kept.length === 0 ? "" : tokenizer.decode(kept, { clean_up_tokenization_spaces: cleanUpSpaces });
  };
  if (!concatenates || cleanUpSpaces) return decode;
  const texts: (string | undefined)[] = [];
  return (tokens) => {
    let text = "";
    for (const token of tokens) text += texts[token] ??= decode([token]);
    return text;
  };
}
