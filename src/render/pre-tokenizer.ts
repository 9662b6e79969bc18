/** A pre-tokenizer of tokenizer.json: how text is cut into pieces, within which tokens are merged. */
interface PreTokenizer {
  readonly type?: string;
  readonly pretokenizers?: readonly PreTokenizer[];
  readonly individual_digits?: boolean;
  readonly use_regex?: boolean;
  readonly add_prefix_space?: boolean;
}

/** The pieces of GPT-2's byte-level BPE (Radford et al. 2019, section 2.2): words with the space before them, numbers, signs. */
const GPT2_PIECES = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

/**
 * The same pre-tokenizer, written so that the tokenizer library reads "digit" and "space" as Unicode does. Its
 * own patterns for them are JavaScript's: to `\d` only 0-9 are digits, to `\s` U+FEFF is a space and U+0085 is
 * none. Patterns that a file spells out it reads rightly, so these are spelled out.
 */
export function withUnicodeClasses(preTokenizer: PreTokenizer): object {
  const { type, pretokenizers, individual_digits, use_regex, add_prefix_space } = preTokenizer;
  if (type === "Sequence" && pretokenizers) return { type, pretokenizers: pretokenizers.map(withUnicodeClasses) };
  if (type === "Digits") return isolate(individual_digits === true ? String.raw`\p{N}` : String.raw`\p{N}+`);
  // A space before the text has to be added before it is cut: that order only the library's own pattern keeps.
  if (type === "ByteLevel" && use_regex !== false && add_prefix_space !== true) {
    return { type: "Sequence", pretokenizers: [isolate(GPT2_PIECES), { ...preTokenizer, use_regex: false }] };
  }
  return preTokenizer;
}

/** Makes a piece of each match, and of what lies between two. */
function isolate(pattern: string): object {
  return { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false };
}
