import type { AdvantageEstimator, KlEstimator, LossAggregation } from "./options.ts";
import { CURRENT, REFERENCE } from "./policy.ts";
import type { Policy, UpdateOptions } from "./policy.ts";
import { groupAdvantages } from "./srt/advantage.ts";
import { sequenceKl } from "./srt/kl.ts";
import { tokenWeights } from "./srt/loss-weights.ts";
import { vote } from "./srt/vote.ts";
import type { Completion, Grader, Group, GroupStatus, Problem, Renderer, RewardSource, StepReport, TrainingRow } from "./types.ts";
import { strictZip } from "./util/strict-zip.ts";

export interface StepSettings {
  readonly samplesPerPrompt: number;
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly maxTokens: number;
  readonly algorithm: AdvantageEstimator;
  /** Weight of the KL penalty inside the reward. */
  readonly klCoefficient: number;
  readonly klEstimator: KlEstimator;
  readonly lossAggregation: LossAggregation;
  readonly update: UpdateOptions;
}

export interface StepParts {
  readonly policy: Policy;
  readonly renderer: Renderer;
  readonly grader: Grader;
  readonly rewardOf: RewardSource;
  /** Seconds on a clock that never goes back. */
  readonly clock: () => number;
}

/**
 * One step of Self-Rewarded Training (arXiv 2505.21444, Algorithm 1): sample, vote, reward, advantage,
 * update. Problems carry no label, and no problem sees another until the update.
 */
export async function trainStep(
  step: number,
  problems_P: readonly Problem[],
  { policy, renderer, grader, rewardOf, clock }: StepParts,
  settings: StepSettings & { readonly seed: number },
): Promise<StepReport> {
  // 1. Sample n completions for each prompt from the current policy.
  const started = clock();
  const prompts_P = problems_P.map((problem) => renderer.encodePrompt(problem.prompt, problem.template));
  const { samplesPerPrompt: count, temperature, topP, topK, maxTokens, seed } = settings;
  const stopTokens = renderer.stopTokens;
  const completions_P_G = await policy.sample(
    { prompts: prompts_P, count, weights: CURRENT, seed, temperature, topP, topK, stopTokens, maxTokens },
  );
  const sampled = clock();

  // The KL penalty compares the sampler's logprobs with those of the model the run started from.
  const sequences = strictZip(prompts_P, completions_P_G).flatMap(([prompt, completions_G]) =>
    completions_G.map(({ tokens }) => ({ prompt, completion: tokens })),
  );
  const reference = (await policy.logprobs(sequences, REFERENCE))[Symbol.iterator]();
  const referenced = clock();

  // 2. Vote, 3. reward, 4. advantage: problem by problem.
  const groups_P = strictZip(problems_P, strictZip(prompts_P, completions_P_G)).map(([problem, [promptTokens, completions_G]]): Group => {
    const samples_G = completions_G.map((completion) => read(completion, renderer, grader));
    const answers_G = samples_G.map(({ answer }) => answer);
    const ballot = vote(answers_G, grader.classes);
    const reward = rewardOf(problem, answers_G, ballot);
    const kl_G = samples_G.map(({ logprobs }) => sequenceKl(logprobs, reference.next().value!, settings.klEstimator));
    const status = statusOf(reward.label, reward.rewards_G);
    const scores_G = strictZip(reward.rewards_G, kl_G).map(([earned, kl]) => earned - settings.klCoefficient * kl);
    const advantages_G = status === "trained" ? groupAdvantages(scores_G, settings.algorithm) : scores_G.map(() => 0);
    return { problem, promptTokens, samples_G, vote: ballot, reward, kl_G, advantages_G, status };
  });

  // 5. One update from the groups that carry a signal.
  const rows = trainingRows(groups_P, settings.lossAggregation);
  const beforeUpdate = clock();
  const update = rows.length === 0 ? null : await policy.update(rows, settings.update);
  const ended = clock();
  const seconds = {
    sample: sampled - started,
    reference: referenced - sampled,
    update: ended - beforeUpdate,
    total: ended - started,
  };
  return { step, groups_P, update, seconds };
}

function read(completion: Completion, renderer: Renderer, grader: Grader) {
  const text = renderer.decode(completion.tokens);
  return { ...completion, text, answer: grader.extract(text) };
}

/**
 * A group whose rewards are all equal says nothing about which sample was better: it leaves the batch. So
 * the token mean is over informative samples only, and the KL penalty never trains by itself.
 */
function statusOf(label: string | null, rewards_G: readonly number[]): GroupStatus {
  if (label === null) return "unlabelled";
  return rewards_G.every((reward) => reward === rewards_G[0]) ? "no-signal" : "trained";
}

function trainingRows(groups_P: readonly Group[], aggregation: LossAggregation): TrainingRow[] {
  const samples = groups_P
    .filter(({ status }) => status === "trained")
    .flatMap(({ promptTokens, samples_G, advantages_G }) =>
      strictZip(samples_G, advantages_G).map(([sample, advantage]) => ({ promptTokens, sample, advantage })),
    );
  const weights = tokenWeights(samples.map(({ sample }) => sample.tokens.length), aggregation);
  return strictZip(samples, weights).map(([{ promptTokens, sample, advantage }, weight]) => ({
    prompt: promptTokens,
    completion: sample.tokens,
    logprobs: sample.logprobs,
    advantages: new Float32Array(sample.tokens.length).fill(advantage),
    weights: new Float32Array(sample.tokens.length).fill(weight),
  }));
}
