/**
 * The records that flow through a training run. Shape suffixes: `_P` problems, `_G` samples of one
 * problem's group, `_T` tokens of one completion.
 */

/** A question. It carries no answer: training never sees one. */
export interface Problem {
  readonly id: string;
  readonly prompt: string;
  /** Where the problem comes from, e.g. `task:chain/5` or a file name. */
  readonly source: string;
  /** The same question in other words, where the data has it. */
  readonly paraphrase?: string;
  /** Prompt made from it where the config names none: `{problem}` is replaced by the question. */
  readonly template?: string;
}

/** A question with its true answer. Only `data/`, `evaluate.ts` and the ground-truth reward handle it. */
export interface LabelledProblem extends Problem {
  readonly answer: string;
  /** What it is about and how hard it is, where the data says so: evaluation gives figures for each. */
  readonly subject?: string;
  readonly level?: string;
}

/** Why a completion ended: a stop token was sampled, or the token budget was used up. */
export type StopReason = "stop" | "length";

/** What a policy samples for one prompt. */
export interface Completion {
  /** Completion token ids, `[time]`; the stop token is included when one was sampled. */
  readonly tokens: readonly number[];
  /** Natural-log probability of each token under the sampling weights at temperature 1, `[time]`. */
  readonly logprobs: Float32Array;
  readonly stopReason: StopReason;
}

/** A completion with its text and the final answer read from it. */
export interface Sample extends Completion {
  readonly text: string;
  /** The final answer as written, or `null` when none could be read (the sample abstains). */
  readonly answer: string | null;
  /** The tokens that spell the final answer, `[start, end)`; empty when it abstains. */
  readonly answerSpan: TokenSpan;
}

/** Positions of a completion from `start` up to, not including, `end`. */
export interface TokenSpan {
  readonly start: number;
  readonly end: number;
}

/** One set of samples whose answers are the same. */
export interface AnswerClass {
  /** The answer string that stands for the class: its most frequent one, the earliest on a tie. */
  readonly answer: string;
  /** Indices into the group's samples, ascending. */
  readonly members: readonly number[];
}

/** The vote of one group of samples. */
export interface Vote {
  /** Largest class first; classes of equal size in order of their earliest sample. */
  readonly classes: readonly AnswerClass[];
  readonly samples: number;
  /** Samples without a readable answer. They belong to no class. */
  readonly abstentions: number;
  /** The largest class, or `null` when every sample abstained. */
  readonly majority: AnswerClass | null;
  /** Whether another class is as large as the majority. */
  readonly tied: boolean;
  /** Size of the majority over the samples with an answer; 0 without one. */
  readonly shareOfAnswered: number;
  /** Size of the majority over all samples. */
  readonly shareOfAll: number;
  /** (Largest class - second largest) over all samples. */
  readonly margin: number;
}

/** What a reward source sees of one group. */
export interface RewardContext {
  readonly problem: Problem;
  /** Final answer of each sample, `[group]`; `null` where it abstains. */
  readonly answers_G: readonly (string | null)[];
  /** The vote of these samples. */
  readonly vote: Vote;
  /** The vote that gives the label: the samples' own (then it *is* `vote`), or that of other voters. */
  readonly ballot: Vote;
  /** Of the draws of a reward that draws; another for each group. */
  readonly seed: number;
}

/** What a reward source says of one group. */
export interface GroupReward {
  /** The answer that was rewarded, or `null` when the group has none. */
  readonly label: string | null;
  /** Reward of each sample, `[group]`; zeros without a label, but for negative labels and controls. */
  readonly rewards_G: readonly number[];
  /** Whether the label comes from outside and not from votes of this run; `false` when absent. */
  readonly given?: boolean;
  /** Whether it was given without a label on purpose, as by controls; `false` when absent. */
  readonly judged?: boolean;
  /** What the group's advantages are multiplied by; 1 when absent. */
  readonly weight?: number;
  /** What is taken off each of the group's advantages; 0 when absent. */
  readonly penalty?: number;
}

/** Why a group trains or leaves the batch. */
export type GroupStatus = "trained" | "unlabelled" | "no-signal" | "left-out";

/** Everything that one step knows of one problem, in one record. */
export interface Group {
  readonly problem: Problem;
  readonly promptTokens: readonly number[];
  readonly samples_G: readonly Sample[];
  /** The samples' own vote. */
  readonly vote: Vote;
  /** The vote that gave the label; the same object as `vote` where the samples vote themselves. */
  readonly ballot: Vote;
  readonly reward: GroupReward;
  /** KL against the reference at each token, `[group][time]`, in nats: estimated by k1, whatever the penalty is. */
  readonly kl_G_T: readonly Float32Array[];
  /** Advantage of each token, `[group][time]`; zeros where the group leaves the batch. */
  readonly advantages_G_T: readonly Float32Array[];
  readonly status: GroupStatus;
}

/** Token ids of a prompt and its completion. */
export interface TokenSequence {
  readonly prompt: readonly number[];
  readonly completion: readonly number[];
}

/** One sequence of an update. All arrays below are aligned with `completion`, `[time]`. */
export interface TrainingRow extends TokenSequence {
  /** Logprobs of the behaviour policy: the sampler's. */
  readonly logprobs: ArrayLike<number>;
  readonly advantages: ArrayLike<number>;
  /** Weight of each token's loss. The loss is the weighted *sum*: the mean is already in the weights. */
  readonly weights: ArrayLike<number>;
  /** For a critic: its values when the completion was sampled, and the returns that it should have told. */
  readonly critic?: { readonly values: ArrayLike<number>; readonly returns: ArrayLike<number> };
}

/** What one optimizer update did. */
export interface UpdateReport {
  /** The weighted sum of token losses, a critic's included. */
  readonly loss: number;
  /** Global L2 norm of the gradient before clipping. */
  readonly gradientNorm: number;
  /** `true` when the norm was not finite: the weights and the optimizer are unchanged. */
  readonly skipped: boolean;
  /** Share of tokens whose ratio was clipped (0 for losses without a clip). */
  readonly clipFraction: number;
  /** Completion tokens that took part. */
  readonly tokens: number;
}

/** The whole truth of one step; metrics, samples on disk and the progress line are derived from it. */
export interface StepReport {
  readonly step: number;
  readonly groups_P: readonly Group[];
  /** `null` when no group carried a signal: the weights are unchanged. */
  readonly update: UpdateReport | null;
  /** Wall-clock seconds of each part of the step. */
  readonly seconds: StepSeconds;
}

export interface StepSeconds {
  readonly sample: number;
  /** The votes of a teacher; 0 where the samples vote themselves. */
  readonly vote: number;
  readonly reference: number;
  readonly update: number;
  readonly total: number;
}

/** Reads final answers and compares them. */
export interface Grader {
  /** The final answer in a completion's text, or `null`: abstain. */
  readonly extract: (text: string) => string | null;
  /** Class number of each answer, numbered from 0 in order of first appearance. */
  readonly classes: (answers: readonly string[]) => readonly number[];
  /** Whether a prediction equals the gold answer. */
  readonly same: (gold: string, prediction: string) => boolean;
}

/** Turns problems into tokens and tokens into text. */
export interface Renderer {
  /** `template` is the problem's own, which the renderer's comes before. */
  readonly encodePrompt: (prompt: string, template?: string) => readonly number[];
  /** Text of completion tokens, without special tokens. */
  readonly decode: (tokens: readonly number[]) => string;
  readonly stopTokens: readonly number[];
}

/** Decides what each sample of a group earns. Sources that need labels hold them; the step never does. */
export type RewardSource = (group: RewardContext) => GroupReward;
