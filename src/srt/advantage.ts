import type { AdvantageEstimator } from "../options.ts";
import { mean, standardDeviation, sum } from "../util/statistics.ts";
import { generalizedAdvantages, returnsToGo } from "./returns.ts";

/** What one sample earned, and what its estimator needs besides. */
export interface Outcome {
  readonly reward: number;
  /** What the KL penalty takes off the reward at each token, `[time]`; zeros where it acts elsewhere. */
  readonly penalty_T: ArrayLike<number>;
  /** ReMax: the reward of the greedy completion of the same prompt. */
  readonly greedyReward?: number;
  /** GAE: the critic's value before each token, `[time]`. */
  readonly values_T?: ArrayLike<number>;
}

/**
 * Whether only the differences within a group count, so that a group whose samples all earn the same says
 * nothing. The other estimators compare with the whole batch, a greedy completion or a critic.
 */
export function comparesWithinGroup(estimator: AdvantageEstimator): boolean {
  return ["rloo", "grpo", "dr-grpo", "reinforce++-baseline"].includes(estimator);
}

/**
 * Advantage of each token, `[problem][group][time]`, from what the samples of the batch earned. The score s of
 * a sample is its reward less the sum of its KL penalty. For all but two, every token has its sample's value:
 * - `rloo`: s minus the mean of the *other* samples (Ahmadian et al. 2024, eq. 7). The paper's default.
 * - `grpo`: (s - mean) / (standard deviation + 1e-6) of the group, deviation with n - 1 (Shao et al. 2024, eq. 3).
 * - `dr-grpo`: s - mean of the group (Liu et al. 2025).
 * - `reinforce`: s (Williams 1992). `reinforce-baseline`: s - mean of the batch.
 * - `remax`: s - reward of the greedy completion (Li et al. 2023, eq. 4).
 * - `reinforce++-baseline`: s - mean of the group, whitened over the tokens of the batch (Hu et al. 2025).
 * - `reinforce++`: at each token what is still to be earned (the reward at the last, the penalty at its own
 *   token), whitened over the tokens of the batch (Hu et al. 2025).
 * - `gae`: generalized advantages against a critic with gamma = lambda = 1, whitened likewise (Schulman et al.
 *   2016, eq. 16).
 */
export function advantages(batch_P_G: readonly (readonly Outcome[])[], estimator: AdvantageEstimator): readonly (readonly Float32Array[])[] {
  switch (estimator) {
    case "rloo":
    case "grpo":
    case "dr-grpo":
      return batch_P_G.map((group) => broadcast(group, groupAdvantages(group.map(score), estimator)));
    case "reinforce":
      return batch_P_G.map((group) => broadcast(group, group.map(score)));
    case "reinforce-baseline": {
      const baseline = mean(batch_P_G.flatMap((group) => group.map(score)));
      return batch_P_G.map((group) => broadcast(group, group.map((outcome) => score(outcome) - baseline)));
    }
    case "remax":
      return batch_P_G.map((group) => broadcast(group, group.map((outcome) => score(outcome) - outcome.greedyReward!)));
    case "reinforce++-baseline":
      return whitened(batch_P_G.map((group) => broadcast(group, groupAdvantages(group.map(score), "dr-grpo"))));
    case "reinforce++":
      return whitened(batch_P_G.map((group) => group.map((outcome) => returnsToGo(tokenRewards(outcome)))));
    case "gae":
      return whitened(batch_P_G.map((group) => group.map((outcome) => generalizedAdvantages(tokenRewards(outcome), outcome.values_T!))));
  }
}

/** The reward at the last token and the penalty at each, `[time]`. */
export function tokenRewards({ reward, penalty_T }: Outcome): Float32Array {
  const rewards = Float32Array.from(penalty_T, (penalty) => -penalty);
  if (rewards.length > 0) rewards[rewards.length - 1]! += reward;
  return rewards;
}

function score({ reward, penalty_T }: Outcome): number {
  return reward - sum(penalty_T);
}

function groupAdvantages(scores_G: readonly number[], estimator: "rloo" | "grpo" | "dr-grpo"): readonly number[] {
  const count = scores_G.length;
  const center = mean(scores_G);
  const scale = estimator === "rloo" ? count / (count - 1) : estimator === "grpo" ? 1 / (standardDeviation(scores_G) + 1e-6) : 1;
  return scores_G.map((value) => scale * (value - center));
}

function broadcast(group: readonly Outcome[], values_G: readonly number[]): readonly Float32Array[] {
  return group.map(({ penalty_T }, index) => new Float32Array(penalty_T.length).fill(values_G[index]!));
}

/** Mean 0 and variance 1 (n - 1) over all tokens of the batch. */
function whitened(advantages_P_G: readonly (readonly Float32Array[])[]): readonly (readonly Float32Array[])[] {
  const tokens = advantages_P_G.flatMap((group) => group.flatMap((values_T) => Array.from(values_T)));
  const center = mean(tokens);
  const scale = 1 / Math.sqrt(standardDeviation(tokens) ** 2 + 1e-8);
  return advantages_P_G.map((group) => group.map((values_T) => values_T.map((value) => scale * (value - center))));
}
