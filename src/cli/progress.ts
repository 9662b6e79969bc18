import type { Evaluation } from "../evaluate.ts";
import type { StepMetrics } from "../run/index.ts";
import type { TrainObserver } from "../train.ts";
import { countdown, counted, percent } from "./format.ts";
import { warn } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";

/** Without a live terminal, steps are reported at most this often, in seconds. */
const PLAIN_INTERVAL = 10;
/** At most four characters below a million: `950`, `8.2K`, `123K`. */
const COMPACT = new Intl.NumberFormat("en", { notation: "compact" });

export interface Progress {
  readonly observer: TrainObserver;
  /** Removes the status line and stops redrawing it. */
  readonly close: () => void;
}

/**
 * Shows a run of `steps` steps: evaluations and warnings as lines, the newest step as a status line whose
 * time left ticks between steps (or, without a live terminal, as a line now and then). `clock` in seconds.
 */
export function createProgress(steps: number, terminal: Terminal, clock: () => number): Progress {
  let pace: Pace | null = null;
  let newest: { metrics: StepMetrics; at: number; left: number } | null = null;
  let reportedAt = -Infinity;
  const redraw = (): void => {
    if (newest !== null) terminal.status(progressLine(newest.metrics, steps, newest.left - (clock() - newest.at)));
  };
  const ticking = terminal.live ? setInterval(redraw, 1000).unref() : undefined;
  const stepped = (metrics: StepMetrics): void => {
    const at = clock();
    pace ??= { firstStep: metrics.step, startedAt: at - metrics.timing.seconds };
    newest = { metrics, at, left: secondsLeft(pace, metrics.step, steps, at) };
    redraw();
    if (terminal.live || (at - reportedAt < PLAIN_INTERVAL && metrics.step < steps)) return;
    reportedAt = at;
    terminal.line(progressLine(metrics, steps, newest.left));
  };
  return {
    observer: {
      resumed: (step) => terminal.line(`resumed after step ${step}`),
      evaluated: (step, evaluation) => terminal.line(terminal.colors.bold(evaluationLine(step, steps, evaluation))),
      stepped: (_report, metrics) => stepped(metrics),
      warned: (message) => warn(terminal, message),
    },
    close: () => {
      clearInterval(ticking);
      terminal.status("");
    },
  };
}

/** Where the pace is measured from: the first step that this process took, and when it began. */
interface Pace {
  readonly firstStep: number;
  readonly startedAt: number;
}

/** Seconds that the rest takes at the pace so far, evaluations and checkpoints included. */
export function secondsLeft({ firstStep, startedAt }: Pace, step: number, steps: number, now: number): number {
  return ((now - startedAt) / (step - firstStep + 1)) * (steps - step);
}

/**
 * `step 12/80  1:36 left  pseudo-reward 0.61  majority 63 %  KL 0.041  8.2K tok/s`: the time first, and all of
 * it within 79 characters for runs of up to 99 steps and 10 minutes, so that nothing is cut off in 80 columns.
 */
export function progressLine(metrics: StepMetrics, steps: number, left: number): string {
  const { step, pseudoReward, majorityShareOfAll, kl, timing } = metrics;
  return [
    stepOf(step, steps),
    `${countdown(left)} left`,
    `pseudo-reward ${pseudoReward === null ? "none" : pseudoReward.toFixed(2)}`,
    `majority ${Math.round(100 * majorityShareOfAll)} %`,
    `KL ${signed(kl)}`,
    `${COMPACT.format(timing.tokensPerSecond)} tok/s`,
  ].join("  ");
}

/** `step 10/80  pass@1 52.1 % ± 2.3  maj@16 71.9 % ± 4.0  128 held-out questions`. */
export function evaluationLine(step: number, steps: number, evaluation: Evaluation): string {
  const { passAt1, standardError, majAtK, majStandardError, k, problems } = evaluation;
  return [
    stepOf(step, steps),
    `pass@1 ${withError(passAt1, standardError)}`,
    `maj@${k} ${withError(majAtK, majStandardError)}`,
    counted(problems, "held-out question"),
  ].join("  ");
}

/** A share and its standard error as percentages: `52.1 % ± 2.3`. */
export function withError(share: number, standardError: number): string {
  return `${percent(share)} ± ${(100 * standardError).toFixed(1)}`;
}

/** Three decimals; what rounds to zero has no sign. */
function signed(value: number): string {
  return (Math.round(value * 1000) / 1000 + 0).toFixed(3);
}

function stepOf(step: number, steps: number): string {
  return `step ${String(step).padStart(String(steps).length)}/${steps}`;
}
