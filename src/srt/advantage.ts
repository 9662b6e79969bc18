import type { AdvantageEstimator } from "../options.ts";
import { mean, standardDeviation } from "../util/statistics.ts";

/**
 * Advantage of each sample of a group from the group's scores (reward minus KL penalty), `[group]`, two or more.
 * - `rloo`: score minus the mean of the *other* samples (Ahmadian et al. 2024, eq. 7). The paper's default.
 * - `grpo`: (score - mean) / (standard deviation + 1e-6), deviation with n - 1 (Shao et al. 2024, eq. 3).
 * - `dr-grpo`: score - mean (Liu et al. 2025).
 */
export function groupAdvantages(scores_G: readonly number[], estimator: AdvantageEstimator): readonly number[] {
  const count = scores_G.length;
  const center = mean(scores_G);
  switch (estimator) {
    case "rloo":
      return scores_G.map((score) => (count / (count - 1)) * (score - center));
    case "grpo": {
      const scale = standardDeviation(scores_G) + 1e-6;
      return scores_G.map((score) => (score - center) / scale);
    }
    case "dr-grpo":
      return scores_G.map((score) => score - center);
  }
}
