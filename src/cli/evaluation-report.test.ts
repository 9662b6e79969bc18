import { expect, it } from "vitest";
import { summarize } from "../evaluate.ts";
import type { ProblemResult } from "../evaluate.ts";
import { evaluationGroups, evaluationLines } from "./evaluation-report.ts";

/** A result with 2 samples of 5 tokens, of which some are right. */
function result(correct: readonly boolean[], majorityCorrect: boolean, groups: { subject?: string; level?: string }): ProblemResult {
  return {
    problem: { id: "", prompt: "", source: "", answer: "1", ...groups },
    passRate: correct.filter(Boolean).length / correct.length,
    majorityCorrect,
    vote: { classes: [], samples: 2, abstentions: 1, majority: null, tied: false, shareOfAnswered: 0, shareOfAll: 0, margin: 0 },
    samples: correct.map((each) => ({ text: "", tokens: 5, answer: "1", correct: each })),
  };
}

it("gives figures for each subject and level, and pass@k for growing k", () => {
  const evaluation = summarize([
    result([true, true], true, { subject: "Algebra", level: "10" }),
    result([true, false], false, { subject: "Algebra", level: "2" }),
    result([false, false], false, { subject: "Geometry" }),
  ]);
  const groups = evaluationGroups(evaluation);
  expect(groups.map(({ by, name, problems, passAt1, majAtK, passAtK }) => [by, name, problems, passAt1, majAtK, passAtK])).toEqual([
    ["subject", "Algebra", 2, 0.75, 0.5, 1],
    ["subject", "Geometry", 1, 0, 0, 0],
    ["level", "2", 1, 0.5, 0, 1],
    ["level", "10", 1, 1, 1, 1],
  ]);
  // Standard error of 1, 1/2, 0 is 1/2 / sqrt(3); of 1, 1/2 it is 1/4.
  expect(evaluationLines(evaluation, groups)).toEqual([
    "          problems  pass@1, error  maj@2    pass@2",
    "all       3         50.0 % ± 28.9  33.3 %   66.7 %",
    "Algebra   2         75.0 % ± 25.0  50.0 %   100.0 %",
    "Geometry  1         0.0 % ± 0.0    0.0 %    0.0 %",
    "level 2   1         50.0 % ± 0.0   0.0 %    100.0 %",
    "level 10  1         100.0 % ± 0.0  100.0 %  100.0 %",
    "",
    "pass@k: k 1 50.0 %, k 2 66.7 %",
    "abstention rate 50.0 %, mean length 5.0 tokens",
  ]);
});
