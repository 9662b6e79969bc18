import { expect, it } from "vitest";
import { fakeGrader } from "../../test/fake-policy.ts";
import { adaptedAnswers, summarizeAdaptation } from "../voting/index.ts";
import { adaptationLines } from "./adaptation-report.ts";

const questions = [
  { id: "a", prompt: "1+1=", source: "test", answer: "2" },
  { id: "b", prompt: "What is the largest of them?", source: "test" },
];

it("shows questions, figures before and after, and voting without training, within 80 columns", () => {
  const before = [{ id: "a", answers: ["3", "2", "3", "2", "2"] }, { id: "b", answers: [null, null, null, "7", "7"] }];
  const after = [{ id: "a", answers: ["2", "2", "2", "2"] }, { id: "b", answers: [null, null, null, null] }];
  const answers = adaptedAnswers(questions, { before, after, k: 4, votes: 5 }, fakeGrader);
  expect(adaptationLines(answers, summarizeAdaptation(answers, fakeGrader.same), { steps: 8, seconds: 70, taken: 40 })).toEqual([
    "",
    "question              majority before  after",
    "1+1=                  3 (50 %) wrong   2 (100 %) right",
    "What is the largest…  7 (25 %)         none (0 %)",
    "",
    "8 steps in 1 min 10 s; 2 of 2 questions with another majority than before",
    "pass@1 and right majorities are of the 1 question with a known answer",
    "                      before  after    voting only",
    "samples per question  4       4        5",
    "mean majority share   37.5 %  50.0 %   50.0 %",
    "pass@1                50.0 %  100.0 %  60.0 %",
    "majority right        0.0 %   100.0 %  100.0 %",
    "voting only: the model as it was, with 5 of the 40 samples that training took",
    "(--max-votes)",
  ]);
});

it("leaves out what needs answers where none is known", () => {
  const votes = [{ id: "b", answers: ["7", "7"] }];
  const answers = adaptedAnswers(questions.slice(1), { before: votes, after: votes, k: 2, votes: 2 }, fakeGrader);
  const lines = adaptationLines(answers, summarizeAdaptation(answers, fakeGrader.same), { steps: 1, seconds: 1, taken: 2 });
  expect(lines.join("\n")).not.toMatch(/pass@1|right|--max-votes/);
});
