import { describe, expect, it } from "vitest";
import { canonicalUnit, isQualifier, isUnitWord, multiplierOf } from "./units.ts";

describe("units", () => {
  it.each([
    ["cm", "centimeter"], ["square centimeters", "centimeter^2"], ["cm^2", "centimeter^2"], ["cm²", "centimeter^2"], ["miles per hour", "mile/hour"],
    ["mph", "mile/hour"], ["km/h", "kilometer/hour"], ["m/s^2", "meter/second^2"], ["Apples", "apple"], ["cubic feet", "foot^3"],
  ])("%s is %s", (written, unit) => {
    expect(canonicalUnit(written)).toBe(unit);
  });

  it("are whole words of more than one letter", () => {
    expect(["cm", "dollars", "square", "m", "t", "in", "x"].filter(isUnitWord)).toEqual(["cm", "dollars", "square"]);
  });

  it("are apart from words that multiply or qualify", () => {
    expect(multiplierOf("million dollars")).toEqual({ factor: 1_000_000n, rest: "dollars" });
    expect(multiplierOf("dollars")).toBeNull();
    expect(["at least", "or more", "no", "meters", "nobody"].map(isQualifier)).toEqual([true, true, true, false, false]);
  });
});
