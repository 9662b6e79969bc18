/** Where in the text of a completion each of its tokens ends; see `createTokenEnds`. */
export type TokenEnds = (tokens: readonly number[], text: string) => readonly number[];

/**
 * Tokens of context after which what a token adds to the text is what it adds after all that came before: a character
 * has at most four bytes, and a token at least one.
 */
const CONTEXT = 4;
/** What stands for bytes that are no whole character. */
const REPLACEMENT = "\uFFFD";

/**
 * Finds where in `text`, which is `decode(tokens)`, each token ends, in UTF-16 units: the length of the text of the
 * tokens up to it, but never between the halves of a surrogate pair. A character that is spelled by several tokens
 * counts with the first of them, or, where it is a pair, with the last. Exact for byte-level byte-pair encoding, in time
 * linear in the tokens: a token of whole characters is measured once, after some other; only those with parts of
 * characters, and all of a completion where this does not come to its text, are decoded with the few before them.
 */
export function createTokenEnds(decode: (tokens: readonly number[]) => string): TokenEnds {
  const texts = new Map<number, string>();
  const lengths = new Map<number, number>();
  let context: { readonly token: number; readonly length: number } | null = null;
  const alone = (token: number): string => {
    const text = texts.get(token) ?? decode([token]);
    texts.set(token, text);
    return text;
  };
  /** Length of what a token of whole characters adds; `null` for another. */
  const lengthOf = (token: number): number | null => {
    const text = alone(token);
    if (text === "" || text.includes(REPLACEMENT)) return text === "" ? 0 : null;
    context ??= { token, length: text.length };
    const length = lengths.get(token) ?? decode([context.token, token]).length - context.length;
    lengths.set(token, length);
    return length;
  };
  const inWindow = (tokens: readonly number[], index: number): number => {
    if (alone(tokens[index]!) === "") return 0;
    const before: number[] = [];
    for (let at = index - 1; at >= 0 && before.length < CONTEXT; at--) if (alone(tokens[at]!) !== "") before.unshift(tokens[at]!);
    return decode([...before, tokens[index]!]).length - decode(before).length;
  };
  return (tokens, text) => {
    const measured = summed(tokens, (token, index) => (index === 0 ? null : lengthOf(token)) ?? inWindow(tokens, index));
    const ends = (measured.at(-1) ?? 0) === text.length ? measured : summed(tokens, (_, index) => inWindow(tokens, index));
    return ends.map((end) => place(end, text));
  };
}

function summed(tokens: readonly number[], lengthAt: (token: number, index: number) => number): readonly number[] {
  let total = 0;
  return tokens.map((token, index) => (total += lengthAt(token, index)));
}

function place(end: number, text: string): number {
  const within = Math.max(0, Math.min(end, text.length));
  const splits = /^[\uDC00-\uDFFF]/.test(text.charAt(within)) && /[\uD800-\uDBFF]/.test(text.charAt(within - 1));
  return splits ? within - 1 : within;
}
