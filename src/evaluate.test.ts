import { describe, expect, it } from "vitest";
import { exactGrader } from "../test/train-fixture.ts";
import { createFakePolicy, END_TOKEN, fakeRenderer } from "../test/fake-policy.ts";
import { evaluate, passAt } from "./evaluate.ts";
import type { EvaluateOptions } from "./evaluate.ts";
import type { Policy } from "./policy.ts";
import type { LabelledProblem } from "./types.ts";

function problem(id: string, answer: string): LabelledProblem {
  return { id, prompt: `${id}=`, source: "test", answer };
}

function options(policy: Policy, problems: readonly LabelledProblem[], samples: number): EvaluateOptions {
  return { policy, renderer: fakeRenderer, grader: exactGrader, problems, samples, temperature: 1, topP: 1, maxTokens: 4, seed: 3 };
}

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

describe("evaluate", () => {
  it("computes pass@1, maj@k and their standard errors over problems", async () => {
    const policy = answering([
      [7, 7, 7, 7], // all right
      [3, 3, 4, null], // half right, majority right
      [5, 6, 6, null], // one right, majority wrong
      [null, null, null, null], // no answer at all
    ]);
    const problems = [problem("a", "7"), problem("b", "3"), problem("c", "5"), problem("d", "0")];
    const { results, ...figures } = await evaluate(options(policy, problems, 4));
    // Pass rates 1, 1/2, 1/4, 0: mean 7/16, squared deviations (81 + 1 + 9 + 49) / 256 over 3, over 4.
    // Majorities 1, 1, 0, 0: mean 1/2, variance 1/3, over 4.
    expect(figures.passAt1).toBeCloseTo(7 / 16, 12);
    expect(figures.standardError).toBeCloseTo(Math.sqrt(140 / 256 / 3 / 4), 12);
    expect(figures.majAtK).toBe(0.5);
    expect(figures.majStandardError).toBeCloseTo(Math.sqrt(1 / 12), 12);
    expect(figures).toMatchObject({ k: 4, problems: 4, abstentionRate: 6 / 16, meanLength: (4 * 2 + 7 + 7 + 4) / 16, passAtK: 3 / 4 });
    expect(results.map(({ passRate, majorityCorrect }) => [passRate, majorityCorrect])).toEqual([[1, true], [0.5, true], [0.25, false], [0, false]]);
    expect(results[1]).toMatchObject({ problem: { id: "b" }, vote: { abstentions: 1, shareOfAll: 0.5 } });
    expect(results[1]!.samples[3]).toEqual({ text: "", tokens: 1, answer: null, correct: false });
  });

  it("agrees with the probabilities of the policy that it samples", async () => {
    const policy = createFakePolicy({ seed: 1 });
    const prompt = fakeRenderer.encodePrompt("a=");
    // The answer is the first digit alone: P(digit) P(end | second position).
    const [logprobs] = await policy.logprobs([{ prompt, completion: [4, END_TOKEN] }], "current");
    const probability = Math.exp(logprobs![0]! + logprobs![1]!);
    const { passAt1 } = await evaluate(options(policy, [problem("a", "3")], 4000));
    expect(Math.abs(passAt1 - probability)).toBeLessThan(4 * Math.sqrt((probability * (1 - probability)) / 4000));
  });

  it("is the same for the same weights and seed, and leaves the weights alone", async () => {
    const policy = createFakePolicy();
    const problems = [problem("a", "1"), problem("b", "2")];
    const first = await evaluate(options(policy, problems, 8));
    expect(await evaluate(options(policy, problems, 8))).toEqual(first);
    expect(await evaluate({ ...options(policy, problems, 8), seed: 4 })).not.toEqual(first);
  });

  it("refuses to average over nothing", async () => {
    await expect(evaluate(options(createFakePolicy(), [], 8))).rejects.toThrow(RangeError);
  });
});

describe("evaluate in batches", () => {
  const problems = [problem("a", "1"), problem("b", "2"), problem("c", "3"), problem("d", "4"), problem("e", "5")];

  it("hands out every batch, and one batch is the same as none", async () => {
    const sizes: number[] = [];
    const done = (batch: readonly unknown[]) => Promise.resolve(void sizes.push(batch.length));
    const parts = options(createFakePolicy(), problems, 8);
    await evaluate({ ...parts, batches: { size: 2, earlier: [], done } });
    const single = await evaluate({ ...parts, batches: { size: 5, earlier: [], done } });
    expect(sizes).toEqual([2, 2, 1, 5]);
    expect(single).toEqual(await evaluate(parts));
  });

  it("draws independently in each batch", async () => {
    const same = Array.from({ length: 4 }, (_, index) => ({ ...problem("a", "1"), id: String(index) }));
    const { results } = await evaluate({ ...options(createFakePolicy(), same, 16), batches: { size: 1, earlier: [], done: () => Promise.resolve() } });
    expect(new Set(results.map(({ samples }) => samples.map(({ text }) => text).join())).size).toBe(4);
  });
});

describe("passAt", () => {
  it("is the share of the subsets of k samples that hold a right one, counted one by one", () => {
    const subsets = (n: number, k: number): number[][] =>
      k === 0 ? [[]] : Array.from({ length: n }, (_, last) => subsets(last, k - 1).map((rest) => [...rest, last])).flat();
    for (let n = 1; n <= 6; n++) {
      for (let k = 1; k <= n; k++) {
        for (let c = 0; c <= n; c++) {
          const all = subsets(n, k);
          // The first c samples are the right ones.
          const solving = all.filter((subset) => subset.some((sample) => sample < c)).length;
          expect(passAt(k, n, c), `k ${k}, n ${n}, c ${c}`).toBeCloseTo(solving / all.length, 12);
        }
      }
    }
  });

  it("stays finite where binomial coefficients do not, and refuses more than there are", () => {
    // 1 - C(9000, 1000) / C(10000, 1000): all wrong with probability below 1e-40.
    expect(passAt(1000, 10_000, 1000)).toBe(1);
    expect(() => passAt(5, 4, 1)).toThrow(RangeError);
  });
});
