import { meanBand, pairedDifference } from "../report/index.ts";
import type { Difference, Point, Series } from "../report/index.ts";
import { createRandom, deriveSeed } from "../util/random.ts";
import { curve, ratesAt } from "./results.ts";
import type { Chosen, Measure, RunResult } from "./results.ts";

const RESAMPLES = 2000;

/** Held-out accuracy of an arm: the mean over seeds with its standard error as a band. */
export function accuracySeries(name: string, runs: readonly RunResult[], chosen: Chosen, { measure = "pass@1", ...style }: { readonly measure?: Measure } & Partial<Pick<Series, "color" | "dashed">> = {}): Series {
  return { name, ...style, points: meanBand(runs.map((run) => curve(run, chosen, measure))) };
}

/** The mean curve over seeds. */
export function meanCurve(runs: readonly RunResult[], chosen: Chosen, measure: Measure = "pass@1"): readonly Point[] {
  return meanBand(runs.map((run) => curve(run, chosen, measure)));
}

/** The last evaluated step of a run. */
export const lastStep = ({ answers }: RunResult): number => Math.max(...answers.keys());

/** The mean curve over seeds of the chosen problems: at the start, where it is highest, and at the end. */
export function levels(runs: readonly RunResult[], chosen: Chosen): { readonly start: number; readonly best: number; readonly last: number } {
  const points = meanCurve(runs, chosen);
  return { start: points[0]!.y, best: peakOf(points).y, last: points.at(-1)!.y };
}

/** Difference of two arms on the same problems, each at a step of its own: the last one where none is named. */
export function difference(first: readonly RunResult[], second: readonly RunResult[], chosen: Chosen, { steps, measure = "pass@1" }: { readonly steps?: readonly [first: number, second: number]; readonly measure?: Measure } = {}): Difference {
  const rates = (runs: readonly RunResult[], step: number | undefined) => runs.map((run) => ratesAt(run, step ?? lastStep(run), chosen, measure));
  return bootstrapped(rates(first, steps?.[0]), rates(second, steps?.[1]));
}

/** Paired difference with its 95 % interval; the draws are the same in every reading of the same results. */
export function bootstrapped(first: Parameters<typeof pairedDifference>[0], second: Parameters<typeof pairedDifference>[1]): Difference {
  return pairedDifference(first, second, { random: createRandom(deriveSeed(0, "bootstrap")), resamples: RESAMPLES });
}

/** First step from which the mean curve stays this far below the best before it; `null` for one that keeps what it has. */
export function lostAt(points: readonly Point[], by = 0.05): number | null {
  let best = 0;
  for (const [index, { x, y }] of points.entries()) {
    best = Math.max(best, y);
    if (points.slice(index).every((later) => later.y < best - by)) return x;
  }
  return null;
}

/** The step at which a curve is highest, the earliest of equals. */
export function peakOf(points: readonly Point[]): Point {
  return points.reduce((best, point) => (point.y > best.y ? point : best));
}

/** `+0.12 [0.08, 0.15]`. */
export function describeDifference({ difference: value, low, high }: Difference): string {
  const signed = (number: number): string => `${number < 0 ? "-" : "+"}${Math.abs(number).toFixed(3).replace(/^0/, "")}`;
  return `${signed(value)} [${signed(low)}, ${signed(high)}]`;
}

/** `.123`, or `1.000`. */
export function share(value: number): string {
  return value.toFixed(3).replace(/^0\./, ".");
}
