import type { Grader, RewardSource } from "../types.ts";
import { groundTruthReward } from "./reward.ts";

/**
 * Labels made before training by a fixed model's vote (arXiv 2505.21444, figure 7): 1 for answers equal to the label,
 * whatever the samples at hand agree on; a problem without one gets no reward. The truth's reward with other labels.
 */
export function offlineLabelsReward(labels: ReadonlyMap<string, string>, same: Grader["same"]): RewardSource {
  return groundTruthReward(labels, same);
}
