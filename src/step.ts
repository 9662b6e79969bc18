import { REFERENCE } from "./policy.ts";
import { combinedReport, updateBatches } from "./srt/batch.ts";
import { tokenKl } from "./srt/kl.ts";
import type { Group, Problem, StepReport } from "./types.ts";
import { deriveSeed } from "./util/random.ts";
import { strictZip } from "./util/strict-zip.ts";
import { creditOf, keepLargestShares, statusOf } from "./step/credit.ts";
import type { Judged } from "./step/credit.ts";
import type { SeededSettings, StepParts } from "./step/settings.ts";
import { answer, answersOf, askedProblems, ballotsOf, moveTeacher } from "./step/voters.ts";
import type { Answered } from "./step/voters.ts";

export type { StepParts, StepSettings } from "./step/settings.ts";
export { startTeacher } from "./step/voters.ts";

/**
 * One step of Self-Rewarded Training (arXiv 2505.21444, Algorithm 1): sample, vote, reward, advantage,
 * update. Problems carry no label, and no problem sees another before its advantages.
 */
export async function trainStep(step: number, problems_P: readonly Problem[], parts: StepParts, settings: SeededSettings): Promise<StepReport> {
  const { policy, rewardOf, clock } = parts;

  // 1. Sample n completions for each prompt from the current policy.
  const started = clock();
  const asked_P = askedProblems(problems_P, settings);
  const answered_P = await answer(asked_P, parts, settings);
  const sampled = clock();

  // 2. Vote: the samples themselves, unless somebody else is to say what is right.
  const ballots_P = await ballotsOf(answered_P, parts, settings);
  const voted = clock();

  // The KL penalty compares the sampler's logprobs with those of the model that the run started from.
  const reference_P_G_T = await referenceLogprobs(answered_P, policy);
  const referenced = clock();

  // 3. Reward, problem by problem.
  const judged_P = strictZip(answered_P, strictZip(ballots_P, reference_P_G_T)).map(([answered, [ballot, reference_G_T]], index): Judged => {
    const { problem, samples_G, vote } = answered;
    const reward = rewardOf({ problem, answers_G: answersOf(samples_G), vote, ballot, seed: deriveSeed(settings.seed, "reward", index) });
    const kl_G_T = strictZip(samples_G, reference_G_T).map(([{ logprobs }, reference_T]) => tokenKl(logprobs, reference_T, "k1"));
    return { ...answered, ballot, reward, reference_G_T, kl_G_T, status: statusOf(reward, settings) };
  });

  // 4. Advantage, of the groups that train.
  const kept_P = keepLargestShares(judged_P, settings.promptsPerStep * (settings.crossLabels ? 2 : 1));
  const credits_P = await creditOf(kept_P, parts, settings);
  const credited_P = strictZip(kept_P, credits_P);
  const beforeUpdate = clock();

  // 5. Update, and let a teacher follow.
  const rows = credited_P.flatMap(([{ promptTokens, samples_G, status }, { advantages_G_T, critic_G }]) =>
    status !== "trained" ? [] : samples_G.map((sample, index) => ({ prompt: promptTokens, sample, advantages_T: advantages_G_T[index]!, critic: critic_G[index] })),
  );
  const reports = [];
  for (const batch of updateBatches(rows, settings)) reports.push(await policy.update(batch, settings.update));
  await moveTeacher(policy, step, settings.teacher);
  const ended = clock();

  const groups_P = credited_P.map(([group, { advantages_G_T }]): Group => ({ ...group, advantages_G_T }));
  const seconds = { sample: sampled - started, vote: voted - sampled, reference: referenced - voted, update: ended - beforeUpdate, total: ended - started };
  return { step, groups_P, update: reports.length === 0 ? null : combinedReport(reports), seconds };
}

/** Logprobs of each sample under the model that the run started from, `[problem][group][time]`. */
async function referenceLogprobs(answered_P: readonly Answered[], policy: StepParts["policy"]): Promise<readonly (readonly Float32Array[])[]> {
  const sequences = answered_P.flatMap(({ promptTokens, samples_G }) => samples_G.map(({ tokens }) => ({ prompt: promptTokens, completion: tokens })));
  const logprobs = (await policy.logprobs(sequences, REFERENCE))[Symbol.iterator]();
  return answered_P.map(({ samples_G }) => samples_G.map(() => logprobs.next().value!));
}
