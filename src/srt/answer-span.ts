import type { TokenSpan } from "../types.ts";

const BOX = "\\boxed";
/** Tokens at the end that are searched first. */
const TAIL = 64;

/**
 * Where in a text its final answer stands, in UTF-16 units, `[start, end)`: in the last box, else where it occurs last.
 * `null` for no answer, and for one that is not in the text as it was read.
 */
export function answerPlace(text: string, answer: string | null): TokenSpan | null {
  if (answer === null || answer === "") return null;
  const box = text.lastIndexOf(BOX);
  const inBox = box < 0 ? -1 : text.indexOf(answer, box + BOX.length);
  const start = inBox >= 0 ? inBox : text.lastIndexOf(answer);
  return start < 0 ? null : { start, end: start + answer.length };
}

/**
 * The tokens that spell the final answer within a completion: the first token that reaches into its place up to the
 * last one. Empty where it has none.
 */
export function answerSpan(tokens: readonly number[], text: string, answer: string | null, decode: (tokens: readonly number[]) => string): TokenSpan {
  const place = answerPlace(text, answer);
  if (place === null) return { start: tokens.length, end: tokens.length };
  // Most answers stand at the end of a long completion: there, what is before need not be decoded at every try.
  const before = tokens.slice(0, Math.max(0, tokens.length - TAIL));
  const start = decode(before);
  const tail = tokens.slice(before.length);
  const apart = start.length <= place.start && start + decode(tail) === text;
  const [skipped, searched] = apart ? [before.length, tail] : [0, tokens];
  const known = apart ? start.length : 0;
  const tokensSpelling = (characters: number): number => skipped + firstWhere(searched.length, (count) => known + decode(searched.slice(0, count)).length >= characters);
  return { start: tokensSpelling(place.start + 1) - 1, end: tokensSpelling(place.end) };
}

/** The smallest count up to `limit` that passes, where all larger ones do too; `limit` when none does. */
function firstWhere(limit: number, passes: (count: number) => boolean): number {
  let [low, high] = [0, limit];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (passes(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
