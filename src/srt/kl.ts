import type { KlEstimator } from "../options.ts";

/**
 * Estimate of KL(policy || reference) of one completion, summed over its tokens, in nats (Schulman 2020,
 * "Approximating KL divergence"), from logprobs of the same tokens under both, `[time]`.
 * - `k1`: log p - log q. Unbiased, and as a term of the reward its policy gradient is that of the KL.
 * - `k3`: exp(d) - 1 - d with d = log q - log p clamped to [-10, 10]. Never negative, low variance, but as
 *   a term of the reward its gradient is *not* that of the KL: near the reference it hardly pulls back.
 */
export function sequenceKl(policy_T: ArrayLike<number>, reference_T: ArrayLike<number>, estimator: KlEstimator): number {
  let total = 0;
  for (let t = 0; t < policy_T.length; t++) {
    const difference = reference_T[t]! - policy_T[t]!;
    if (estimator === "k1") total -= difference;
    else {
      const clamped = Math.min(10, Math.max(-10, difference));
      total += Math.exp(clamped) - 1 - clamped;
    }
  }
  return total;
}
