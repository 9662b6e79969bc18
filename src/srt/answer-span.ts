import type { TokenSpan } from "../types.ts";

const BOX = "\\boxed";

/**
 * The tokens that spell the final answer within a completion: the first token that reaches into it up to the
 * last one. It is looked for in the last box, else where it occurs last. Empty for no answer, and for one that
 * is not in the text as it was read.
 */
export function answerSpan(tokens: readonly number[], text: string, answer: string | null, decode: (tokens: readonly number[]) => string): TokenSpan {
  const nowhere = { start: tokens.length, end: tokens.length };
  const from = placeOfAnswer(text, answer);
  if (answer === null || from === null) return nowhere;
  const tokensSpelling = (characters: number): number => firstWhere(tokens.length, (count) => decode(tokens.slice(0, count)).length >= characters);
  return { start: tokensSpelling(from + 1) - 1, end: tokensSpelling(from + answer.length) };
}

/** Where a final answer begins in the text that it was read from: in the last box, else where it occurs last; `null` for none. */
export function placeOfAnswer(text: string, answer: string | null): number | null {
  if (answer === null || answer === "") return null;
  const box = text.lastIndexOf(BOX);
  const inBox = box < 0 ? -1 : text.indexOf(answer, box + BOX.length);
  const from = inBox >= 0 ? inBox : text.lastIndexOf(answer);
  return from < 0 ? null : from;
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
