import { expect, it } from "vitest";
import type { Evaluation } from "../evaluate.ts";
import { vote } from "../srt/vote.ts";
import { answerClasses } from "../grading/index.ts";
import { comparison, examples } from "./summary.ts";

const evaluationOf = (...answers: readonly (readonly (string | null)[])[]) =>
  ({
    results: answers.map((answers_G, index) => ({
      problem: { id: String(index), prompt: `question ${index}`, answer: "6", source: "" },
      vote: vote(answers_G, answerClasses),
      majorityCorrect: vote(answers_G, answerClasses).majority?.answer === "6",
    })),
  }) as unknown as Evaluation;

it("compares before and after", () => {
  const before = { passAt1: 0.471, standardError: 0.018, majAtK: 0.703, majStandardError: 0.04, k: 16 };
  const after = { passAt1: 0.914, standardError: 0.011, majAtK: 0.953, majStandardError: 0.019, k: 16 };
  expect(comparison({ steps: 80, seconds: 125, before, after, interrupted: false })).toEqual([
    "",
    "80 steps in 2 min 05 s; held-out questions, standard error:",
    "        before        after",
    "pass@1  47.1 % ± 1.8  91.4 % ± 1.1",
    "maj@16  70.3 % ± 4.0  95.3 % ± 1.9",
  ]);
});

it("says so when nothing was evaluated", () => {
  expect(comparison({ steps: 80, seconds: 125, before: null, after: null, interrupted: false })).toEqual(["", "80 steps in 2 min 05 s; there are no held-out questions, so nothing was evaluated"]);
});

it("shows the first two questions with their first and last vote", () => {
  const first = evaluationOf(["6", "3", "6", null], ["1", "1", "6", "6"], ["0"]);
  const last = evaluationOf(["6", "6", "6", "6"], ["6", "6", "6", "1"], ["0"]);
  const lines = examples([{ step: 0, evaluation: first }, { step: 10, evaluation: first }, { step: 80, evaluation: last }]);
  expect(lines).toEqual([
    "",
    "question 0 (answer: 6)",
    "  step 0   6 ×2, 3 ×1, none ×1  right",
    "  step 80  6 ×4                 right",
    "",
    "question 1 (answer: 6)",
    "  step 0   1 ×2, 6 ×2  wrong",
    "  step 80  6 ×3, 1 ×1  right",
  ]);
});

it("shows what there is: the last vote alone after a resume, nothing without any", () => {
  expect(examples([{ step: 80, evaluation: evaluationOf(["6"]) }])).toEqual(["", "question 0 (answer: 6)", "  step 80  6 ×1  right"]);
  expect(examples([])).toEqual([]);
});
