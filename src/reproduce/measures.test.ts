import { describe, expect, it } from "vitest";
import { describeDifference, lostAt, peakOf, share } from "./measures.ts";

const points = (...values: readonly number[]) => values.map((y, index) => ({ x: 10 * index, y }));

describe("what is read off a curve", () => {
  it("lost: the first step from which it stays five points below the best before it", () => {
    expect(lostAt(points(0.5, 0.8, 0.74, 0.3))).toBe(20);
    // Fell, and came back.
    expect(lostAt(points(0.5, 0.8, 0.7, 0.79, 0.76))).toBeNull();
    expect(lostAt(points(0.5, 0.8, 0.7, 0.79, 0.74))).toBe(40);
    expect(lostAt(points(0.5, 0.6, 0.7))).toBeNull();
  });

  it("peak: the earliest of equals", () => {
    expect(peakOf(points(0.5, 0.8, 0.7, 0.8)).x).toBe(10);
  });

  it("is written with its sign and its interval", () => {
    expect(describeDifference({ difference: 0.1234, low: -0.02, high: 0.3 })).toBe("+.123 [-.020, +.300]");
    expect([share(0.5), share(1)]).toEqual([".500", "1.000"]);
  });
});
