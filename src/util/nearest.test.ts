import { describe, expect, it } from "vitest";
import { editDistance, nearest } from "./nearest.ts";

describe("editDistance", () => {
  // Distances by hand; kitten -> sitting and ca -> abc are the textbook cases (Damerau's restricted form: 3).
  it.each([
    ["kitten", "sitting", 3],
    ["", "abc", 3],
    ["abc", "", 3],
    ["same", "same", 0],
    ["steps", "stpes", 1],
    ["ca", "abc", 3],
  ])("of %j and %j is %i", (left, right, distance) => {
    expect(editDistance(left, right)).toBe(distance);
    expect(editDistance(right, left)).toBe(distance);
  });
});

describe("nearest", () => {
  const names = ["learning-rate", "steps", "seed", "engine.threads"];
  it.each([
    ["learning-rat", "learning-rate"],
    ["learningRate", "learning-rate"],
    ["stpes", "steps"],
    ["engine.thread", "engine.threads"],
  ])("takes %j for %j", (word, meant) => expect(nearest(word, names)).toBe(meant));

  it("suggests nothing for a word unlike any", () => {
    expect(nearest("batch", names)).toBeUndefined();
    expect(nearest("x", [])).toBeUndefined();
  });
});
