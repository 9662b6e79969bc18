import type { KlEstimator } from "../options.ts";

/** The log ratio is kept within this, so that one impossible token stays finite (the authors' code: 10). */
const LIMIT = 10;

/**
 * Estimate of KL(policy || reference) at each token of a completion, in nats, `[time]` (Schulman 2020,
 * "Approximating KL divergence"), from logprobs of the same tokens under both. With d = log q - log p:
 * - `k1`: -d. Unbiased, and as a term of the reward its policy gradient is that of the KL.
 * - `k2`: d^2 / 2. As a term of the *loss* its gradient is that of the KL.
 * - `k3`: exp(d) - 1 - d, d clamped to [-10, 10]. Never negative, low variance, but as a term of the reward
 *   its gradient is *not* that of the KL: near the reference it hardly pulls back.
 */
export function tokenKl(policy_T: ArrayLike<number>, reference_T: ArrayLike<number>, estimator: KlEstimator): Float32Array {
  return Float32Array.from(policy_T, (logprob, t) => {
    const difference = reference_T[t]! - logprob;
    switch (estimator) {
      case "k1":
        return -difference;
      case "k2":
        return difference ** 2 / 2;
      case "k3": {
        const clamped = clamp(difference);
        return Math.exp(clamped) - 1 - clamped;
      }
    }
  });
}

/**
 * A KL term in the loss, as an advantage: the advantage that gives each token the same gradient as `+ KL` in
 * the loss, `[time]`. For a loss -A log p it is -d KL / d log p: k1 -1, k2 d, k3 exp(d) - 1, with d = log q -
 * log p at the logprobs that the completions were sampled with; so it is exact for the first update of a batch.
 */
export function klLossAdvantage(policy_T: ArrayLike<number>, reference_T: ArrayLike<number>, estimator: KlEstimator): Float32Array {
  return Float32Array.from(policy_T, (logprob, t) => {
    const difference = reference_T[t]! - logprob;
    switch (estimator) {
      case "k1":
        return -1;
      case "k2":
        return difference;
      case "k3":
        return Math.exp(clamp(difference)) - 1;
    }
  });
}

/**
 * The coefficient of an adaptive penalty after a step that saw `kl` nats a completion (Ziegler et al. 2019,
 * section 2.2): grown or shrunk by at most a fifth of the samples over the horizon, towards the target.
 */
export function adaptedCoefficient(coefficient: number, kl: number, { target, horizon, samples }: { readonly target: number; readonly horizon: number; readonly samples: number }): number {
  const error = Math.min(0.2, Math.max(-0.2, kl / target - 1));
  return coefficient * (1 + (error * samples) / horizon);
}

function clamp(difference: number): number {
  return Math.min(LIMIT, Math.max(-LIMIT, difference));
}
