import { sum } from "../util/statistics.ts";

/**
 * How many problems each of several sources gives to a mixture of `total`, in proportion to their weights:
 * the whole parts of the exact shares, then one more for the largest remainders (Hamilton's method), the
 * earlier source on a tie.
 */
export function apportion(weights: readonly number[], total: number): readonly number[] {
  const exact = weights.map((weight) => (total * weight) / sum(weights));
  const counts = exact.map(Math.floor);
  const byRemainder = [...exact.keys()].sort((a, b) => exact[b]! - counts[b]! - (exact[a]! - counts[a]!) || a - b);
  for (const index of byRemainder.slice(0, total - sum(counts))) counts[index]!++;
  return counts;
}

/**
 * How many problems each source gives to the largest mixture in proportion to the weights that repeats no
 * problem: `sizes` are the problems that the sources have.
 */
export function largestMixture(sizes: readonly number[], weights: readonly number[]): readonly number[] {
  const scale = Math.min(...sizes.map((size, index) => size / weights[index]!));
  // A share that is whole must not fall below by rounding.
  return weights.map((weight) => Math.floor(scale * weight + 1e-9));
}
