import { mean } from "../util/statistics.ts";

/** What a step says of the health of a run, all of it known without labels. */
export interface Signals {
  readonly step: number;
  /** Mean KL of a token against the model that the run started from, in nats. */
  readonly tokenKl: number;
  readonly abstentionRate: number;
  /** Problems of the step that the first model has voted on: none where it was not asked. */
  readonly comparisons: readonly Comparison[];
}

/** The majority answers of one problem, now and by the model that the run started from. */
export interface Comparison {
  readonly now: string | null;
  readonly first: string | null;
  readonly same: boolean;
  /** The first model's majority share: how sure it was. */
  readonly firstShare: number;
}

/** Which sign has passed its limit, and since when. */
export interface Alarm {
  readonly sign: string;
  /** Step at which it is raised, and the last one whose signals are not among those that raised it. */
  readonly step: number;
  readonly lastHealthy: number;
  readonly value: number;
  readonly limit: number;
}

/** Steps that a sign is taken over (one step of few problems says little), and windows in a row that must pass the limit. */
export const WINDOW = 8;
export const PATIENCE = 2;

interface Sign {
  readonly name: string;
  readonly value: (window: readonly Signals[]) => number | null;
  /** Most that it may be, given its value in the first window. */
  readonly limit: (early: number) => number;
}

/**
 * In the order in which they are asked. The first limit was set on the runs of one seed and tested on others
 * (docs/method.md). A majority share that rises is no sign: it rises in healthy runs as well.
 */
const SIGNS: readonly Sign[] = [
  { name: "share of changed majorities where the first model was sure", value: sureChanges, limit: () => 0.1 },
  { name: "one answer's share beyond what the first model gave it", value: answerExcess, limit: () => 0.2 },
  { name: "KL of a token to the first model, in nats", value: (window) => mean(window.map(({ tokenKl }) => tokenKl)), limit: (early) => Math.max(0.8, 8 * early) },
  { name: "share of completions without an answer", value: (window) => mean(window.map(({ abstentionRate }) => abstentionRate)), limit: (early) => early + 0.3 },
];

/**
 * The first sign that has passed its limit in each of the last windows; `null` while the run is healthy or too
 * young to tell. Pure: `history` is every step so far, in order.
 */
export function collapseAlarm(history: readonly Signals[]): Alarm | null {
  if (history.length < WINDOW + PATIENCE - 1) return null;
  for (const { name, value, limit: limitOf } of SIGNS) {
    const early = value(history.slice(0, WINDOW));
    if (early === null) continue;
    const limit = limitOf(early);
    const values = Array.from({ length: PATIENCE }, (_, back) => value(history.slice(history.length - back - WINDOW, history.length - back)));
    if (!values.every((found) => found !== null && found > limit)) continue;
    const { step } = history[history.length - 1]!;
    return { sign: name, step, lastHealthy: Math.max(0, step - WINDOW - PATIENCE + 1), value: values[0]!, limit };
  }
  return null;
}

/** `step 17: one answer's share … is 0.14, above 0.10 (over 8 steps)`. */
export function describeAlarm({ sign, step, value, limit }: Alarm): string {
  return `step ${step}: ${sign} is ${value.toFixed(2)}, above ${limit.toFixed(2)} (over ${WINDOW} steps)`;
}

/**
 * How much more often one answer is the majority than it was for the first model on the same problems, as a
 * share of them: the largest over all answers. Corrections spread over the answers; a collapse runs into one.
 * `null` where the first model has not voted.
 */
export function answerExcess(window: readonly Signals[]): number | null {
  const comparisons = window.flatMap((signals) => signals.comparisons);
  const gains = new Map<string, number>();
  const count = (answer: string | null, by: number): unknown => answer !== null && gains.set(answer, (gains.get(answer) ?? 0) + by);
  for (const { now, first, same } of comparisons) {
    if (same) continue;
    count(now, 1);
    count(first, -1);
  }
  return comparisons.length === 0 ? null : Math.max(0, ...gains.values()) / comparisons.length;
}

/** Share of the problems on which at least half of the first model's samples agreed whose majority is now another. */
export function sureChanges(window: readonly Signals[]): number | null {
  const sure = window.flatMap(({ comparisons }) => comparisons.filter(({ firstShare }) => firstShare >= 0.5));
  return sure.length === 0 ? null : mean(sure.map(({ same }) => (same ? 0 : 1)));
}
