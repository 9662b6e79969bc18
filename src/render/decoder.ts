import type { Tokenizer } from "./tokenizer.ts";

export interface DecoderOptions {
  /** Whether the text of a sequence is nothing but the texts of its tokens, one after the other. */
  readonly concatenates: boolean;
  readonly specialTokens: ReadonlySet<number>;
}

/**
 * A function from token ids to text, without special tokens and without ids that have no token. Where texts
 * merely concatenate, each token is decoded once: a step decodes hundreds of completions. `clean_up_tokenization_spaces`
 * of a model's files is ignored, as transformers does for byte-pair encoding: it would take spaces away that
 * the model wrote.
 */
export function createDecoder(tokenizer: Tokenizer, { concatenates, specialTokens }: DecoderOptions): (tokens: readonly number[]) => string {
  const isText = (token: number) => !specialTokens.has(token) && tokenizer.id_to_token(token) !== undefined;
  const decode = (tokens: readonly number[]): string => {
    const kept = tokens.filter(isText);
    return kept.length === 0 ? "" : tokenizer.decode(kept, { clean_up_tokenization_spaces: false });
  };
  if (!concatenates) return decode;
  const texts: (string | undefined)[] = [];
  return (tokens) => {
    let text = "";
    for (const token of tokens) text += texts[token] ??= decode([token]);
    return text;
  };
}
