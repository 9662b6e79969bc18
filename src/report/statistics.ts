import type { Random } from "../util/random.ts";
import { mean, standardError } from "../util/statistics.ts";
import type { Point } from "./chart.ts";

/**
 * The mean of several curves at every x that one of them has, with one standard error of the mean on either side: a
 * point for each x, by ascending x. A curve that lacks an x is left out there; where only one curve has it, `low` and
 * `high` are its value.
 */
export function meanBand(curves: readonly (readonly Pick<Point, "x" | "y">[])[]): readonly Required<Point>[] {
  const values = new Map<number, number[]>();
  for (const { x, y } of curves.flat()) values.set(x, [...(values.get(x) ?? []), y]);
  return [...values.entries()]
    .sort(([first], [second]) => first - second)
    .map(([x, each]) => {
      const y = mean(each);
      const error = standardError(each);
      return { x, y, low: y - error, high: y + error };
    });
}

/** How often a problem was answered rightly, from 0 to 1. */
export interface ProblemRate {
  readonly id: string;
  readonly rate: number;
}

/** What one side of a comparison came to, `[seed][problem]`. */
export type Arm = readonly (readonly ProblemRate[])[];

/** How much greater the first mean is than the second, with a 95 % interval. */
export interface Difference {
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  readonly random: Random;
  readonly resamples: number;
}

/**
 * The mean difference of two arms, first minus second, that ran with the same seeds on the same problems, and its
 * 95 % percentile interval from a two-level bootstrap: each resample draws seeds, then problems, both with
 * replacement, and a drawn problem keeps its pair of rates (Davison & Hinkley 1997, section 3.8). Where
 * all seeds have the same problems a resample draws them once for all its seeds, since what is hard for one seed is
 * hard for the others; else it draws anew for each. With few seeds the interval is rather too narrow: a bootstrap of n
 * seeds underestimates their variance by a factor of (n - 1) / n. Throws when seeds or problems of the arms differ.
 */
export function pairedDifference(first: Arm, second: Arm, { random, resamples }: BootstrapOptions): Difference {
  const gains = pairedGains(first, second);
  const shared = first.every((rates) => sameProblems(rates, first[0]!));
  const means = Array.from({ length: resamples }, () => resampledMean(gains, shared, random)).sort((low, high) => low - high);
  return { difference: mean(gains.map(mean)), low: quantile(means, 0.025), high: quantile(means, 0.975) };
}

/** First minus second, `[seed][problem]`, problems by their ids. */
function pairedGains(first: Arm, second: Arm): readonly (readonly number[])[] {
  if (first.length !== second.length || first.length === 0) throw new RangeError(`the arms have ${first.length} and ${second.length} seeds; a pair needs the same seeds`);
  return first.map((rates, seed) => {
    const others = second[seed]!;
    if (rates.length === 0 || !sameProblems(rates, others)) throw new RangeError(`seed ${seed}: the arms have not the same problems`);
    const rateOf = new Map(others.map(({ id, rate }) => [id, rate]));
    return byId(rates).map(({ id, rate }) => rate - rateOf.get(id)!);
  });
}

const byId = (rates: readonly ProblemRate[]): readonly ProblemRate[] => [...rates].sort((first, second) => (first.id < second.id ? -1 : 1));

/** Whether both hold each of the same ids once. */
function sameProblems(first: readonly ProblemRate[], second: readonly ProblemRate[]): boolean {
  const ids = new Set(first.map(({ id }) => id));
  return ids.size === first.length && first.length === second.length && new Set(second.map(({ id }) => id)).size === ids.size && second.every(({ id }) => ids.has(id));
}

function resampledMean(gains: readonly (readonly number[])[], shared: boolean, random: Random): number {
  const draw = (count: number): readonly number[] => Array.from({ length: count }, () => random.integer(count));
  const common = shared ? draw(gains[0]!.length) : null;
  return mean(draw(gains.length).map((seed) => mean((common ?? draw(gains[seed]!.length)).map((problem) => gains[seed]![problem]!))));
}

/** The quantile of ascending values, with linear interpolation between neighbours (Hyndman & Fan 1996, type 7). */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)]!;
  return below + (place - Math.floor(place)) * (sorted[Math.ceil(place)]! - below);
}
