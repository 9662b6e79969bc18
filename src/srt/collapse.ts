import { mean } from "../util/statistics.ts";

/** What a step says of the health of a run, all of it known without labels. */
export interface Signals {
  readonly step: number;
  /** Mean KL of a token against the model that the run started from, in nats. */
  readonly tokenKl: number;
  readonly abstentionRate: number;
  readonly drift: Drift;
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

interface Sign {
  readonly name: string;
  readonly value: (window: readonly Signals[]) => number | null;
  /** Most that it may be, given its value in the first window. */
  readonly limit: (early: number) => number;
}

/**
 * In the order in which they are asked. The first two limits were set on the runs of some seeds and tested on
 * others (docs/method.md). A majority share that rises is no sign: it rises in healthy runs as well.
 */
const SIGNS: readonly Sign[] = [
  { name: "share of the first model's sureness that has gone over to other answers", value: lostSureness, limit: () => 0.18 },
  { name: "one answer's share beyond what the first model gave it", value: answerExcess, limit: () => 0.35 },
  { name: "KL of a token to the first model, in nats", value: (window) => mean(window.map(({ tokenKl }) => tokenKl)), limit: (early) => Math.max(0.8, 8 * early) },
  { name: "share of completions without an answer", value: (window) => mean(window.map(({ abstentionRate }) => abstentionRate)), limit: (early) => early + 0.3 },
];

/** A sign as it stands: `null` where it can't be told, and for a limit that depends on a beginning that can't. */
export interface SignReading {
  readonly name: string;
  readonly value: number | null;
  readonly limit: number | null;
}

/** The limit of each sign, in their order, given the first window of a run. */
export function signLimits(early: readonly Signals[]): readonly (number | null)[] {
  return SIGNS.map(({ value, limit }) => {
    const start = value(early);
    return start === null ? null : limit(start);
  });
}

/** Each sign over a window beside its limit, in the order in which they are asked: lost sureness and excess come first. */
export function readSigns(window: readonly Signals[], limits: readonly (number | null)[]): readonly SignReading[] {
  return SIGNS.map(({ name, value }, index) => ({ name, value: value(window), limit: limits[index]! }));
}

/** The first sign that has passed its limit; `null` when none has. */
export function passedSign(signs: readonly SignReading[]): { readonly name: string; readonly value: number; readonly limit: number } | null {
  for (const { name, value, limit } of signs) if (value !== null && limit !== null && value > limit) return { name, value, limit };
  return null;
}

/**
 * The first sign that has passed its limit over the last steps; `null` while the run is healthy or too young to
 * tell. Pure: `history` is every step so far, in order.
 */
export function collapseAlarm(history: readonly Signals[]): Alarm | null {
  if (history.length < WINDOW) return null;
  const passed = passedSign(readSigns(history.slice(-WINDOW), signLimits(history.slice(0, WINDOW))));
  if (passed === null) return null;
  const { name: sign, value, limit } = passed;
  return { sign, step: history.at(-1)!.step, lastHealthy: lastAtRest(history), value, limit };
}

/** The last step, a window or more ago, over whose window the run was at rest; 0 before there is one. */
export function lastAtRest(history: readonly Signals[]): number {
  let steps = Math.max(0, history.length - WINDOW);
  while (steps >= WINDOW && (lostSureness(history.slice(steps - WINDOW, steps)) ?? 0) > AT_REST) steps--;
  return steps < WINDOW ? 0 : history[steps - 1]!.step;
}

/** `step 17: one answer's share … is 0.14, above 0.10 (over 8 steps)`. */
export function describeAlarm({ sign, step, value, limit }: Alarm): string {
  return `step ${step}: ${sign} is ${value.toFixed(2)}, above ${limit.toFixed(2)} (over ${WINDOW} steps)`;
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
