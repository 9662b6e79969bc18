import { describe, expect, it } from "vitest";
import { addRational, compareRational, divideRational, floorRational, multiplyRational, parseDecimal, powerRational, rational } from "./rational.ts";
import type { Rational } from "./rational.ts";

const fraction = (top: number, bottom = 1): Rational => rational(BigInt(top), BigInt(bottom))!;

describe("fractions", () => {
  it("are in lowest terms with a positive denominator", () => {
    expect(rational(6n, -4n)).toEqual({ top: -3n, bottom: 2n });
    expect(rational(1n, 0n)).toBeNull();
  });

  it("add, multiply and divide exactly", () => {
    expect(addRational(fraction(1, 3), fraction(1, 6))).toEqual(fraction(1, 2));
    expect(multiplyRational(fraction(2, 3), fraction(9, 4))).toEqual(fraction(3, 2));
    expect(divideRational(fraction(1, 2), fraction(-3, 4))).toEqual(fraction(-2, 3));
    expect(divideRational(fraction(1), fraction(0))).toBeNull();
  });

  it("compare without rounding", () => {
    const [left, right] = [{ top: 10n ** 40n, bottom: 3n }, { top: 10n ** 40n + 1n, bottom: 3n }];
    expect(compareRational(left, right)).toBe(-1);
  });

  it("round down towards minus infinity", () => {
    expect([7, -7, 8, -8].map((top) => floorRational({ top: BigInt(top), bottom: 4n }))).toEqual([1n, -2n, 2n, -2n]);
  });

  it("have exact powers and exact roots only", () => {
    expect(powerRational(fraction(2, 3), fraction(-3))).toEqual(fraction(27, 8));
    expect(powerRational(fraction(9, 16), fraction(1, 2))).toEqual(fraction(3, 4));
    expect(powerRational(fraction(-8), fraction(2, 3))).toEqual(fraction(4));
    expect(powerRational(fraction(2), fraction(1, 2))).toBeNull();
    expect(powerRational(fraction(-4), fraction(1, 2))).toBeNull();
    expect(powerRational(fraction(0), fraction(0))).toBeNull();
  });

  it("are unknown when they are too large to hold", () => {
    expect(powerRational(fraction(9), fraction(387_420_489))).toBeNull();
    expect(powerRational(fraction(1), fraction(387_420_489))).toEqual(fraction(1));
    expect(parseDecimal("9".repeat(5000))).toBeNull();
  });

  it("are read from decimals", () => {
    expect([".5", "12.50", "007", "3."].map(parseDecimal)).toEqual([fraction(1, 2), fraction(25, 2), fraction(7), fraction(3)]);
  });
});
