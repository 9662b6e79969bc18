import { describe, expect, it } from "vitest";
import { createFakePolicy, END_TOKEN, fakeGrader, fakeRenderer } from "../../test/fake-policy.ts";
import { evaluate } from "../evaluate.ts";
import { labelProblems, summarizeLabels } from "./label.ts";
import type { LabelOptions } from "./label.ts";
import type { Policy } from "../policy.ts";

const sampling = { renderer: fakeRenderer, grader: fakeGrader, samples: 4, temperature: 1, topP: 1, maxTokens: 4, seed: 3 };

/** A policy that gives these answers, one digit each; `null` abstains. */
function answering(answers_P_G: readonly (readonly (number | null)[])[]): Policy {
  const completions = answers_P_G.map((answers_G) =>
    answers_G.map((digit) => {
      const tokens = digit === null ? [END_TOKEN] : [digit + 1, END_TOKEN];
      return { tokens, logprobs: new Float32Array(tokens.length), stopReason: "stop" as const };
    }),
  );
  return { ...createFakePolicy(), sample: () => Promise.resolve(completions) };
}

const problems = [
  { id: "a", prompt: "a=", source: "test", answer: "7" },
  { id: "b", prompt: "b=", source: "test", answer: "4" },
  { id: "c", prompt: "c=", source: "test" },
  { id: "d", prompt: "d=", source: "test", answer: "1" },
];

describe("labelProblems", () => {
  const policy = answering([[7, 7, 8, 7], [3, 4, 3, null], [5, 6, 6, 5], [null, null, null, null]]);

  it("labels with the majority answer and its figures, and measures the pass rate where the answer is known", async () => {
    const labels = await labelProblems({ policy, problems, ...sampling });
    const vote = { samples: 4, source: "test", tied: false, abstentions: 0 };
    expect(labels).toEqual([
      { ...vote, id: "a", problem: "a=", label: "7", share: 0.75, margin: 0.5, classes: [{ answer: "7", count: 3 }, { answer: "8", count: 1 }], passRate: 0.75 },
      { ...vote, id: "b", problem: "b=", label: "3", share: 0.5, margin: 0.25, abstentions: 1, classes: [{ answer: "3", count: 2 }, { answer: "4", count: 1 }], passRate: 0.25 },
      { ...vote, id: "c", problem: "c=", label: "5", share: 0.5, margin: 0, tied: true, classes: [{ answer: "5", count: 2 }, { answer: "6", count: 2 }] },
      { ...vote, id: "d", problem: "d=", label: null, share: 0, margin: 0, abstentions: 4, classes: [], passRate: 0 },
    ]);
    // Labels 7 (right) and 3 (wrong) can be judged: c's answer is unknown, d has no label.
    expect(summarizeLabels(labels, problems, fakeGrader.same)).toEqual({ problems: 4, labelled: 3, meanShare: 1.75 / 4, labelAccuracy: 0.5 });
    expect(summarizeLabels(labels.slice(2, 3), problems, fakeGrader.same).labelAccuracy).toBeNull();
  });

  it("gives the same labels whether the truth is known or not", async () => {
    const labels = async (answer?: string) => {
      const asked = problems.map(({ id, prompt, source }) => ({ id, prompt, source, ...(answer === undefined ? {} : { answer }) }));
      return (await labelProblems({ policy, problems: asked, ...sampling })).map(({ label }) => label);
    };
    expect(await labels("9")).toEqual(await labels());
  });

  it("votes as an evaluation of the same samples does", async () => {
    const known = problems.map((problem) => ({ ...problem, answer: "3" }));
    const options = { ...sampling, policy: createFakePolicy({ seed: 2 }), samples: 16 };
    const [labels, { results }] = [await labelProblems({ ...options, problems: known }), await evaluate({ ...options, problems: known })];
    expect(labels.map(({ label, share, passRate }) => [label, share, passRate])).toEqual(results.map(({ vote, passRate }) => [vote.majority?.answer, vote.shareOfAll, passRate]));
  });

  it("goes on after the batches that are there already", async () => {
    const options: LabelOptions = { ...sampling, policy: createFakePolicy({ seed: 2 }), problems };
    const saved: string[] = [];
    const batches = { size: 2, earlier: [], done: (batch: readonly { id: string }[]) => Promise.resolve(void saved.push(batch.map(({ id }) => id).join(""))) };
    const whole = await labelProblems({ ...options, batches });
    expect(saved).toEqual(["ab", "cd"]);
    expect(await labelProblems({ ...options, batches: { ...batches, earlier: whole.slice(0, 2) } })).toEqual(whole);
    expect(saved).toEqual(["ab", "cd", "cd"]);
  });
});
