import type { LossAggregation } from "../options.ts";

/**
 * Loss weight of one token of each completion, `[row]`: what each of its tokens counts in the batch loss.
 * - `token-mean`: 1 / all tokens of the batch, so long completions count more (the authors' code).
 * - `sequence-mean`: 1 / (rows x own length), so each completion counts the same (the formula of
 *   the paper's appendix B.1).
 */
export function tokenWeights(lengths: readonly number[], aggregation: LossAggregation): readonly number[] {
  const tokens = lengths.reduce((total, length) => total + length, 0);
  return lengths.map((length) => (aggregation === "token-mean" ? 1 / tokens : 1 / (lengths.length * length)));
}
