import { describe, expect, it } from "vitest";
import { createRandom } from "../util/random.ts";
import { meanBand, pairedDifference } from "./statistics.ts";
import type { Arm } from "./statistics.ts";

describe("meanBand", () => {
  it("is the mean and one standard error on either side", () => {
    // 1, 2, 6: mean 3, deviations -2, -1, 3, variance 14 / 2 = 7, standard error sqrt(7 / 3).
    const band = meanBand([1, 2, 6].map((y) => [{ x: 10, y }]));
    expect(band).toEqual([{ x: 10, y: 3, low: 3 - Math.sqrt(7 / 3), high: 3 + Math.sqrt(7 / 3) }]);
  });

  it("takes at each x the curves that have it", () => {
    const long = [{ x: 0, y: 0.5 }, { x: 10, y: 0.7 }];
    const short = [{ x: 0, y: 0.3 }];
    const [start, end] = meanBand([short, long]);
    expect(start).toMatchObject({ x: 0, y: 0.4 });
    expect(end).toEqual({ x: 10, y: 0.7, low: 0.7, high: 0.7 });
    expect(meanBand([])).toEqual([]);
  });
});

/** An arm of rates, `[seed][problem]`; the ids are `id(seed, problem)`. */
const arm = (rates: readonly (readonly number[])[], id = (_seed: number, problem: number) => `p${problem}`): Arm =>
  rates.map((each, seed) => each.map((rate, problem) => ({ id: id(seed, problem), rate })));
const zeros = (rates: readonly (readonly number[])[]): readonly (readonly number[])[] => rates.map((each) => each.map(() => 0));
const options = { random: createRandom(3), resamples: 20_000 };
const mean = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0) / values.length;
const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);
/** Every list of `length` out of `count` numbers. */
const draws = (count: number, length = count): readonly (readonly number[])[] => (length === 0 ? [[]] : draws(count, length - 1).flatMap((head) => range(count).map((next) => [...head, next])));

/** The ends of the middle 95 % of equally likely values. */
function middle(values: readonly number[]): { readonly low: number; readonly high: number } {
  const sorted = [...values].sort((first, second) => first - second);
  return { low: sorted[Math.floor(0.025 * sorted.length)]!, high: sorted[Math.floor(0.975 * sorted.length)]! };
}

describe("pairedDifference", () => {
  const gains = [[0.1, 0.42, -0.2], [0.31, 0.5, 0.03], [-0.07, 0.23, 0.11]];

  it("is the mean over seeds and problems, with the interval of all resamples that share their problems", () => {
    const all = draws(3).flatMap((seeds) => draws(3).map((problems) => mean(seeds.map((seed) => mean(problems.map((problem) => gains[seed]![problem]!))))));
    expect(all).toHaveLength(729);
    const { difference, low, high } = pairedDifference(arm(gains), arm(zeros(gains)), options);
    expect(difference).toBeCloseTo(mean(gains.flat()), 12);
    expect(low).toBeCloseTo(middle(all).low, 2);
    expect(high).toBeCloseTo(middle(all).high, 2);
  });

  it("draws problems anew for each seed where seeds have problems of their own", () => {
    const own = [[0, 0.37], [0.11, 1]];
    const id = (seed: number, problem: number): string => `s${seed}p${problem}`;
    const all = draws(2).flatMap((seeds) => draws(2).flatMap((first) => draws(2).map((second) => mean([first, second].map((problems, index) => mean(problems.map((problem) => own[seeds[index]!]![problem]!)))))));
    const { low, high } = pairedDifference(arm(own, id), arm(zeros(own), id), options);
    expect(low).toBeCloseTo(middle(all).low, 2);
    expect(high).toBeCloseTo(middle(all).high, 2);
    // With shared problems the lowest of all resamples, 0, is one in 16, so that the interval begins there.
    expect(low).toBeGreaterThan(0);
    expect(pairedDifference(arm(own), arm(zeros(own)), options).low).toBe(0);
  });

  it("comes to the normal interval on many problems of one seed", () => {
    const random = createRandom(5);
    const second = [range(2000).map(() => random.uniform())];
    const gain = range(2000).map(() => 0.1 + 0.3 * random.normal());
    const first = [second[0]!.map((rate, problem) => rate + gain[problem]!)];
    const deviation = Math.sqrt(gain.reduce((total, value) => total + (value - mean(gain)) ** 2, 0) / 1999);
    const { low, high } = pairedDifference(arm(first), arm(second), { ...options, resamples: 4000 });
    expect(low).toBeCloseTo(mean(gain) - (1.96 * deviation) / Math.sqrt(2000), 2.7);
    expect(high).toBeCloseTo(mean(gain) + (1.96 * deviation) / Math.sqrt(2000), 2.7);
  });

  it("counts the variance of seeds and that of problems", () => {
    // Standard deviations 0.2 among 60 seeds and 0.3 among 80 problems: the mean has variance 0.04 / 60 + 0.09 / 80.
    const random = createRandom(7);
    const spread = (count: number, deviation: number): readonly number[] => {
      const values = range(count).map(() => random.normal());
      const scale = deviation / Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));
      return values.map((value) => scale * (value - mean(values)));
    };
    const problems = spread(80, 0.3);
    const rates = spread(60, 0.2).map((seed) => problems.map((problem) => 0.25 + seed + problem));
    const { difference, low, high } = pairedDifference(arm(rates), arm(zeros(rates)), { ...options, resamples: 4000 });
    const half = 1.96 * Math.sqrt(0.04 / 60 + 0.09 / 80);
    expect(difference).toBeCloseTo(0.25, 10);
    expect((high - low) / (2 * half)).toBeGreaterThan(0.95);
    expect((high - low) / (2 * half)).toBeLessThan(1.05);
  });

  it("compares each problem with itself, whatever their order", () => {
    const hard = [0, 0.1, 0.5, 0.75];
    const first: Arm = [hard.map((rate, problem) => ({ id: `p${problem}`, rate: rate + 0.25 }))];
    const second: Arm = [hard.map((rate, problem) => ({ id: `p${problem}`, rate })).reverse()];
    const { difference, low, high } = pairedDifference(first, second, { ...options, resamples: 100 });
    for (const value of [difference, low, high]) expect(value).toBeCloseTo(0.25, 12);
  });

  it("is the same with the same seed", () => {
    const run = () => pairedDifference(arm(gains), arm(zeros(gains)), { random: createRandom(11), resamples: 50 });
    expect(run()).toEqual(run());
  });

  it.each([
    ["other seeds", arm([[1], [1]]), arm([[1]]), "2 and 1 seeds"],
    ["no seed", [], [], "0 and 0 seeds"],
    ["other problems", arm([[1, 1]]), arm([[1, 1]], (_, problem) => `q${problem}`), "seed 0: the arms have not the same problems"],
    ["a problem less", arm([[1], [1, 1]]), arm([[1], [1]]), "seed 1: the arms have not the same problems"],
    ["a problem twice", arm([[1, 1]], () => "p"), arm([[1, 1]], () => "p"), "seed 0: the arms have not the same problems"],
  ])("refuses %s", (_, first, second, message) => {
    expect(() => pairedDifference(first, second, options)).toThrow(message);
  });
});
