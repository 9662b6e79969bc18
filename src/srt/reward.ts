import type { ShareDenominator } from "../options.ts";
import type { AnswerClass, Grader, GroupReward, RewardSource, Vote } from "../types.ts";

export interface LabelOptions {
  /** Groups whose majority share is below it get no label (0 labels every group with an answer). */
  readonly threshold: number;
  /** Groups whose majority leads the second answer by less than this share get no label either; 0 when absent. */
  readonly margin?: number;
  readonly share: ShareDenominator;
  /** Answers with a smaller share of the votes, and none at all, earn -1, whether the group has a label or not; nobody when absent. */
  readonly negativeShare?: number;
}

/**
 * Self-rewarding (Algorithm 1, lines 4-5): the majority answer is the pseudo-label, and a sample earns 1
 * when its answer is in the majority's class, else 0. Vote and reward use the same classes, so a sample
 * that voted for the label is always paid and one that abstained never is.
 */
export function majorityReward({ threshold, margin = 0, share, negativeShare = 0 }: LabelOptions, same: Grader["same"]): RewardSource {
  return ({ answers_G, vote, ballot }) => {
    const sure = ballot.majority !== null && majorityShare(ballot, share) >= threshold && ballot.margin >= margin;
    const label = sure ? ballot.majority : null;
    const paid = byClass(vote, ballot, same, (found) => {
      if (label !== null && found === label) return 1;
      return shareOf(found, ballot, share) < negativeShare ? -1 : 0;
    });
    // Else to say nothing would be the best reply where one is unsure.
    return { label: label?.answer ?? null, rewards_G: rewardsOf(paid, answers_G, negativeShare > 0 ? -1 : 0) };
  };
}

/** A soft vote: each sample earns its answer's share of the votes (the authors' `soft_reward`; EMPO, arXiv 2504.05812). */
export function shareReward({ share }: Pick<LabelOptions, "share">, same: Grader["same"]): RewardSource {
  return ({ answers_G, vote, ballot }) => {
    const paid = byClass(vote, ballot, same, (found) => shareOf(found, ballot, share));
    return { label: ballot.majority?.answer ?? null, rewards_G: rewardsOf(paid, answers_G) };
  };
}

export interface ConsensusOptions {
  readonly share: ShareDenominator;
  /** Width of the bell that turns a share into a reward. */
  readonly width: number;
  /** Groups whose majority share is below it earn nothing and are pushed down. */
  readonly threshold: number;
  /** How far they are pushed down: taken off their advantages. */
  readonly penalty: number;
  /** Weight of a problem, e.g. the majority share of the frozen start; 1 where none is known. */
  readonly weightOf: (id: string) => number | undefined;
}

/**
 * Consensus weighting after RESTRAIN (arXiv 2510.02172): every answer is a pseudo-label and counts
 * exp(-(1 - share)^2 / (2 width^2)); groups of low consensus are penalised; problems are weighted. The paper
 * does not state its constants.
 */
export function consensusReward({ share, width, threshold, penalty, weightOf }: ConsensusOptions, same: Grader["same"]): RewardSource {
  return ({ problem, answers_G, vote, ballot }) => {
    const weight = weightOf(problem.id) ?? 1;
    if (ballot.majority === null) return { label: null, rewards_G: rewardsOf([], answers_G) };
    if (majorityShare(ballot, share) < threshold) return { label: null, rewards_G: rewardsOf([], answers_G), weight, penalty };
    const paid = byClass(vote, ballot, same, (found) => Math.exp(-((1 - shareOf(found, ballot, share)) ** 2) / (2 * width ** 2)));
    return { label: ballot.majority.answer, rewards_G: rewardsOf(paid, answers_G), weight };
  };
}

/**
 * Labels from elsewhere: 1 for answers equal to the problem's label. With true answers it is the supervised
 * control, with the votes of a fixed model the offline labels of the paper (appendix H.2). A problem without a
 * label gets no reward. One comparison per answer class, since a class shares its verdict.
 */
export function labelReward(labels: ReadonlyMap<string, string>, same: Grader["same"]): RewardSource {
  return ({ problem, answers_G, vote }) => {
    const label = labels.get(problem.id);
    if (label === undefined) return { label: null, rewards_G: rewardsOf([], answers_G) };
    const right = vote.classes.filter(({ answer }) => same(label, answer));
    return { label, given: true, rewards_G: rewardsOf(right.map((answers) => [answers, 1]), answers_G) };
  };
}

/** Some problems with a true label, which they keep (the authors' mixed training), and the others without. */
export function mixedReward(labels: ReadonlyMap<string, string>, labelled: RewardSource, unlabelled: RewardSource): RewardSource {
  return (group) => (labels.has(group.problem.id) ? labelled(group) : unlabelled(group));
}

/** What each class of the vote earns; `found` is its class among the voters, `undefined` where none of them said so. */
export function byClass(vote: Vote, ballot: Vote, same: Grader["same"], earned: (found: AnswerClass | undefined) => number): [AnswerClass, number][] {
  return vote.classes.map((own) => {
    const found = ballot === vote ? own : ballot.classes.find(({ answer }) => same(answer, own.answer));
    return [own, earned(found)];
  });
}

/** Rewards of the samples from those of their classes, `[group]`; `abstaining` for samples without an answer. */
export function rewardsOf(paid: readonly (readonly [AnswerClass, number])[], answers_G: readonly (string | null)[], abstaining = 0): readonly number[] {
  const rewards = answers_G.map((answer) => (answer === null ? abstaining : 0));
  for (const [{ members }, reward] of paid) {
    for (const index of members) rewards[index] = reward;
  }
  return rewards;
}

/** Whether a group has a reward to speak of: by a label, without one on purpose, or by negative labels alone. */
export function isJudged({ label, judged = false, rewards_G }: GroupReward): boolean {
  return judged || label !== null || rewards_G.some((reward) => reward !== 0);
}

function majorityShare(ballot: Vote, share: ShareDenominator): number {
  return share === "answered" ? ballot.shareOfAnswered : ballot.shareOfAll;
}

function shareOf(found: AnswerClass | undefined, { samples, abstentions }: Vote, share: ShareDenominator): number {
  return found === undefined ? 0 : found.members.length / (share === "answered" ? samples - abstentions : samples);
}

