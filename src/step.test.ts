import { describe, expect, it } from "vitest";
import { createFakePolicy, fakeGrader, fakeRenderer } from "../test/fake-policy.ts";
import type { Policy } from "./policy.ts";
import { majorityReward } from "./srt/reward.ts";
import { trainStep } from "./step.ts";
import type { StepSettings } from "./step.ts";
import type { Problem, RewardSource, TrainingRow } from "./types.ts";

const problems: Problem[] = ["1+1=", "2*3=", "7-4="].map((prompt) => ({ id: prompt, prompt, source: "test" }));
const settings: StepSettings & { seed: number } = {
  samplesPerPrompt: 8,
  temperature: 1,
  topP: 1,
  topK: 0,
  maxTokens: 4,
  algorithm: "rloo",
  klCoefficient: 0,
  klEstimator: "k1",
  lossAggregation: "token-mean",
  update: { loss: { kind: "importance_sampling" }, learningRate: 0.05, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 },
  seed: 1,
};

/** A policy that also keeps the rows of its updates. */
function recording(): { policy: Policy; updates: (readonly TrainingRow[])[] } {
  const policy = createFakePolicy({ seed: 3 });
  const updates: (readonly TrainingRow[])[] = [];
  return { updates, policy: { ...policy, update: (rows, options) => (updates.push(rows), policy.update(rows, options)) } };
}

const step = (policy: Policy, rewardOf: RewardSource, changes: Partial<StepSettings> = {}) =>
  trainStep(1, problems, { policy, renderer: fakeRenderer, grader: fakeGrader, rewardOf, clock: () => 0 }, { ...settings, ...changes });

describe("one training step", () => {
  it("pays the samples that voted for the majority, and trains on every sample of the group", async () => {
    const { policy, updates } = recording();
    const { groups_P } = await step(policy, majorityReward({ threshold: 0, share: "all" }));
    for (const { vote, reward, samples_G } of groups_P) {
      expect(reward.label).toBe(vote.majority?.answer);
      reward.rewards_G.forEach((earned, index) => expect(earned).toBe(samples_G[index]!.answer === reward.label ? 1 : 0));
    }
    const trained = groups_P.filter(({ status }) => status === "trained");
    expect(trained.length).toBeGreaterThan(0);
    expect(updates[0]).toHaveLength(trained.length * settings.samplesPerPrompt);
  });

  it("gives every token of a completion its advantage, the sampler's logprob and the same weight, which sum to one", async () => {
    const { policy, updates } = recording();
    const { groups_P } = await step(policy, majorityReward({ threshold: 0, share: "all" }));
    const samples = groups_P.filter(({ status }) => status === "trained").flatMap((group) => group.samples_G.map((sample, index) => ({ sample, advantage: group.advantages_G[index]! })));
    updates[0]!.forEach((row, index) => {
      const { sample, advantage } = samples[index]!;
      expect(row.completion).toEqual(sample.tokens);
      expect(row.logprobs).toEqual(sample.logprobs);
      for (const value of Array.from(row.advantages)) expect(value).toBeCloseTo(advantage, 6);
    });
    const weights = updates[0]!.flatMap((row) => Array.from(row.weights));
    expect(new Set(weights).size).toBe(1);
    expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
  });

  it("leaves out groups without a label and groups whose rewards are all equal, and counts why", async () => {
    const { policy, updates } = recording();
    const fates: Record<string, RewardSource> = {
      "1+1=": (_problem, answers) => ({ label: null, rewards_G: answers.map(() => 0) }),
      "2*3=": (_problem, answers) => ({ label: "6", rewards_G: answers.map(() => 1) }),
      "7-4=": (_problem, answers) => ({ label: "3", rewards_G: answers.map((_, index) => (index === 0 ? 1 : 0)) }),
    };
    const { groups_P } = await step(policy, (problem, ...rest) => fates[problem.id]!(problem, ...rest));
    expect(groups_P.map(({ status }) => status)).toEqual(["unlabelled", "no-signal", "trained"]);
    expect(groups_P[1]!.advantages_G).toEqual(new Array(8).fill(0));
    expect(updates[0]).toHaveLength(8);
    // RLOO: 1 - 0 for the only one that is paid, 0 - 1/7 for the others.
    expect(groups_P[2]!.advantages_G[0]).toBeCloseTo(1, 6);
    expect(groups_P[2]!.advantages_G[1]).toBeCloseTo(-1 / 7, 6);
  });

  it("makes no update when no group carries a signal", async () => {
    const { policy, updates } = recording();
    const report = await step(policy, (_problem, answers) => ({ label: "1", rewards_G: answers.map(() => 1) }));
    expect(report.update).toBeNull();
    expect(updates).toEqual([]);
  });

  it("takes the KL to the reference off the reward, before the baseline", async () => {
    const { policy } = recording();
    const source = majorityReward({ threshold: 0, share: "all" });
    // After some updates the policy has left its reference.
    for (let count = 0; count < 3; count++) await step(policy, source);
    const { groups_P } = await step(policy, source, { klCoefficient: 0.5 });
    const group = groups_P.find(({ status }) => status === "trained")!;
    expect(group.kl_G.some((kl) => Math.abs(kl) > 1e-3)).toBe(true);
    const scores = group.reward.rewards_G.map((earned, index) => earned - 0.5 * group.kl_G[index]!);
    const total = scores.reduce((a, b) => a + b);
    group.advantages_G.forEach((advantage, index) => expect(advantage).toBeCloseTo(scores[index]! - (total - scores[index]!) / 7, 6));
  });
});
