import type { Answer, Leaf, Piece } from "./answer.ts";
import { numeral } from "./expression.ts";
import { leafFrom, realValue, sameLeaf } from "./leaf.ts";
import { ZERO } from "./rational.ts";

const INFINITY: Leaf = leafFrom("\\infty ", null);
const MINUS_INFINITY: Leaf = leafFrom("-\\infty ", null);
const ORIGIN: Leaf = leafFrom("0", numeral(ZERO));

export const interval = (low: Leaf, high: Leaf, lowClosed: boolean, highClosed: boolean): Piece => ({ low, high, lowClosed, highClosed });
export const REALS: Piece = interval(MINUS_INFINITY, INFINITY, false, false);
export const point = (at: Leaf): Piece => interval(at, at, true, true);
export const below = (high: Leaf, closed: boolean): Piece => interval(MINUS_INFINITY, high, false, closed);
export const above = (low: Leaf, closed: boolean): Piece => interval(low, INFINITY, closed, false);

interface Placed {
  readonly piece: Piece;
  readonly low: number;
  readonly high: number;
}

/** Pieces with their ends as numbers; `null` where an end has no real value. */
function placed(pieces: readonly Piece[]): Placed[] | null {
  const result: Placed[] = [];
  for (const piece of pieces) {
    const [low, high] = [realValue(piece.low), realValue(piece.high)];
    if (low === null || high === null) return null;
    result.push({ piece, low, high });
  }
  return result;
}

/**
 * The union of intervals as an answer: sorted, joined where they touch. Points alone are a set, one point is
 * a number. Intervals whose ends are no numbers stay as they are written.
 */
export function region(pieces: readonly Piece[], key: string): Answer {
  const ordered = placed(pieces)
    ?.filter(({ piece, low, high }) => low < high || (piece.lowClosed && piece.highClosed && sameLeaf(piece.low, piece.high)))
    .sort((a, b) => a.low - b.low || Number(b.piece.lowClosed) - Number(a.piece.lowClosed));
  if (!ordered) return { kind: "region", key, pieces };
  const joined: Placed[] = [];
  for (const next of ordered) {
    const last = joined.at(-1);
    const touches = last && (next.low < last.high || (next.low === last.high && (next.piece.lowClosed || last.piece.highClosed)));
    if (touches) joined[joined.length - 1] = join(last, next);
    else joined.push(next);
  }
  const result = joined.map(({ piece }) => piece);
  if (!joined.every(({ low, high }) => low === high)) return { kind: "region", key, pieces: result };
  return result.length === 1 ? result[0]!.low : { kind: "collection", key, listed: false, items: result.map(({ low }) => low) };
}

/** An interval as written. With its ends the wrong way round it is nothing that could be compared. */
export function writtenInterval(low: Leaf, high: Leaf, lowClosed: boolean, highClosed: boolean, key: string): Answer {
  const [start, end] = [realValue(low), realValue(high)];
  if (start !== null && end !== null && start > end) return leafFrom(key, null);
  return region([interval(low, high, lowClosed, highClosed)], key);
}

function join(a: Placed, b: Placed): Placed {
  const { low, lowClosed } = a.piece;
  const [high, end] = b.high > a.high ? [b.piece.high, b.high] : [a.piece.high, a.high];
  const highClosed = b.high > a.high ? b.piece.highClosed : b.high === a.high ? a.piece.highClosed || b.piece.highClosed : a.piece.highClosed;
  return { piece: interval(low, high, lowClosed, highClosed), low: a.low, high: end };
}

/** Points common to both sets of intervals; `null` where an end has no real value. */
export function intersect(a: readonly Piece[], b: readonly Piece[]): Piece[] | null {
  const [left, right] = [placed(a), placed(b)];
  if (!left || !right) return null;
  const result: Piece[] = [];
  for (const one of left) {
    for (const other of right) {
      const [lower, upper] = [one.low > other.low ? one : other, one.high < other.high ? one : other];
      const lowClosed = one.low === other.low ? one.piece.lowClosed && other.piece.lowClosed : lower.piece.lowClosed;
      const highClosed = one.high === other.high ? one.piece.highClosed && other.piece.highClosed : upper.piece.highClosed;
      const isEmpty = lower.low > upper.high || (lower.low === upper.high && !(lowClosed && highClosed));
      if (!isEmpty) result.push(interval(lower.piece.low, upper.piece.high, lowClosed, highClosed));
    }
  }
  return result;
}

/** The intervals without some points; `null` where a value is not known. */
export function without(pieces: readonly Piece[], points: readonly Leaf[]): Piece[] | null {
  let left: Piece[] | null = [...pieces];
  for (const at of points) {
    if (left !== null) left = intersect(left, [below(at, false), above(at, false)]);
  }
  return left;
}

/** Values v with low <= |v| <= high; either bound may be absent. `null` where a bound is negative or no number. */
export function symmetric(low: Leaf | null, high: Leaf | null, lowClosed: boolean, highClosed: boolean, negate: (leaf: Leaf) => Leaf): Piece[] | null {
  for (const bound of [low, high]) if (bound && !((realValue(bound) ?? -1) >= 0)) return null;
  if (low === null || sameLeaf(low, ORIGIN)) {
    if (high === null) return null;
    const whole = interval(negate(high), high, highClosed, highClosed);
    return low === null || lowClosed ? [whole] : without([whole], [ORIGIN]);
  }
  const end = high ?? INFINITY;
  const start = high ? negate(high) : MINUS_INFINITY;
  return [interval(start, negate(low), highClosed, lowClosed), interval(low, end, lowClosed, highClosed)];
}
