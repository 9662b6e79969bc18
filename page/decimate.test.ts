import { describe, expect, it } from "vitest";
import { columnStarts, columnSteps, decimate, movingMean } from "./decimate.ts";

describe("pixel columns", () => {
  it("begin at every step where there are as many pixels", () => {
    expect(columnStarts(3, 7, 5, false)).toEqual([3, 4, 5, 6, 7]);
    expect(columnSteps([3, 4, 5, 6, 7], 7)).toEqual([3, 4, 5, 6, 7]);
  });

  it("hold equal shares of the steps, and stand for their first and middle step", () => {
    // 12 steps on 4 pixels, 3 steps each; the last step begins one of its own.
    const starts = columnStarts(1, 12, 4, false);
    expect(starts).toEqual([1, 4, 7, 10, 12]);
    // Of three steps the first and the second; of 10 and 11 both; 12 alone.
    expect(columnSteps(starts, 12)).toEqual([1, 2, 4, 5, 7, 8, 10, 11, 12]);
  });

  it("grow by a factor on a logarithmic axis", () => {
    // 1000 ** (k / 3) is 1, 10, 100.
    expect(columnStarts(1, 1000, 3, true)).toEqual([1, 10, 100, 1000]);
  });
});

describe("the points of a column", () => {
  it("are its least and greatest value in the order in which they come, so that no peak is lost", () => {
    const values = Float32Array.from([5, 1, 3, 2, 8, 4, 7, 7, 7, 0, 6, 9]);
    // [5 1 3] [2 8 4] [7 7 7] [0 6] [9]
    expect(decimate(values, [1, 4, 7, 10, 12], 12)).toEqual([5, 1, 2, 8, 7, 7, 0, 6, 9]);
  });

  it("leave out steps without a value, and are missing where there is none", () => {
    const values = Float32Array.from([NaN, 1, NaN, NaN, NaN, NaN, 2]);
    expect(decimate(values, [1, 4, 7], 8)).toEqual([1, 1, null, null, 2, 2]);
  });
});

describe("the moving mean", () => {
  it("is that of the last steps that have a value", () => {
    expect([...movingMean(Float32Array.from([NaN, 2, 4, NaN, 6, 10]), 3)]).toEqual([NaN, 2, 3, 3, 5, 8]);
  });

  it("is the value itself over one step", () => {
    expect([...movingMean(Float32Array.from([3, 1, 2]), 1)]).toEqual([3, 1, 2]);
  });
});
