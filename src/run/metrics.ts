import { isJudged } from "../srt/reward.ts";
import type { Grader, Group, Sample, StepReport } from "../types.ts";
import { mean, sum } from "../util/statistics.ts";

/** Figures of one training step. Everything outside `timing` is the same in every rerun of a seed. */
export interface StepMetrics {
  readonly kind: "step";
  /** Number of updates so far, this one included: from 1. */
  readonly step: number;
  /** Mean reward over the samples of groups with a label, or `null` when no group had one. */
  readonly pseudoReward: number | null;
  /** Mean over groups of the majority's size over all samples. */
  readonly majorityShareOfAll: number;
  /** Mean over groups of the majority's size over the samples with an answer. */
  readonly majorityShareOfAnswered: number;
  /** Share of groups in which every sample gave the same answer. */
  readonly unanimousShare: number;
  /** Share of samples without a readable answer. */
  readonly abstentionRate: number;
  /** Groups in which a second answer was as frequent as the majority. */
  readonly groupsTied: number;
  readonly groupsTrained: number;
  readonly groupsUnlabelled: number;
  /** Groups with a label whose rewards were all equal. */
  readonly groupsWithoutSignal: number;
  /** Groups that were sampled, but left out for others with a larger majority share. */
  readonly groupsLeftOut: number;
  /** Mean over groups of the majority's share of the votes that label, those of a teacher where there is one. */
  readonly ballotShare: number;
  /** Share of the labels that are true, of those whose truth is known; `null` without any. Training never sees it. */
  readonly labelAccuracy: number | null;
  /** Share of the samples that are right, likewise. */
  readonly trainPassAt1: number | null;
  /** Largest share of the groups that have one and the same majority answer. */
  readonly topAnswerShare: number;
  /** Share of the problems seen before whose majority answer is another than last time; `null` when none was. */
  readonly flipRate: number | null;
  /** Share of the problems whose majority answer is that of the model the run started from; `null` unless `start-votes` asks. */
  readonly startAgreement: number | null;
  /** How far the samples of a probe give what the first model was sure of (`startSupport` in srt/collapse.ts); `null` for a step without one. */
  readonly startSupport: number | null;
  /** Mean KL estimate of a completion against the reference, in nats (k1, whatever the penalty is). */
  readonly kl: number;
  /** Mean KL estimate of a token of the final answer, and of one before or after it, in nats. */
  readonly answerTokenKl: number;
  readonly otherTokenKl: number;
  /** Weight of the KL penalty in this step. */
  readonly klCoefficient: number;
  /** Mean tokens of a completion. */
  readonly meanLength: number;
  /** Share of completions that used up the token budget. */
  readonly truncatedShare: number;
  /** Mean -logprob of the sampled tokens, in nats: the entropy per token when nothing cuts or tempers the sampling. */
  readonly entropy: number;
  /** Loss of the update; this and the next two are `null` without an update or when not finite. */
  readonly loss: number | null;
  /** L2 norm of the gradient before clipping. */
  readonly gradientNorm: number | null;
  readonly clipFraction: number | null;
  /** Whether an update was skipped because its gradient was not finite. */
  readonly skipped: boolean;
  /** Completion tokens sampled. */
  readonly tokens: number;
  readonly timing: StepTiming;
}

/** Wall-clock figures of a step, in seconds. */
export interface StepTiming {
  readonly seconds: number;
  readonly sampleSeconds: number;
  readonly voteSeconds: number;
  readonly referenceSeconds: number;
  readonly updateSeconds: number;
  /** Sampled tokens over the seconds of the whole step. */
  readonly tokensPerSecond: number;
  /** Since the run began, without the time between an interruption and its resumption. */
  readonly elapsed: number;
}

/** Figures of one evaluation on held-out problems. */
export interface EvaluationFigures {
  /** Mean over problems of the share of samples with the true answer (k samples estimate it). */
  readonly passAt1: number;
  /** Standard error of pass@1 over problems. */
  readonly standardError: number;
  /** Share of problems whose majority answer is the true one. */
  readonly majAtK: number;
  /** Standard error of maj@k over problems. */
  readonly majStandardError: number;
  /** Samples per problem. */
  readonly k: number;
  /** Share of samples without a readable answer. */
  readonly abstentionRate: number;
  /** Mean tokens of a completion. */
  readonly meanLength: number;
  readonly problems: number;
}

/** An evaluation as a line of metrics.jsonl: on the held-out problems, or on those that early stopping watches. */
export interface EvaluationMetrics extends EvaluationFigures {
  readonly kind: "evaluation" | "validation";
  /** Updates before it: 0 is the model that the run started from. */
  readonly step: number;
  readonly timing: { readonly seconds: number; readonly elapsed: number };
}

/** A line of metrics.jsonl. */
export type MetricsLine = StepMetrics | EvaluationMetrics;

/** What the metrics of a step say besides its report. */
export interface MetricsContext {
  /** Seconds since the run began. */
  readonly elapsed: number;
  readonly klCoefficient: number;
  readonly flipRate?: number | null;
  readonly startAgreement?: number | null;
  readonly startSupport?: number | null;
  /** True answers by id, where they are known, and how to compare with them. */
  readonly truth?: ReadonlyMap<string, string>;
  readonly same?: Grader["same"];
}

/** The metrics of a step. */
export function stepMetrics(report: StepReport, context: MetricsContext): StepMetrics {
  const { step, groups_P, update, seconds } = report;
  const { elapsed, klCoefficient, flipRate = null, startAgreement = null, startSupport = null, truth = new Map<string, string>(), same = () => false } = context;
  const samples = groups_P.flatMap(({ samples_G }) => samples_G);
  const tokens = sum(samples.map((sample) => sample.tokens.length));
  return {
    kind: "step",
    step,
    ...groupFigures(groups_P),
    ...truthFigures(groups_P, truth, same),
    ...klFigures(groups_P),
    klCoefficient,
    flipRate,
    startAgreement,
    startSupport,
    ...sampleFigures(samples, tokens),
    loss: finite(update?.loss),
    gradientNorm: finite(update?.gradientNorm),
    clipFraction: finite(update?.clipFraction),
    skipped: update?.skipped ?? false,
    tokens,
    timing: {
      seconds: seconds.total,
      sampleSeconds: seconds.sample,
      voteSeconds: seconds.vote,
      referenceSeconds: seconds.reference,
      updateSeconds: seconds.update,
      tokensPerSecond: seconds.total > 0 ? tokens / seconds.total : 0,
      elapsed,
    },
  };
}

/** The metrics of an evaluation at a step. */
export function evaluationMetrics(
  step: number,
  figures: EvaluationFigures,
  timing: EvaluationMetrics["timing"],
  kind: EvaluationMetrics["kind"] = "evaluation",
): EvaluationMetrics {
  const { passAt1, standardError, majAtK, majStandardError, k, abstentionRate, meanLength, problems } = figures;
  return { kind, step, passAt1, standardError, majAtK, majStandardError, k, abstentionRate, meanLength, problems, timing };
}

function groupFigures(groups_P: readonly Group[]) {
  const rewards = groups_P.flatMap(({ reward }) => (isJudged(reward) ? reward.rewards_G : []));
  const withStatus = (status: Group["status"]) => groups_P.filter((group) => group.status === status).length;
  return {
    pseudoReward: rewards.length === 0 ? null : mean(rewards),
    majorityShareOfAll: mean(groups_P.map(({ vote }) => vote.shareOfAll)),
    majorityShareOfAnswered: mean(groups_P.map(({ vote }) => vote.shareOfAnswered)),
    unanimousShare: mean(groups_P.map(({ vote }) => (vote.shareOfAll === 1 ? 1 : 0))),
    groupsTied: groups_P.filter(({ vote }) => vote.tied).length,
    groupsTrained: withStatus("trained"),
    groupsUnlabelled: withStatus("unlabelled"),
    groupsWithoutSignal: withStatus("no-signal"),
    groupsLeftOut: withStatus("left-out"),
    ballotShare: mean(groups_P.map(({ ballot }) => ballot.shareOfAll)),
    topAnswerShare: largestShare(groups_P.map(({ vote }) => vote.majority?.answer ?? null)),
  };
}

/** What is known only where true answers are; one comparison for each class of answers. */
function truthFigures(groups_P: readonly Group[], truth: ReadonlyMap<string, string>, same: Grader["same"]) {
  const known = groups_P.flatMap(({ problem, vote, reward, samples_G }) => {
    const answer = truth.get(problem.id);
    if (answer === undefined) return [];
    const right = sum(vote.classes.filter((candidate) => same(answer, candidate.answer)).map(({ members }) => members.length));
    return [{ passRate: right / samples_G.length, labelCorrect: reward.label === null ? null : same(answer, reward.label) }];
  });
  const verdicts = known.flatMap(({ labelCorrect }) => (labelCorrect === null ? [] : [labelCorrect ? 1 : 0]));
  return {
    labelAccuracy: verdicts.length === 0 ? null : mean(verdicts),
    trainPassAt1: known.length === 0 ? null : mean(known.map(({ passRate }) => passRate)),
  };
}

function klFigures(groups_P: readonly Group[]) {
  const totals = { answer: 0, other: 0, answerTokens: 0, otherTokens: 0 };
  for (const { samples_G, kl_G_T } of groups_P) {
    samples_G.forEach(({ answerSpan: { start, end } }, index) => {
      const kl_T = kl_G_T[index]!;
      const answer = sum(kl_T.subarray(start, end));
      totals.answer += answer;
      totals.other += sum(kl_T) - answer;
      totals.answerTokens += end - start;
      totals.otherTokens += kl_T.length - (end - start);
    });
  }
  return {
    kl: mean(groups_P.flatMap(({ kl_G_T }) => kl_G_T.map(sum))),
    answerTokenKl: totals.answer / Math.max(1, totals.answerTokens),
    otherTokenKl: totals.other / Math.max(1, totals.otherTokens),
  };
}

/** Share of the most frequent value; what abstained is no value, but counts as one that could have been. */
function largestShare(answers: readonly (string | null)[]): number {
  const counts = new Map<string, number>();
  for (const answer of answers) if (answer !== null) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  return answers.length === 0 ? 0 : Math.max(0, ...counts.values()) / answers.length;
}

function sampleFigures(samples: readonly Sample[], tokens: number) {
  const logprobs = sum(samples.map((sample) => sum(sample.logprobs)));
  return {
    abstentionRate: mean(samples.map(({ answer }) => (answer === null ? 1 : 0))),
    meanLength: samples.length === 0 ? 0 : tokens / samples.length,
    truncatedShare: mean(samples.map(({ stopReason }) => (stopReason === "length" ? 1 : 0))),
    entropy: tokens === 0 ? 0 : -logprobs / tokens,
  };
}

/** JSON has no infinity: a figure that is not finite is written as `null` on purpose. */
function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
