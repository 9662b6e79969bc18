import { describe, expect, it } from "vitest";
import { createFakePolicy, fakeGrader, fakeRenderer } from "../test/fake-policy.ts";
import type { Policy, SampleRequest } from "./policy.ts";
import { majorityReward } from "./srt/reward.ts";
import { startTeacher, trainStep } from "./step.ts";
import type { StepSettings } from "./step.ts";
import type { Group, Problem, RewardSource, Sample, TrainingRow } from "./types.ts";
import { mean, standardDeviation, sum } from "./util/statistics.ts";
import { strictZip } from "./util/strict-zip.ts";

const problems: Problem[] = ["1+1=", "2*3=", "7-4="].map((prompt) => ({ id: prompt, prompt, source: "test" }));
const settings: StepSettings & { seed: number } = {
  promptsPerStep: 3,
  samplesPerPrompt: 8,
  temperature: 1,
  topP: 1,
  topK: 0,
  maxTokens: 4,
  teacher: { kind: "none", samples: 8, ownVotes: false, decay: 0.9, every: 1 },
  crossLabels: false,
  algorithm: "rloo",
  klCoefficient: 0,
  klEstimator: "k1",
  klPlacement: "reward",
  entropyCoefficient: 0,
  maskAnswer: false,
  epochs: 1,
  miniBatches: 1,
  lossAggregation: "token-mean",
  update: { loss: { kind: "importance_sampling" }, learningRate: 0.05, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 },
  seed: 1,
};

const majority = majorityReward({ threshold: 0, share: "all" }, fakeGrader.same);

/** A policy that also keeps the rows of its updates. */
function recording(critic = false): { policy: Policy; updates: (readonly TrainingRow[])[] } {
  const policy = createFakePolicy({ seed: 3, critic });
  const updates: (readonly TrainingRow[])[] = [];
  return { updates, policy: { ...policy, update: (rows, options) => (updates.push(rows), policy.update(rows, options)) } };
}

const step = (policy: Policy, rewardOf: RewardSource, changes: Partial<StepSettings> = {}) =>
  trainStep(1, problems, { policy, renderer: fakeRenderer, grader: fakeGrader, rewardOf, clock: () => 0 }, { ...settings, ...changes });

describe("one training step", () => {
  it("pays the samples that voted for the majority, and trains on every sample of the group", async () => {
    const { policy, updates } = recording();
    const { groups_P } = await step(policy, majority);
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
    const { groups_P } = await step(policy, majority);
    const samples = groups_P.filter(({ status }) => status === "trained").flatMap((group) => group.samples_G.map((sample, index) => ({ sample, advantage_T: group.advantages_G_T[index]! })));
    updates[0]!.forEach((row, index) => {
      const { sample, advantage_T } = samples[index]!;
      expect(row.completion).toEqual(sample.tokens);
      expect(row.logprobs).toEqual(sample.logprobs);
      expect(row.advantages).toEqual(advantage_T);
      expect(new Set(advantage_T).size).toBe(1);
    });
    const weights = updates[0]!.flatMap((row) => Array.from(row.weights));
    expect(new Set(weights).size).toBe(1);
    expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
  });

  it("leaves out groups without a label and groups whose rewards are all equal, and counts why", async () => {
    const { policy, updates } = recording();
    const fates: Record<string, RewardSource> = {
      "1+1=": ({ answers_G: answers }) => ({ label: null, rewards_G: answers.map(() => 0) }),
      "2*3=": ({ answers_G: answers }) => ({ label: "6", rewards_G: answers.map(() => 1) }),
      "7-4=": ({ answers_G: answers }) => ({ label: "3", rewards_G: answers.map((_, index) => (index === 0 ? 1 : 0)) }),
    };
    const { groups_P } = await step(policy, (group) => fates[group.problem.id]!(group));
    expect(groups_P.map(({ status }) => status)).toEqual(["unlabelled", "no-signal", "trained"]);
    for (const advantage_T of groups_P[1]!.advantages_G_T) expect(new Set(advantage_T)).toEqual(new Set([0]));
    expect(updates[0]).toHaveLength(8);
    // RLOO: 1 - 0 for the only one that is paid, 0 - 1/7 for the others.
    expect(groups_P[2]!.advantages_G_T[0]![0]).toBeCloseTo(1, 6);
    expect(groups_P[2]!.advantages_G_T[1]![0]).toBeCloseTo(-1 / 7, 6);
  });

  it("makes no update when no group carries a signal", async () => {
    const { policy, updates } = recording();
    const report = await step(policy, ({ answers_G: answers }) => ({ label: "1", rewards_G: answers.map(() => 1) }));
    expect(report.update).toBeNull();
    expect(updates).toEqual([]);
  });

  it("takes the KL to the reference off the reward, before the baseline", async () => {
    const { policy } = recording();
        // After some updates the policy has left its reference.
    for (let count = 0; count < 3; count++) await step(policy, majority);
    const { groups_P } = await step(policy, majority, { klCoefficient: 0.5 });
    const group = groups_P.find(({ status }) => status === "trained")!;
    const kl_G = group.kl_G_T.map(sum);
    expect(kl_G.some((kl) => Math.abs(kl) > 1e-3)).toBe(true);
    const scores = group.reward.rewards_G.map((earned, index) => earned - 0.5 * kl_G[index]!);
    const total = scores.reduce((a, b) => a + b);
    group.advantages_G_T.forEach(([advantage], index) => expect(advantage).toBeCloseTo(scores[index]! - (total - scores[index]!) / 7, 5));
  });
});

describe("answers that arrive one prompt at a time", () => {
  const grading = (rewardOf: RewardSource, policy: Policy, extract = fakeGrader.extract) =>
    trainStep(1, problems, { policy, renderer: fakeRenderer, grader: { ...fakeGrader, extract }, rewardOf, clock: () => 0 }, { ...settings, teacher: { ...settings.teacher, kind: "start", ownVotes: true } });
  /** Tells of each prompt of `order` as it is asked for, and then gives all. */
  const telling = (order: readonly number[], between: () => void = () => undefined): Policy => {
    const { policy } = recording();
    const sample: Policy["sample"] = async (request, arrived) => {
      const completions_P_G = await policy.sample(request);
      for (const prompt of order) {
        arrived!(prompt, completions_P_G[prompt]!);
        between();
      }
      return completions_P_G;
    };
    return { ...policy, sample };
  };

  it("are read then, once each, and give the step that they give together, whatever their order", async () => {
    const together = await grading(majority, recording().policy);
    for (const order of [[0, 1, 2], [2, 0, 1], [1]]) {
      const read: number[] = [];
      let count = 0;
      const policy = telling(order, () => read.push(count));
      expect(await grading(majority, policy, (text) => (count++, fakeGrader.extract(text)))).toEqual(together);
      // Eight of the samples, then eight votes of the teacher, for each of three prompts.
      expect([read[0], count]).toEqual([8, 48]);
    }
  });

  it("fail the step when they cannot be read", async () => {
    const unreadable = (): never => {
      throw new Error("no answer can be read");
    };
    await expect(grading(majority, telling([0]), unreadable)).rejects.toThrow("no answer can be read");
  });
});

describe("who votes", () => {
  const labelsOf = (groups_P: readonly Group[]) => groups_P.map(({ reward }) => reward.label);

  it("a teacher that follows all the way and one that stays are its own weights and the first ones", async () => {
    const asked: SampleRequest[] = [];
    const { policy } = recording();
    await startTeacher(policy, { ...settings.teacher, kind: "average" });
    const watched: Policy = { ...policy, sample: (request) => (asked.push(request), policy.sample(request)) };
    const { groups_P } = await step(watched, majority, { teacher: { ...settings.teacher, kind: "average", samples: 5 } });
    expect(asked.map(({ weights, count }) => [weights, count])).toEqual([["current", 8], ["teacher", 5]]);
    for (const { ballot, reward, samples_G } of groups_P) {
      expect(ballot.samples).toBe(5);
      expect(reward.label).toBe(ballot.majority?.answer);
      reward.rewards_G.forEach((earned, index) => expect(earned).toBe(samples_G[index]!.answer === reward.label ? 1 : 0));
    }
    asked.length = 0;
    await step(watched, majority, { teacher: { ...settings.teacher, kind: "start", ownVotes: true } });
    expect(asked[1]!.weights).toBe("reference");
  });

  it("moves the teacher by its decay after the update", async () => {
    const { policy } = recording();
    const teacher = { ...settings.teacher, kind: "average", decay: 0.75 } as const;
    await startTeacher(policy, teacher);
    const paysTheFirst: RewardSource = ({ answers_G }) => ({ label: "any", rewards_G: answers_G.map((_, index) => (index === 0 ? 1 : 0)) });
    const { groups_P } = await step(policy, paysTheFirst, { teacher });
    const { promptTokens: prompt, samples_G } = groups_P[0]!;
    const sequence = [{ prompt, completion: samples_G[0]!.tokens.slice(0, 1) }];
    const logprob = async (weights: string) => (await policy.logprobs(sequence, weights))[0]![0]!;
    const [start, teachers, current] = [await logprob("reference"), await logprob("teacher"), await logprob("current")];
    // A quarter of the way; the logprob of a single step is nearly linear in the weights.
    expect(Math.abs(teachers - start)).toBeGreaterThan(0);
    expect((teachers - start) / (current - start)).toBeCloseTo(0.25, 1);
  });

  it("cross labels: each wording is judged by the vote on the other", async () => {
    const { policy } = recording();
    const worded = problems.map((problem) => ({ ...problem, paraphrase: `${problem.prompt}=` }));
    const { groups_P } = await trainStep(1, worded, { policy, renderer: fakeRenderer, grader: fakeGrader, rewardOf: majority, clock: () => 0 }, { ...settings, crossLabels: true });
    expect(groups_P.map(({ problem }) => problem.id)).toEqual(problems.flatMap(({ id }) => [id, `${id} (paraphrase)`]));
    const own = groups_P.map(({ vote }) => vote.majority?.answer);
    expect(labelsOf(groups_P)).toEqual([own[1], own[0], own[3], own[2], own[5], own[4]]);
  });
});

describe("what trains", () => {
  it("keeps the groups with the largest majority share where more were sampled than train", async () => {
    const { policy, updates } = recording();
    const { groups_P } = await step(policy, majority, { promptsPerStep: 1 });
    const kept = groups_P.filter(({ status }) => status !== "left-out");
    expect(kept).toHaveLength(1);
    expect(kept[0]!.ballot.shareOfAll).toBe(Math.max(...groups_P.map(({ ballot }) => ballot.shareOfAll)));
    expect(updates[0]).toHaveLength(8);
  });

  it("leaves the answer's tokens out of the loss where they are masked", async () => {
    const { policy, updates } = recording();
    const { groups_P } = await step(policy, majority, { maskAnswer: true });
    const spans = groups_P.filter(({ status }) => status === "trained").flatMap(({ samples_G }) => samples_G.filter(({ tokens, answerSpan: { start, end } }) => end - start < tokens.length));
    spans.forEach(({ answerSpan: { start, end } }, index) => {
      Array.from(updates[0]![index]!.weights).forEach((weight, t) => expect(weight === 0).toBe(t >= start && t < end));
    });
  });

  it("updates once for each mini-batch of each epoch, with every sample once an epoch", async () => {
    const { policy, updates } = recording();
    await step(policy, majority, { epochs: 2, miniBatches: 3 });
    expect(updates).toHaveLength(6);
    const first = updates.slice(0, 3).flat();
    const second = updates.slice(3).flat();
    expect(first.length).toBe(second.length);
    expect(new Set(first.map(({ logprobs }) => logprobs))).toEqual(new Set(second.map(({ logprobs }) => logprobs)));
    for (const rows of updates) expect(sum(rows.flatMap(({ weights }) => Array.from(weights)))).toBeCloseTo(1, 5);
  });

  it("remax: the greedy completion is judged by the group's vote, not by its own", async () => {
    const { policy } = recording();
    const { groups_P } = await step(policy, majority, { algorithm: "remax" });
    const { advantages_G_T, reward } = groups_P.find(({ status }) => status === "trained")!;
    const baselines = reward.rewards_G.map((earned, index) => earned - advantages_G_T[index]![0]!);
    expect(new Set(baselines).size).toBe(1);
    expect([0, 1]).toContain(baselines[0]);
  });

  it("gae: each token's advantage is what the critic did not expect, whitened; the critic is told what was earned", async () => {
    const { policy, updates } = recording(true);
    const told: (readonly Float32Array[])[] = [];
    const watched: Policy = { ...policy, values: async (sequences) => (told.push(await policy.values(sequences)), told.at(-1)!) };
    const changes = { algorithm: "gae", update: { ...settings.update, critic: { coefficient: 0.5, clip: 0.5 } } } as const;
    // At the start the critic says nothing.
    await step(watched, majority, changes);
    const { groups_P } = await step(watched, majority, changes);
    const rewards = groups_P.filter(({ status }) => status === "trained").flatMap(({ reward }) => reward.rewards_G);
    const rows = strictZip(updates[1]!, strictZip(told[1]!, rewards));
    for (const [{ critic }, [values_T, reward]] of rows) {
      expect(critic!.values).toEqual(values_T);
      expect(critic!.returns).toEqual(values_T.map(() => reward));
    }
    const surprises = rows.flatMap(([, [values_T, reward]]) => Array.from(values_T, (value) => reward - value));
    expect(new Set(told[1]!.flatMap((values_T) => [...values_T])).size).toBeGreaterThan(2);
    const [center, scale] = [mean(surprises), standardDeviation(surprises)];
    rows.flatMap(([{ advantages }]) => Array.from(advantages)).forEach((advantage, index) => expect(advantage).toBeCloseTo((surprises[index]! - center) / scale, 4));
  });

  it("adds KL and entropy terms of the loss to the advantages", async () => {
    const { policy } = recording();
    for (let count = 0; count < 3; count++) await step(policy, majority);
    const { groups_P } = await step(policy, majority, { klCoefficient: 0.5, klPlacement: "loss", klEstimator: "k2", entropyCoefficient: 0.1 });
    const { samples_G, advantages_G_T, reward, promptTokens: prompt } = groups_P.find(({ status }) => status === "trained")!;
    const [{ tokens, logprobs }] = samples_G as [Sample];
    const [reference] = (await policy.logprobs([{ prompt, completion: tokens }], "reference")) as [Float32Array];
    const rloo = reward.rewards_G[0]! - (sum(reward.rewards_G) - reward.rewards_G[0]!) / 7;
    // d(k2)/d log p = log p - log q, taken off; the bonus is -0.1 log p.
    logprobs.forEach((logprob, t) => expect(advantages_G_T[0]![t]).toBeCloseTo(rloo - 0.5 * (logprob - reference[t]!) - 0.1 * logprob, 5));
  });
});
