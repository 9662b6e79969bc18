import type { SignReading } from "../srt/collapse.ts";

/** What the server of `selftrain watch` and its page say to each other: types and names alone. */

/**
 * Columns of a run's steps, each a figure of StepMetrics or of the alarm. The page asks for those that it draws:
 * `GET /api/runs/:id/steps?columns=kl,entropy&from=120` answers with 32-bit floats, little-endian, column after
 * column, each `[steps from 121 on]`, NaN where a step has no value, or is left out as long as a long run is a sketch.
 */
export const STEP_COLUMNS = [
  "pseudoReward",
  "majorityShareOfAll",
  "unanimousShare",
  "abstentionRate",
  "ballotShare",
  "labelAccuracy",
  "trainPassAt1",
  "topAnswerShare",
  "flipRate",
  "startAgreement",
  "startSupport",
  "kl",
  "answerTokenKl",
  "otherTokenKl",
  "meanLength",
  "truncatedShare",
  "entropy",
  "loss",
  "gradientNorm",
  "clipFraction",
  "groupsTied",
  "groupsTrained",
  "groupsWithoutSignal",
  "seconds",
  "tokensPerSecond",
  "elapsed",
  /** The signs of collapse over the window that ends with the step; Health has their limits, by the names of the columns. */
  "lostSupport",
  "lostSureness",
  "answerExcess",
  "tokenKl",
] as const;
export type StepColumn = (typeof STEP_COLUMNS)[number];

/** `stopped`: no process writes it and it is not complete; it was killed or interrupted, and can be resumed. */
export type RunState = "running" | "complete" | "stopped";

/** A sign of collapse as it stands; its key is that of the column that tells of it. */
export type SignStatus = SignReading;

/** The alarm's verdict, from the votes alone: no label is needed for it. */
export interface Health {
  /** `unknown`: too young to tell, or nothing to tell from. */
  readonly level: "healthy" | "watch" | "collapsed" | "unknown";
  /** In words: `collapsed at step 410: 93 % of prompts answer 1`. */
  readonly text: string;
  readonly signs: readonly SignStatus[];
}

/** One run in the list: `GET /api/runs` answers with all of them, and the event `runs` with those that changed. */
export interface RunOverview {
  /** The run's address in this server: URL-safe, the same as long as the run lies where it does. */
  readonly id: string;
  /** Name of its directory, with as many parents as tell it from the others. */
  readonly name: string;
  readonly state: RunState;
  readonly model: string;
  readonly reward: string;
  readonly algorithm: string;
  /** Updates so far, and in all. */
  readonly step: number;
  readonly steps: number;
  /** Grows whenever steps are no longer what they were (a resumption went back, or a sketch became the whole): what was read before is void. */
  readonly revision: number;
  /** Number of evaluations, and of recorded steps of samples: when they grow there is more to read. */
  readonly evaluations: number;
  readonly recordings: number;
  readonly health: Health;
  /** Median seconds of the last steps; `null` before the first. */
  readonly secondsPerStep: number | null;
  readonly tokensPerSecond: number | null;
  /** `null` unless it is running. */
  readonly secondsLeft: number | null;
  /** Why the run went back to an earlier step, or why it can't be read; `null` for most. */
  readonly note: string | null;
}

/** `GET /api/runs/:id/evaluations`: all so far, in order. See EvaluationMetrics. */
export interface EvaluationPoint {
  readonly kind: "evaluation" | "validation";
  readonly step: number;
  readonly passAt1: number;
  readonly standardError: number;
  readonly majAtK: number;
  readonly majStandardError: number;
  readonly k: number;
  readonly problems: number;
  readonly abstentionRate: number;
}

/** `GET /api/runs/:id/about`. */
export interface RunAbout {
  /** Complete config: names with dots for nested keys, and values as written. */
  readonly config: readonly (readonly [key: string, value: string])[];
  /** The keys of it that have another value than the default, or have none. */
  readonly chosen: readonly string[];
  readonly environment: readonly (readonly [name: string, value: string])[];
  /** Absolute path of the run directory. */
  readonly path: string;
}

/** `GET /api/runs/:id/recordings`: the steps whose samples were recorded, ascending. */
export type Recordings = readonly number[];

/** One problem of a recorded step, in the order of the step: `GET /api/runs/:id/recordings/:step`. */
export interface ProblemOverview {
  /** Place in the step: what the next address takes. */
  readonly index: number;
  readonly id: string;
  /** Beginning of the question, at most 200 characters. */
  readonly prompt: string;
  readonly pseudoLabel: string | null;
  /** `null` where no true answer is recorded. */
  readonly truth: string | null;
  /** `null` where it can't be told. */
  readonly majorityCorrect: boolean | null;
  readonly shareOfAll: number;
  readonly classes: number;
  readonly tied: boolean;
  /** Whether the majority is another than at the problem's last step; `null` where it was not seen before. */
  readonly flipped: boolean | null;
  /** Samples, and those without an answer. */
  readonly samples: number;
  readonly abstentions: number;
  readonly status: string;
}

/** One problem with all that was sampled: `GET /api/runs/:id/recordings/:step/:index`. */
export interface InspectedProblem extends Omit<ProblemOverview, "prompt"> {
  readonly prompt: string;
  /** Classes of equal answers, the majority first. */
  readonly groups: readonly AnswerClass[];
  readonly completions: readonly InspectedCompletion[];
}

export interface AnswerClass {
  /** The answer that stands for the class. */
  readonly answer: string;
  readonly count: number;
  readonly correct: boolean | null;
  /** The ways in which the answer is written, the most frequent first, and why each equals the class's. */
  readonly spellings: readonly { readonly text: string; readonly count: number; readonly rule: string }[];
}

export interface InspectedCompletion {
  readonly text: string;
  readonly answer: string | null;
  /** Index into `groups`; `null` without an answer. */
  readonly group: number | null;
  readonly reward: number;
  /** Mean over its tokens. */
  readonly advantage: number;
  readonly kl: number;
  readonly tokens: number;
  readonly stopReason: string;
  /** Logprob of each token, and the place in `text` where it ends; without places where the recording has none. */
  readonly logprobs: readonly number[];
  readonly tokenEnds: readonly number[] | null;
  /** Where in `text` the final answer stands; `null` without one, or where it can't be told. */
  readonly answerAt: { readonly start: number; readonly end: number } | null;
}

/** `GET /api/compare?first=ID&second=ID`. */
export interface Comparison {
  /** Every key of the configs, and whether the two differ in it. */
  readonly config: readonly { readonly key: string; readonly first: string | null; readonly second: string | null; readonly differs: boolean }[];
  /** Paired differences, second minus first, on the same held-out problems at the same step; the last common one is the last. */
  readonly differences: readonly PairedFigure[];
  /** Why there are none; `null` where there are. */
  readonly reason: string | null;
}

/** 95 % intervals from a bootstrap over the problems. */
export interface PairedFigure {
  readonly step: number;
  readonly problems: number;
  readonly passAt1: Interval;
  readonly majAtK: Interval;
}

export interface Interval {
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

/** Body of an answer that is not 200: one sentence. */
export interface Refusal {
  readonly error: string;
}

/**
 * Events of `GET /api/events` (server-sent): the data of `runs` is a list of RunOverview that changed or are new, that
 * of `gone` a list of ids of runs that are no longer there.
 */
export const RUNS_EVENT = "runs";
export const GONE_EVENT = "gone";
