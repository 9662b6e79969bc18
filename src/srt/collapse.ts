import { mean, sum } from "../util/statistics.ts";

/** What a step says of the health of a run, all of it known without labels. */
export interface Signals {
  readonly step: number;
  /** Mean KL of a token against the model that the run started from, in nats. */
  readonly tokenKl: number;
  readonly abstentionRate: number;
  readonly drift: Drift;
  /** What a probe after the step found; `null` without one. */
  readonly probe: Probe | null;
}

/** The support of a run for its first model's answers, beside the best that it had. */
export interface Probe {
  readonly support: number;
  /** Standard error of the difference between the two, as far as it comes from sampling. */
  readonly error: number;
  /** The largest so far, this one included, and the last step that had it. */
  readonly best: number;
  readonly bestStep: number;
}

/** How far the majority answers of a step are from those of the first model, on the problems that it has voted on. */
export interface Drift {
  /** How sure the first model was of each problem: none where it was not asked. */
  readonly sureness_P: readonly number[];
  /** What of that is now something else, surely, where anything is. */
  readonly losses: readonly number[];
  /** By answer, on how many problems more it is the majority now; answers that are as frequent as they were may be missing. */
  readonly gains: ReadonlyMap<string, number>;
}

/** The majority answers of one problem, now and by the model that the run started from. */
export interface Comparison {
  readonly now: string | null;
  readonly first: string | null;
  readonly same: boolean;
  /** Majority shares, how sure each is: of the first model, and now. */
  readonly firstShare: number;
  readonly nowShare: number;
  /** Whether the answer now is a label that the run was given from outside: it was taught, and is no drift. */
  readonly taught: boolean;
}

/** Which sign has passed its limit, and since when. */
export interface Alarm {
  readonly key: SignKey;
  readonly sign: string;
  /** Step at which it is raised, and the last one before the run began to leave its start. */
  readonly step: number;
  readonly lastHealthy: number;
  readonly value: number;
  readonly limit: number;
}

/** Steps that a sign is taken over: one step of few problems says little. */
export const WINDOW = 8;
/** A majority share that says nothing: below it the first model's answer may change as it likes. */
const UNSURE = 0.3;
/** Sureness that a window must hold, in problems of which the first model was wholly sure: with less a change is chance. */
const EVIDENCE = 4;
/** Lost sureness up to which a run is at rest. A stop comes late, once it is sure, and goes back to before the unrest. */
const AT_REST = 0.05;

/** What programs call the signs; people read their names. */
export type SignKey = "lostSupport" | "lostSureness" | "answerExcess" | "tokenKl" | "abstentionRate";

interface Sign {
  readonly key: SignKey;
  readonly name: string;
  readonly value: (window: readonly Signals[]) => number | null;
  /** Most that it may be, given its value in the first window of the run, and the window now. */
  readonly limit: (early: number, window: readonly Signals[]) => number;
}

/**
 * In the order in which they are asked. The limits of the first three were set on the runs of some seeds and tested on
 * others (docs/method.md). A majority share that rises is no sign: it rises in healthy runs as well. Support comes and
 * goes in healthy runs too; where the majorities that the run learns from go as well, less of it is enough.
 */
const SIGNS: readonly Sign[] = [
  { key: "lostSupport", name: "support for the answers that the first model was sure of, lost since its best probe,", value: (window) => newestProbe(window)?.lost ?? null, limit: (_, window) => Math.max(0.07 - (lostSureness(window) ?? 0) / 4, 2 * (newestProbe(window)?.error ?? 0)) },
  { key: "lostSureness", name: "share of the first model's sureness that has gone over to other answers", value: lostSureness, limit: () => 0.18 },
  { key: "answerExcess", name: "one answer's share beyond what the first model gave it", value: answerExcess, limit: () => 0.35 },
  { key: "tokenKl", name: "KL of a token to the first model, in nats", value: (window) => mean(window.map(({ tokenKl }) => tokenKl)), limit: (early) => Math.max(0.8, 8 * early) },
  { key: "abstentionRate", name: "share of completions without an answer", value: (window) => mean(window.map(({ abstentionRate }) => abstentionRate)), limit: (early) => early + 0.3 },
];

/** A sign as it stands: `null` where it can't be told, and for what depends on a beginning that can't. */
export interface SignReading {
  readonly key: SignKey;
  readonly name: string;
  readonly value: number | null;
  readonly start: number | null;
  readonly limit: number | null;
}

/** Each sign's value over the first window of a run, in their order; `null` where it can't be told. */
export function signStarts(early: readonly Signals[]): readonly (number | null)[] {
  return SIGNS.map(({ value }) => value(early));
}

/** Each sign over a window beside its beginning and limit, in the order in which they are asked. */
export function readSigns(window: readonly Signals[], starts: readonly (number | null)[]): readonly SignReading[] {
  return SIGNS.map(({ key, name, value, limit }, index) => {
    const start = starts[index] ?? null;
    return { key, name, value: value(window), start, limit: start === null ? null : limit(start, window) };
  });
}

/** The first sign that has passed its limit; `null` when none has. */
export function passedSign(signs: readonly SignReading[]): Pick<Alarm, "key" | "sign" | "value" | "limit"> | null {
  for (const { key, name: sign, value, limit } of signs) if (value !== null && limit !== null && value > limit) return { key, sign, value, limit };
  return null;
}

/**
 * The first sign that has passed its limit over the last steps; `null` while the run is healthy or too young to
 * tell. Pure: `history` is every step so far, in order.
 */
export function collapseAlarm(history: readonly Signals[]): Alarm | null {
  if (history.length < WINDOW) return null;
  const passed = passedSign(readSigns(history.slice(-WINDOW), signStarts(history.slice(0, WINDOW))));
  return passed === null ? null : { ...passed, step: history.at(-1)!.step, lastHealthy: lastHealthy(history) };
}

/** The step to go back to: the one whose probe was best, or without probes the last one at rest. */
export function lastHealthy(history: readonly Signals[]): number {
  return history.findLast(({ probe }) => probe !== null)?.probe?.bestStep ?? lastAtRest(history);
}

/** The last step, a window or more ago, over whose window the run was at rest; 0 before there is one. */
export function lastAtRest(history: readonly Signals[]): number {
  let steps = Math.max(0, history.length - WINDOW);
  while (steps >= WINDOW && (lostSureness(history.slice(steps - WINDOW, steps)) ?? 0) > AT_REST) steps--;
  return steps < WINDOW ? 0 : history[steps - 1]!.step;
}

/** `step 17: one answer's share … is 0.14, above 0.10 (over 8 steps)`. */
export function describeAlarm({ key, sign, step, value, limit }: Alarm): string {
  const [shown, bound] = toldApart(value, limit);
  return `step ${step}: ${sign} is ${shown}, above ${bound}${key === "lostSupport" ? "" : ` (over ${WINDOW} steps)`}`;
}

/** Two figures with two decimals, or with as many as tell them apart, six at most. */
export function toldApart(first: number, second: number): readonly [string, string] {
  for (let decimals = 2; decimals < 6; decimals++) {
    const [one, other] = [first.toFixed(decimals), second.toFixed(decimals)];
    if (one !== other) return [one, other];
  }
  return [first.toFixed(6), second.toFixed(6)];
}

/**
 * The drift of a step. How sure the first model was of a problem is how far its majority share lay above `UNSURE`.
 * That is lost by the share of the majority that has taken its place, so that a change of mind among scattered answers
 * counts little; answers that were taught are no loss.
 */
export function driftOf(comparisons: readonly Comparison[]): Drift {
  const gains = new Map<string, number>();
  const losses: number[] = [];
  const sureness_P = comparisons.map(({ now, first, same, firstShare, nowShare, taught }) => {
    const sureness = Math.max(0, firstShare - UNSURE);
    if (same) return sureness;
    if (!taught) losses.push(sureness * nowShare);
    if (now !== null) gains.set(now, (gains.get(now) ?? 0) + 1);
    if (first !== null) gains.set(first, (gains.get(first) ?? 0) - 1);
    return sureness;
  });
  return { sureness_P, losses, gains };
}

/**
 * How much more often one answer is the majority than it was for the first model on the same problems, as a
 * share of them: the largest over all answers. Corrections spread over the answers; a collapse runs into one.
 * `null` where the first model has not voted.
 */
export function answerExcess(window: readonly Signals[]): number | null {
  const total = new Map<string, number>();
  let [problems, largest] = [0, 0];
  for (const { drift } of window) {
    problems += drift.sureness_P.length;
    for (const [answer, gain] of drift.gains) total.set(answer, (total.get(answer) ?? 0) + gain);
  }
  for (const gain of total.values()) largest = Math.max(largest, gain);
  return problems === 0 ? null : largest / problems;
}

/**
 * How much of what the first model was sure of is now something else, surely; see `driftOf`. From 0 to 1; `null`
 * where the first model has not voted, or was sure of too little to tell.
 */
export function lostSureness(window: readonly Signals[]): number | null {
  let [total, lost] = [0, 0];
  for (const { drift } of window) {
    for (const sureness of drift.sureness_P) total += sureness;
    for (const loss of drift.losses) lost += loss;
  }
  return total < EVIDENCE * (1 - UNSURE) ? null : lost / total;
}

/** One problem of a probe: the share of its samples that give the first model's majority answer, and how sure that was. */
export interface Support {
  readonly firstShare: number;
  readonly support: number;
}

/**
 * What share of a probe's samples give the first model's majority answer, each problem weighed by how far that
 * answer's share lay above `UNSURE`: where it was sure it was mostly right, so this follows accuracy without labels.
 * With the squared standard error that comes from `samples` (two or more) of each. `null` where the first model was
 * sure of too little to tell.
 */
export function startSupport(problems: readonly Support[], samples: number): { readonly support: number; readonly variance: number } | null {
  const weights = problems.map(({ firstShare }) => Math.max(0, firstShare - UNSURE));
  const total = sum(weights);
  if (total < EVIDENCE * (1 - UNSURE)) return null;
  const support = sum(problems.map((problem, index) => weights[index]! * problem.support)) / total;
  // Of a share of n samples, s (1 - s) / (n - 1) estimates the variance.
  const variance = sum(problems.map((problem, index) => (weights[index]! ** 2 * problem.support * (1 - problem.support)) / (samples - 1))) / total ** 2;
  return { support, variance };
}

/** How far the newest probe of a window lies below the best one of the run; `null` where the window has none. */
function newestProbe(window: readonly Signals[]): { readonly lost: number; readonly error: number } | null {
  const probe = window.findLast((step) => step.probe !== null)?.probe ?? null;
  return probe === null ? null : { lost: probe.best - probe.support, error: probe.error };
}
