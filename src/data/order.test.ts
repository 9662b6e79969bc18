import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { problemsOfStep } from "./order.ts";

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
