import { describe, expect, it } from "vitest";
import { vote } from "./vote.ts";

/** Answers are the same when their values are: "0.5" and "1/2". */
const byValue = (answers: readonly string[]): number[] => {
  const value = (answer: string): number => answer.split("/").map(Number).reduce((a, b) => a / b);
  const seen = [...new Set(answers.map(value))];
  return answers.map((answer) => seen.indexOf(value(answer)));
};

describe("the vote of a group", () => {
  it("counts equal answers together, however they are written", () => {
    // By exact string, "3" would win with two votes.
    const { majority, classes, shareOfAll } = vote(["0.5", "3", "1/2", "3", "2/4"], byValue);
    expect(majority).toEqual({ answer: "0.5", members: [0, 2, 4] });
    expect(classes.map(({ members }) => members.length)).toEqual([3, 2]);
    expect(shareOfAll).toBe(3 / 5);
  });

  it("stands for a class with its most frequent string", () => {
    expect(vote(["0.5", "1/2", "1/2"], byValue).majority?.answer).toBe("1/2");
  });

  it("leaves abstentions out of the classes and counts both shares", () => {
    const ballot = vote([null, "1", "1", null, "2"], byValue);
    expect(ballot.abstentions).toBe(2);
    expect(ballot.shareOfAnswered).toBe(2 / 3);
    expect(ballot.shareOfAll).toBe(2 / 5);
    expect(ballot.margin).toBe(1 / 5);
  });

  it("never lets abstentions win", () => {
    expect(vote([null, null, null, "4"], byValue).majority).toEqual({ answer: "4", members: [3] });
  });

  it("gives a tie to the class with the earliest sample, and says so", () => {
    const ballot = vote(["7", "8", "8", "7"], byValue);
    expect(ballot.majority?.answer).toBe("7");
    expect(ballot.tied).toBe(true);
    expect(ballot.margin).toBe(0);
    expect(vote(["7", "8", "8"], byValue).tied).toBe(false);
  });

  it("has no majority when every sample abstains", () => {
    const ballot = vote([null, null], byValue);
    expect(ballot.majority).toBeNull();
    expect(ballot).toMatchObject({ tied: false, shareOfAnswered: 0, shareOfAll: 0, margin: 0 });
  });
});
