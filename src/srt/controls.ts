import type { Grader, RewardSource } from "../types.ts";
import { createRandom } from "../util/random.ts";
import { byClass, rewardsOf } from "./reward.ts";

/**
 * Rewards that say nothing of what is right, to set beside every claim (Spurious Rewards, arXiv 2506.10947).
 * What still improves under them does not come from the labels.
 */

/** A coin for each sample. */
export const randomReward: RewardSource = ({ answers_G, seed }) => {
  const random = createRandom(seed);
  return { label: null, judged: true, rewards_G: answers_G.map(() => (random.uniform() < 0.5 ? 1 : 0)) };
};

/** 1 for every sample with a readable answer, whatever it is. */
export const formatReward: RewardSource = ({ answers_G }) => ({ label: null, judged: true, rewards_G: answers_G.map((answer) => (answer === null ? 0 : 1)) });

/** 1 for the answer with most votes that is *not* the true one. Labels are needed to be wrong on purpose. */
export function wrongLabelReward(labels: ReadonlyMap<string, string>, same: Grader["same"]): RewardSource {
  return ({ problem, answers_G, vote, ballot }) => {
    const truth = labels.get(problem.id);
    const wrong = truth === undefined ? undefined : ballot.classes.find(({ answer }) => !same(truth, answer));
    const paid = byClass(vote, ballot, same, (found) => (found !== undefined && found === wrong ? 1 : 0));
    return { label: wrong?.answer ?? null, rewards_G: rewardsOf(paid, answers_G) };
  };
}
