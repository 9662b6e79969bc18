import { expect } from "vitest";
import { PolicyError } from "../../src/errors.ts";
import { CURRENT, REFERENCE } from "../../src/policy.ts";
import { adam, request, trainingRows } from "./rows.ts";
import type { Check } from "./subject.ts";

export const versions: Record<string, Check> = {
  "keep the reference as it was at the start": async (subject) => {
    const rows = await trainingRows(subject);
    const start = await subject.policy.logprobs(rows, CURRENT);
    expect(await subject.policy.logprobs(rows, REFERENCE)).toEqual(start);
    await subject.policy.update(rows, adam);
    expect(await subject.policy.logprobs(rows, REFERENCE)).toEqual(start);
    expect(await subject.policy.logprobs(rows, CURRENT)).not.toEqual(start);
  },

  "freeze a snapshot until it is taken again": async (subject) => {
    const rows = await trainingRows(subject);
    await subject.policy.update(rows, adam);
    await subject.policy.snapshot("teacher");
    const frozen = await subject.policy.logprobs(rows, CURRENT);
    const greedy = request(subject, { temperature: 0, count: 1 });
    const completions = await subject.policy.sample(greedy);
    for (let update = 0; update < 3; update++) await subject.policy.update(rows, { ...adam, learningRate: 0.02 });
    expect(await subject.policy.logprobs(rows, "teacher")).toEqual(frozen);
    expect(await subject.policy.sample({ ...greedy, weights: "teacher" })).toEqual(completions);
    await subject.policy.snapshot("teacher");
    expect(await subject.policy.logprobs(rows, "teacher")).toEqual(await subject.policy.logprobs(rows, CURRENT));
    expect(await subject.policy.logprobs(rows, "teacher")).not.toEqual(frozen);
  },

  "follow the current ones by a moving average, or refuse where they are no snapshot or there is no such capability": async ({ policy, prompts }) => {
    if (!policy.description.capabilities.includes("average")) {
      await expect(policy.average("teacher", 0.5)).rejects.toThrow(PolicyError);
      return;
    }
    const rows = await trainingRows({ policy, prompts });
    const logprobs = (name: string) => policy.logprobs(rows, name);
    await policy.snapshot("teacher");
    await policy.update(rows, adam);
    await policy.average("teacher", 1);
    expect(await logprobs("teacher")).toEqual(await logprobs(REFERENCE));
    await policy.average("teacher", 0.5);
    const flat = async (name: string) => (await logprobs(name)).flatMap((values) => [...values]);
    const [start, half, end] = [await flat(REFERENCE), await flat("teacher"), await flat(CURRENT)];
    // One small update: logprobs are nearly linear in the weights, so half-way weights stand half-way.
    const largest = end.reduce((best, value, index) => (Math.abs(value - start[index]!) > Math.abs(end[best]! - start[best]!) ? index : best), 0);
    expect((half[largest]! - start[largest]!) / (end[largest]! - start[largest]!)).toBeCloseTo(0.5, 1);
    await policy.average("teacher", 0);
    expect(await logprobs("teacher")).toEqual(await logprobs(CURRENT));
    await expect(policy.average(REFERENCE, 0.5)).rejects.toThrow(PolicyError);
    await expect(policy.average("nobody", 0.5)).rejects.toThrow(PolicyError);
  },
};
