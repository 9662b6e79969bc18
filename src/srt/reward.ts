import type { ShareDenominator } from "../options.ts";
import type { Grader, GroupReward, RewardSource, Vote } from "../types.ts";

export interface MajorityOptions {
  /** Groups whose majority share is below it get no label (0 labels every group with an answer). */
  readonly threshold: number;
  readonly share: ShareDenominator;
}

/**
 * Self-rewarding (Algorithm 1, lines 4-5): the majority answer is the pseudo-label, and a sample earns 1
 * when its answer is in the majority's class, else 0. Vote and reward use the same classes, so a sample
 * that voted for the label is always paid and one that abstained never is.
 */
export function majorityReward({ threshold, share }: MajorityOptions): RewardSource {
  return (_problem, answers_G, vote) => {
    const value = share === "answered" ? vote.shareOfAnswered : vote.shareOfAll;
    if (vote.majority === null || value < threshold) return withoutLabel(answers_G.length);
    return { label: vote.majority.answer, rewards_G: oneFor(vote.majority.members, answers_G.length) };
  };
}

/**
 * The supervised control: 1 for answers equal to the true one. The labels live in this closure; a problem
 * without one gets no reward. One comparison per answer class, since a class shares its verdict.
 */
export function groundTruthReward(labels: ReadonlyMap<string, string>, same: Grader["same"]): RewardSource {
  return (problem, answers_G, vote) => {
    const label = labels.get(problem.id);
    if (label === undefined) return withoutLabel(answers_G.length);
    return { label, rewards_G: oneFor(membersEqualTo(label, vote, same), answers_G.length) };
  };
}

function membersEqualTo(label: string, vote: Vote, same: Grader["same"]): readonly number[] {
  return vote.classes.filter((candidate) => same(label, candidate.answer)).flatMap((candidate) => candidate.members);
}

function oneFor(members: readonly number[], samples: number): readonly number[] {
  const rewards = new Array<number>(samples).fill(0);
  for (const index of members) rewards[index] = 1;
  return rewards;
}

function withoutLabel(samples: number): GroupReward {
  return { label: null, rewards_G: new Array<number>(samples).fill(0) };
}
