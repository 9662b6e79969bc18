import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { problemsOfStagedStep, problemsOfStep } from "./order.ts";

const items = Array.from({ length: 11 }, (_, index) => index);
const epochOf = (first: number, seed = 0) => [first, first + 1, first + 2].flatMap((step) => problemsOfStep(items, step, 3, seed));

describe("problemsOfStep", () => {
  it("gives each item at most once in an epoch, and the rest of an uneven one to none", () => {
    expect(new Set(epochOf(1)).size).toBe(9);
    expect(new Set(epochOf(4)).size).toBe(9);
  });

  it("takes another order in the next epoch and for another seed", () => {
    expect(epochOf(4)).not.toEqual(epochOf(1));
    expect(epochOf(1, 1)).not.toEqual(epochOf(1));
  });

  it("depends on nothing but its arguments", () => {
    expect(problemsOfStep(items, 5, 3, 7)).toEqual(problemsOfStep(items, 5, 3, 7));
  });

  it("shows every item about equally often over many epochs", () => {
    const counts = items.map(() => 0);
    for (let step = 1; step <= 3 * 400; step++) for (const item of problemsOfStep(items, step, 3, 0)) counts[item]!++;
    // Each of 400 epochs takes 9 of 11 items: mean 327, standard deviation 7.7.
    for (const count of counts) expect(Math.abs(count - 400 * (9 / 11))).toBeLessThan(4.5 * 7.7);
  });

  it("covers a divisible list exactly", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.integer(), (perStep, steps, seed) => {
        const list = Array.from({ length: perStep * steps }, (_, index) => index);
        const seen = Array.from({ length: steps }, (_, index) => problemsOfStep(list, index + 1, perStep, seed)).flat();
        expect([...seen].sort((a, b) => a - b)).toEqual(list);
      }),
    );
  });

  it("refuses a step larger than the list", () => {
    expect(() => problemsOfStep(items, 1, 12, 0)).toThrow("a step takes 12 problems, but there are only 11");
  });
});

describe("problemsOfStagedStep", () => {
  // Items 0 to 5 for four steps, then 6 to 10.
  const stages = [{ problems: 6, steps: 4 }, { problems: 5, steps: Infinity }];
  const staged = (step: number, seed = 0) => problemsOfStagedStep(items, stages, step, 2, seed);

  it("takes a stage's problems for its steps, then the next one's to the end", () => {
    for (const step of [1, 2, 3, 4]) expect(Math.max(...staged(step))).toBeLessThanOrEqual(5);
    for (const step of [5, 6, 7, 100]) expect(Math.min(...staged(step))).toBeGreaterThanOrEqual(6);
  });

  it("begins a stage with an epoch of its own", () => {
    expect([1, 2, 3].flatMap((step) => staged(step)).sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(new Set([5, 6].flatMap((step) => staged(step))).size).toBe(4);
  });

  it("gives stages with the same questions different orders", () => {
    const twice = Array.from({ length: 20 }, (_, index) => index % 10);
    const order = (step: number) => problemsOfStagedStep(twice, [{ problems: 10, steps: 1 }, { problems: 10, steps: 1 }], step, 10, 0);
    expect(order(1)).not.toEqual(order(2));
    expect([...order(1)].sort()).toEqual([...order(2)].sort());
  });

  it("of a single stage takes what a run without stages takes", () => {
    for (const step of [1, 2, 7, 30]) {
      expect(problemsOfStagedStep(items, [{ problems: 11, steps: Infinity }], step, 3, 5)).toEqual(problemsOfStep(items, step, 3, 5));
    }
  });

  it("refuses a step after the last stage", () => {
    expect(() => problemsOfStagedStep(items, [{ problems: 11, steps: 4 }], 5, 2, 0)).toThrow("step 5 is after the last of the stages, which take 4 steps");
  });
});
