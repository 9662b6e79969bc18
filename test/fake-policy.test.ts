import { describe, expect, it } from "vitest";
import { CURRENT } from "../src/policy.ts";
import type { UpdateOptions } from "../src/policy.ts";
import { configSchema } from "../src/config.ts";
import { majorityReward } from "../src/srt/reward.ts";
import { trainStep } from "../src/step.ts";
import { stepSettings } from "../src/train.ts";
import type { Problem } from "../src/types.ts";
import { mean } from "../src/util/statistics.ts";
import { createFakePolicy, fakeGrader, fakeRenderer } from "./fake-policy.ts";
import { policyConformance } from "./policy-conformance.ts";

const adam: UpdateOptions = {
  loss: { kind: "importance_sampling" },
  learningRate: 0.05,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  maxGradientNorm: 1,
};

describe("the fake policy", () => {
  it("reads a digit answer from a completion, and none without a digit", () => {
    expect(fakeRenderer.decode([8, 0])).toBe("\\boxed{7}");
    expect(fakeRenderer.decode([2, 3, 0])).toBe("\\boxed{12}");
    expect(fakeRenderer.decode([0])).toBe("");
  });

  it("makes the updates of AdamW, as worked out by hand", async () => {
    const policy = createFakePolicy();
    const prompt = [11];
    const logits = async () => {
      const sequences = Array.from({ length: 16 }, (_, token) => ({ prompt, completion: [token] }));
      return (await policy.logprobs(sequences, CURRENT)).map((logprobs) => logprobs[0]!);
    };
    const before = await logits();
    const row = { prompt, completion: [5], logprobs: [before[5]!], advantages: [2], weights: [0.5] };
    const options = { ...adam, maxGradientNorm: Infinity };
    const report = await policy.update([row], options);
    // Loss -0.5 * ratio * 2 with ratio 1; its gradient by logit k is -(1[k = 5] - p_k).
    const probabilities = before.map(Math.exp);
    const gradient = probabilities.map((probability, token) => probability - (token === 5 ? 1 : 0));
    expect(report).toMatchObject({ skipped: false, clipFraction: 0, tokens: 1 });
    expect(report.loss).toBeCloseTo(-1, 6);
    expect(report.gradientNorm).toBeCloseTo(Math.hypot(...gradient), 6);
    // The first update moves every logit by the learning rate, against the sign of its gradient.
    const after = await logits();
    const moved = after.map((logprob, token) => logprob - before[token]! - (after[0]! - before[0]!));
    moved.forEach((change, token) => expect(change).toBeCloseTo(token === 5 ? 0.1 : 0, 5));
  });

  it("sharpens the majority under self-rewarded training, without a label", async () => {
    const policy = createFakePolicy({ seed: 3 });
    const problems: Problem[] = ["1+1=", "2*3=", "7-4=", "9+9="].map((prompt) => ({ id: prompt, prompt, source: "test" }));
    const config = configSchema.parse({ train: "-", heldOut: "-", promptsPerStep: 4, samplesPerPrompt: 16, maxTokens: 4, loss: "importance-sampling" });
    const settings = { ...stepSettings(config), update: adam };
    const parts = { policy, renderer: fakeRenderer, grader: fakeGrader, rewardOf: majorityReward(config, fakeGrader.same), clock: () => 0 };
    const shares: number[] = [];
    for (let step = 0; step < 60; step++) {
      const { groups_P } = await trainStep(step, problems, parts, { ...settings, seed: step });
      shares.push(mean(groups_P.map(({ vote }) => vote.shareOfAll)));
    }
    expect(mean(shares.slice(0, 5))).toBeLessThan(0.5);
    expect(mean(shares.slice(-5))).toBeGreaterThan(0.9);
  });
});

const prompts = [[11, 12, 13], [12, 11], [15, 14, 13, 12, 11]];
policyConformance("the fake policy", () => Promise.resolve({ policy: createFakePolicy(), prompts }));
policyConformance("the fake policy with a critic", () => Promise.resolve({ policy: createFakePolicy({ critic: true }), prompts }));
