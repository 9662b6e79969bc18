import { CURRENT } from "../policy.ts";
import { advantages, comparesWithinGroup, tokenRewards } from "../srt/advantage.ts";
import type { Outcome } from "../srt/advantage.ts";
import { klLossAdvantage, tokenKl } from "../srt/kl.ts";
import { returnsToGo } from "../srt/returns.ts";
import { isJudged } from "../srt/reward.ts";
import { vote } from "../srt/vote.ts";
import type { Group, GroupReward, GroupStatus, TrainingRow } from "../types.ts";
import { deriveSeed } from "../util/random.ts";
import { strictZip } from "../util/strict-zip.ts";
import type { SeededSettings, StepParts, StepSettings } from "./settings.ts";
import { answersOf, sampleAnswers } from "./voters.ts";

/** A group before its advantages are known. */
export type Judged = Omit<Group, "advantages_G_T"> & {
  /** Logprobs of the samples under the model that the run started from, `[group][time]`. */
  readonly reference_G_T: readonly Float32Array[];
};

/**
 * Whether a group trains. One without a label leaves the batch, so that nothing, not even the KL penalty,
 * trains on it. So does one whose rewards are all equal where an estimator looks only within groups: the token
 * mean is over informative samples.
 */
export function statusOf(reward: GroupReward, { algorithm }: Pick<StepSettings, "algorithm">): GroupStatus {
  const { rewards_G, penalty = 0 } = reward;
  const differ = rewards_G.some((reward) => reward !== rewards_G[0]);
  if (differ || penalty > 0) return "trained";
  if (!isJudged(reward)) return "unlabelled";
  return comparesWithinGroup(algorithm) ? "no-signal" : "trained";
}

/** Leaves out all but the labelled groups with the largest majority shares, where there are more than `kept`. */
export function keepLargestShares(groups_P: readonly Judged[], kept: number): readonly Judged[] {
  const share = (index: number): number => (groups_P[index]!.status === "unlabelled" ? -1 : groups_P[index]!.ballot.shareOfAll);
  const order = [...groups_P.keys()].sort((a, b) => share(b) - share(a));
  const left = new Set(order.slice(kept));
  return groups_P.map((group, index) => (left.has(index) ? { ...group, status: "left-out" } : group));
}

/** The advantage of each token of a group, and what a critic should have said of it. */
export interface Credit {
  /** `[group][time]`; zeros where the group leaves the batch. */
  readonly advantages_G_T: readonly Float32Array[];
  readonly critic_G: readonly TrainingRow["critic"][];
}

/** Credit for each group, `[problem]`, by the run's estimator; those that do not train get none. */
export async function creditOf(judged_P: readonly Judged[], parts: StepParts, settings: SeededSettings): Promise<readonly Credit[]> {
  const trained_P = judged_P.filter(({ status }) => status === "trained");
  const outcomes_P_G = await outcomesOf(trained_P, parts, settings);
  const estimated = strictZip(outcomes_P_G, advantages(outcomes_P_G, settings.algorithm))[Symbol.iterator]();
  return judged_P.map((group) => {
    if (group.status !== "trained") return noCredit(group);
    const [outcomes_G, estimated_G_T] = estimated.next().value!;
    return {
      advantages_G_T: estimated_G_T.map((estimated_T, index) => withLossTerms(estimated_T, group, index, settings)),
      critic_G: outcomes_G.map((outcome) => outcome.values_T && { values: outcome.values_T, returns: returnsToGo(tokenRewards(outcome)) }),
    };
  });
}

function noCredit({ samples_G }: Judged): Credit {
  return { advantages_G_T: samples_G.map(({ tokens }) => new Float32Array(tokens.length)), critic_G: samples_G.map(() => undefined) };
}

/** What each sample earned, with the KL penalty where it acts on the reward, and what the estimator needs besides. */
async function outcomesOf(groups_P: readonly Judged[], parts: StepParts, settings: SeededSettings): Promise<readonly (readonly Outcome[])[]> {
  const { algorithm, klCoefficient, klEstimator, klPlacement } = settings;
  const coefficient = klPlacement === "reward" ? klCoefficient : 0;
  const greedy_P = algorithm === "remax" ? await greedyRewards(groups_P, parts, settings) : [];
  const sequences = groups_P.flatMap(({ promptTokens, samples_G }) => samples_G.map(({ tokens }) => ({ prompt: promptTokens, completion: tokens })));
  const values = (algorithm === "gae" ? await parts.policy.values(sequences) : [])[Symbol.iterator]();
  return groups_P.map(({ samples_G, reward, reference_G_T }, index) =>
    samples_G.map((_, member): Outcome => ({
      reward: reward.rewards_G[member]!,
      penalty_T: tokenKl(samples_G[member]!.logprobs, reference_G_T[member]!, klEstimator).map((kl) => coefficient * kl),
      ...(algorithm === "remax" && { greedyReward: greedy_P[index]! }),
      ...(algorithm === "gae" && { values_T: values.next().value! }),
    })),
  );
}

/**
 * The reward of one greedy completion for each group, `[problem]`, judged by the group's own ballot: by its own
 * vote of one it would always be right.
 */
async function greedyRewards(groups_P: readonly Judged[], parts: StepParts, settings: SeededSettings): Promise<readonly number[]> {
  const greedy = { ...settings, temperature: 0, topP: 1, topK: 0 };
  const prompts_P = groups_P.map(({ promptTokens }) => promptTokens);
  const answers_P_1 = await sampleAnswers(prompts_P, { weights: CURRENT, count: 1, seed: deriveSeed(settings.seed, "greedy") }, parts, greedy, answersOf);
  return strictZip(groups_P, answers_P_1).map(([{ problem, ballot }, answers_G], index) => {
    const judged = parts.rewardOf({ problem, answers_G, vote: vote(answers_G, parts.grader.classes), ballot, seed: deriveSeed(settings.seed, "greedy reward", index) });
    return judged.rewards_G[0]!;
  });
}

/**
 * The estimate, weighted and lowered as the reward source says, plus what KL and entropy terms of the loss add.
 * An entropy bonus c H is the score-function estimate -c log p: on average over samples it is H's gradient.
 */
function withLossTerms(estimated_T: Float32Array, group: Judged, index: number, settings: StepSettings): Float32Array {
  const { weight = 1, penalty = 0 } = group.reward;
  const { logprobs } = group.samples_G[index]!;
  const { klCoefficient, klEstimator, klPlacement, entropyCoefficient } = settings;
  const pull_T = klPlacement === "loss" && klCoefficient > 0 ? klLossAdvantage(logprobs, group.reference_G_T[index]!, klEstimator) : null;
  return estimated_T.map((estimate, t) => weight * estimate - penalty + klCoefficient * (pull_T?.[t] ?? 0) - entropyCoefficient * logprobs[t]!);
}
