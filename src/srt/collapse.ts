import { mean } from "../util/statistics.ts";

/**
 * Signs that a policy has begun to agree with itself instead of being right, read without labels from what each
 * step says of itself. Names and meanings are those of the step's metrics.
 */
export interface Signals {
  readonly step: number;
  /** Share of the problems whose majority answer is that of the model the run started from; `null` when unknown. */
  readonly startAgreement: number | null;
  /** Largest share of the problems that have one and the same majority answer. */
  readonly topAnswerShare: number;
  /** Mean KL of a completion against the start, in nats. */
  readonly kl: number;
  readonly abstentionRate: number;
}

/** Which sign has passed its limit, and since when. */
export interface Alarm {
  readonly sign: string;
  /** Step at which it is raised, and the last one before the sign began to pass its limit. */
  readonly step: number;
  readonly lastHealthy: number;
  /** Mean of the sign over the last steps, and what it may be at most (or at least). */
  readonly value: number;
  readonly limit: number;
}

export interface AlarmOptions {
  /** Steps over which a sign is averaged: one step of few problems says little. */
  readonly window: number;
  /** Windows in a row, one step apart, that must pass the limit. */
  readonly patience: number;
}

interface Sign {
  readonly name: string;
  readonly read: (signals: Signals) => number | null;
  /** How far it may go, given its mean over the first steps. */
  readonly limit: (early: number) => number;
  readonly alarming: "above" | "below";
}

/**
 * Limits were set on pilot runs of the built-in model (LOG.md). A majority share that rises is no sign: it
 * rises in healthy runs as well.
 */
const SIGNS: readonly Sign[] = [
  { name: "agreement with the first model's majorities", read: ({ startAgreement }) => startAgreement, limit: (early) => 0.8 * early, alarming: "below" },
  { name: "share of problems with one and the same answer", read: ({ topAnswerShare }) => topAnswerShare, limit: (early) => Math.max(0.5, 2 * early), alarming: "above" },
  { name: "KL of a completion to the first model", read: ({ kl }) => kl, limit: (early) => Math.max(8, 5 * early), alarming: "above" },
  { name: "share of completions without an answer", read: ({ abstentionRate }) => abstentionRate, limit: (early) => early + 0.3, alarming: "above" },
];

/**
 * The first sign, in the order above, whose mean over the last steps passes its limit for `patience` steps on
 * end; `null` while the run is healthy or younger than two windows. Pure: `history` is every step so far.
 */
export function collapseAlarm(history: readonly Signals[], { window, patience }: AlarmOptions): Alarm | null {
  if (history.length < 2 * window) return null;
  for (const { name, read, limit: limitOf, alarming } of SIGNS) {
    const early = meanOf(history.slice(0, window), read);
    if (early === null) continue;
    const limit = limitOf(early);
    const passes = (value: number | null): boolean => value !== null && (alarming === "above" ? value > limit : value < limit);
    const windows = Array.from({ length: patience }, (_, back) => meanOf(history.slice(history.length - back - window, history.length - back), read));
    if (!windows.every(passes)) continue;
    const { step } = history[history.length - 1]!;
    return { sign: name, step, lastHealthy: Math.max(0, step - window - patience + 1), value: windows[0]!, limit };
  }
  return null;
}

/** `step 17: agreement with … is 0.48, below 0.51 (mean of 5 steps)`. */
export function describeAlarm({ sign, step, value, limit }: Alarm, { window }: AlarmOptions): string {
  return `step ${step}: ${sign} is ${value.toFixed(2)}, ${value > limit ? "above" : "below"} ${limit.toFixed(2)} (mean of ${window} steps)`;
}

function meanOf(steps: readonly Signals[], read: Sign["read"]): number | null {
  const values = steps.flatMap((signals) => read(signals) ?? []);
  return values.length === 0 ? null : mean(values);
}
