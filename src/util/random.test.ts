import { describe, expect, it } from "vitest";
import { createRandom, deriveSeed, shuffled } from "./random.ts";
import { mean, standardDeviation, standardError } from "./statistics.ts";

describe("a seeded generator", () => {
  it("repeats itself for a seed and differs for another", () => {
    const draw = (seed: number) => Array.from({ length: 5 }, createRandom(seed).uniform);
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
  });

  it("has the moments of the uniform and the normal distribution", () => {
    const random = createRandom(1);
    const uniform = Array.from({ length: 50_000 }, random.uniform);
    const normal = Array.from({ length: 50_000 }, random.normal);
    expect(mean(uniform)).toBeCloseTo(0.5, 1.7);
    expect(standardDeviation(uniform)).toBeCloseTo(Math.sqrt(1 / 12), 2);
    expect(Math.abs(mean(normal))).toBeLessThan(0.02);
    expect(standardDeviation(normal)).toBeCloseTo(1, 1.7);
  });

  it("shuffles every order about as often", () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 6000; seed++) {
      const order = shuffled(["a", "b", "c"], createRandom(deriveSeed(1, seed))).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(1000));
  });

  it("derives seeds that differ by every label and by where labels begin", () => {
    const seeds = [deriveSeed(1, "a", 1), deriveSeed(1, "a", 2), deriveSeed(2, "a", 1), deriveSeed(1, "b", 1), deriveSeed(1, "a1"), deriveSeed(11, "a")];
    expect(new Set(seeds).size).toBe(seeds.length);
    expect(deriveSeed(1, "a", 1)).toBe(deriveSeed(1, "a", 1));
  });
});

it("statistics of a short list, by hand", () => {
  expect(mean([1, 2, 6])).toBe(3);
  expect(standardDeviation([1, 2, 6])).toBeCloseTo(Math.sqrt((4 + 1 + 9) / 2), 10);
  expect(standardError([1, 2, 6])).toBeCloseTo(Math.sqrt(7) / Math.sqrt(3), 10);
  expect([mean([]), standardError([5])]).toEqual([0, 0]);
});
