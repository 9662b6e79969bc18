import { describe, expect, it } from "vitest";
import type { Grader } from "../types.ts";
import { groundTruthReward, majorityReward } from "./reward.ts";
import { vote } from "./vote.ts";

const same: Grader["same"] = (a, b) => Number(a) === Number(b);
const classes: Grader["classes"] = (answers) => {
  const seen = [...new Set(answers.map(Number))];
  return answers.map((answer) => seen.indexOf(Number(answer)));
};
const problem = { id: "p", prompt: "?", source: "test" };
const answers = ["2", "2.0", null, "3", "1"];
const ballot = vote(answers, classes);

describe("the majority reward", () => {
  it("pays exactly the samples of the majority's class", () => {
    const reward = majorityReward({ threshold: 0, share: "all" })(problem, answers, ballot);
    expect(reward).toEqual({ label: "2", rewards_G: [1, 1, 0, 0, 0] });
  });

  it("gives no label below the threshold, by either share", () => {
    // 2 of 5 samples, 2 of 4 answers
    const labelled = (share: "answered" | "all") => majorityReward({ threshold: 0.45, share })(problem, answers, ballot).label;
    expect(labelled("all")).toBeNull();
    expect(labelled("answered")).toBe("2");
  });

  it("gives no label when every sample abstains, even without a threshold", () => {
    const silent = [null, null];
    const reward = majorityReward({ threshold: 0, share: "all" })(problem, silent, vote(silent, classes));
    expect(reward).toEqual({ label: null, rewards_G: [0, 0] });
  });
});

describe("the ground-truth reward", () => {
  it("pays the samples that equal the true answer, whoever is in the majority", () => {
    const reward = groundTruthReward(new Map([["p", "3.0"]]), same)(problem, answers, ballot);
    expect(reward).toEqual({ label: "3.0", rewards_G: [0, 0, 0, 1, 0] });
  });

  it("pays nobody for a problem without a label", () => {
    expect(groundTruthReward(new Map(), same)(problem, answers, ballot)).toEqual({ label: null, rewards_G: [0, 0, 0, 0, 0] });
  });
});
