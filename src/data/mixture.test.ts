import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { apportion, largestMixture } from "./mixture.ts";

describe("apportion", () => {
  it("gives the whole parts, then the largest remainders, by hand", () => {
    // Exact shares 5.0, 2.5, 2.5: one seat is left, for the earlier of the two halves.
    expect(apportion([2, 1, 1], 10)).toEqual([5, 3, 2]);
    // 14.29, 42.86, 42.86: two are left.
    expect(apportion([1, 3, 3], 100)).toEqual([14, 43, 43]);
    expect(apportion([1], 7)).toEqual([7]);
  });

  it("gives out the total, each source within one of its exact share", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 1, maxLength: 6 }), fc.integer({ min: 0, max: 1000 }), (weights, total) => {
        const counts = apportion(weights, total);
        const all = weights.reduce((left, right) => left + right);
        expect(counts.reduce((left, right) => left + right)).toBe(total);
        counts.forEach((count, index) => expect(Math.abs(count - (total * weights[index]!) / all)).toBeLessThan(1 + 1e-9));
      }),
    );
  });
});

describe("largestMixture", () => {
  it("uses up the source that is scarcest for its weight", () => {
    expect(largestMixture([100, 100], [3, 1])).toEqual([100, 33]);
    expect(largestMixture([100, 10], [3, 1])).toEqual([30, 10]);
    expect(largestMixture([49, 1000], [0.1, 0.3])).toEqual([49, 147]);
  });
});
