import { describe, expect, it } from "vitest";
import { createFakePolicy, fakeGrader, fakeRenderer } from "../../test/fake-policy.ts";
import { configSchema } from "../config.ts";
import type { ConfigInput } from "../config.ts";
import { evaluate } from "../evaluate.ts";
import { adaptedAnswers, sampleVotes, samplesPerQuestion, summarizeAdaptation } from "./adapt.ts";

const problems = [
  { id: "a", prompt: "a=", source: "test", answer: "7" },
  { id: "b", prompt: "b=", source: "test" },
  { id: "c", prompt: "c=", source: "test", answer: "1" },
];

describe("adaptedAnswers", () => {
  const before = [
    { id: "a", answers: ["2", "7", "2", null, "7", "7"] },
    { id: "b", answers: ["4", "5", "5", "5", "4", "4"] },
    { id: "c", answers: [null, null, null, "1", "1", null] },
  ];
  const after = [
    { id: "a", answers: ["7", "7", "7", "2"] },
    { id: "b", answers: ["5", "5", "5", "5"] },
    { id: "c", answers: ["3", "3", "3", "3"] },
  ];
  const answers = adaptedAnswers(problems, { before, after, k: 4, votes: 6 }, fakeGrader);

  it("votes over the first k samples before, all after, and as many as training took without it", () => {
    expect(answers[0]).toEqual({
      id: "a", problem: "a=", source: "test", answer: "7", trueAnswer: "7",
      before: { answer: "2", share: 0.5, margin: 0.25, tied: false, abstentions: 1, samples: 4, classes: [{ answer: "2", count: 2 }, { answer: "7", count: 1 }], passRate: 0.25, correct: false },
      after: { answer: "7", share: 0.75, margin: 0.5, tied: false, abstentions: 0, samples: 4, classes: [{ answer: "7", count: 3 }, { answer: "2", count: 1 }], passRate: 0.75, correct: true },
      votingOnly: { answer: "7", share: 0.5, margin: 1 / 6, tied: false, abstentions: 1, samples: 6, classes: [{ answer: "7", count: 3 }, { answer: "2", count: 2 }], passRate: 0.5, correct: true },
    });
    expect(Object.keys(answers[1]!)).not.toContain("trueAnswer");
    expect(Object.keys(answers[1]!.after)).not.toContain("correct");
    expect(answers.map(({ before: { answer }, answer: final }) => [answer, final])).toEqual([["2", "7"], ["5", "5"], ["1", "3"]]);
  });

  it("is measured over the questions whose answer is known", () => {
    const summary = summarizeAdaptation(answers, fakeGrader.same);
    // Known are a and c: one in four of both right before, 3/4 and 0 after, 1/2 and 1/3 of six.
    expect(summary).toMatchObject({ questions: 3, changed: 2, known: 2 });
    expect(summary.before).toEqual({ samples: 4, meanShare: (0.5 + 0.75 + 0.25) / 3, passAt1: 0.25, majAtK: 0.5 });
    expect(summary.after).toEqual({ samples: 4, meanShare: (0.75 + 1 + 1) / 3, passAt1: 0.375, majAtK: 0.5 });
    expect(summary.votingOnly).toMatchObject({ samples: 6, majAtK: 1 });
    expect(summary.votingOnly.passAt1).toBeCloseTo((1 / 2 + 1 / 3) / 2, 12);
    expect(summarizeAdaptation(answers.slice(1, 2), fakeGrader.same).after).toMatchObject({ passAt1: null, majAtK: null });
  });

  it("counts an answer that came or went as changed", () => {
    const one = [{ id: "b", answers: ["4"] }];
    const none = [{ id: "b", answers: [null] }];
    const changed = (first: typeof none | typeof one, last: typeof none | typeof one) =>
      summarizeAdaptation(adaptedAnswers(problems.slice(1, 2), { before: first, after: last, k: 1, votes: 1 }, fakeGrader), fakeGrader.same).changed;
    expect([changed(one, one), changed(none, none), changed(one, none), changed(none, one)]).toEqual([0, 0, 1, 1]);
  });

  it("does not take the answers of other questions", () => {
    expect(() => adaptedAnswers(problems.slice(0, 1), { before: after.slice(1, 2), after: after.slice(0, 1), k: 1, votes: 1 }, fakeGrader)).toThrow(RangeError);
  });
});

describe("sampleVotes", () => {
  it("reads the answers of the weights that it is asked for", async () => {
    const sampling = { policy: createFakePolicy({ seed: 2 }), renderer: fakeRenderer, grader: fakeGrader, samples: 8, temperature: 1, topP: 1, maxTokens: 4, seed: 3 };
    const known = problems.map((problem) => ({ ...problem, answer: "3" }));
    const { results } = await evaluate({ ...sampling, problems: known });
    expect(await sampleVotes(problems, { ...sampling, weights: "reference" })).toEqual(
      results.map(({ problem: { id }, samples }) => ({ id, answers: samples.map(({ answer }) => answer) })),
    );
  });
});

describe("samplesPerQuestion", () => {
  it("counts all that a run samples, over its questions", () => {
    const taken = (input: Partial<ConfigInput>, questions: number, probed = 0) => samplesPerQuestion(configSchema.parse({ train: "test", steps: 10, promptsPerStep: 4, samplesPerPrompt: 16, ...input }), { questions, probed });
    expect(taken({}, 8)).toBe(80);
    expect(taken({}, 7)).toBe(91);
    expect(taken({ keepFraction: 0.5 }, 8)).toBe(160);
    expect(taken({ teacher: { kind: "average" } }, 8)).toBe(160);
    expect(taken({ teacher: { kind: "start", samples: 4 } }, 8)).toBe(100);
    expect(taken({ crossLabels: true }, 8)).toBe(160);
    // 2 questions of a probe have 16 first votes, and 4 samples after 5 of the steps: 72 over 8 questions, which have first votes as well.
    expect(taken({ startVotes: 16, probe: { every: 2 } }, 8, 2)).toBe(80 + 9 + 16);
  });
});
