import * as library from "@huggingface/tokenizers";
import { withUnicodeClasses } from "./pre-tokenizer.ts";

/** The part of the tokenizer library that rendering needs. */
export interface Tokenizer {
  readonly encode: (text: string, options?: { readonly add_special_tokens: boolean }) => { readonly ids: number[] };
  /** Text of a non-empty list of tokens that all exist. */
  readonly decode: (tokens: readonly number[], options: DecodeOptions) => string;
  readonly token_to_id: (token: string) => number | undefined;
  /** Id of each token, by its text in the vocabulary; tokens that were added are among them. */
  readonly get_vocab: () => ReadonlyMap<string, number>;
  readonly id_to_token: (id: number) => string | undefined;
}

interface DecodeOptions {
  readonly skip_special_tokens?: boolean;
  readonly clean_up_tokenization_spaces?: boolean;
}

/**
 * The tokenizer of the contents of tokenizer.json and tokenizer_config.json. Throws whatever the library
 * throws. The library's own type declarations do not resolve for ES modules, so they are stated here.
 */
export function createTokenizer(tokenizer: { readonly pre_tokenizer?: object | null | undefined }, config: object): Tokenizer {
  const { Tokenizer } = library as unknown as { Tokenizer: new (tokenizer: object, config: object) => Tokenizer };
  const pre_tokenizer = tokenizer.pre_tokenizer ? withUnicodeClasses(tokenizer.pre_tokenizer) : null;
  // Fields that a file leaves out mean none; the library wants them written out.
  return new Tokenizer({ normalizer: null, post_processor: null, decoder: null, ...tokenizer, pre_tokenizer }, config);
}
