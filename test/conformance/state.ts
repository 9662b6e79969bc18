import { readdir, readFile, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { CheckpointError, PolicyError } from "../../src/errors.ts";
import { CURRENT, REFERENCE } from "../../src/policy.ts";
import type { Policy } from "../../src/policy.ts";
import { adam, request, trainingRows, withDirectory } from "./subject.ts";
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

export const state: Record<string, Check> = {
  "goes on bit for bit from a saved state, in another policy or the same": (subject, create) =>
    withDirectory(async (directory) => {
      const rows = await trainingRows(subject);
      const run = async (policy: Policy) => {
        for (let update = 0; update < 2; update++) await policy.update(rows, adam);
        const ends = await Promise.all([CURRENT, REFERENCE, "teacher"].map((name) => policy.logprobs(rows, name)));
        return { ends, completions: await policy.sample(request(subject)) };
      };
      await subject.policy.update(rows, adam);
      await subject.policy.snapshot("teacher");
      await subject.policy.update(rows, adam);
      await subject.policy.saveState(directory);
      const uninterrupted = await run(subject.policy);
      const other = await create();
      await other.policy.loadState(directory);
      expect(await run(other.policy)).toEqual(uninterrupted);
      await subject.policy.loadState(directory);
      expect(await run(subject.policy)).toEqual(uninterrupted);
    }),

  "that is damaged is refused, and the policy stays as it is": async (subject, create) => {
    const rows = await trainingRows(subject);
    const before = await subject.policy.logprobs(rows, CURRENT);
    const saved = await create();
    await saved.policy.update(rows, adam);
    const spoilers = [(file: string) => rm(file), async (file: string) => truncate(file, Math.floor((await readFile(file)).length / 2))];
    for (const spoil of spoilers) {
      for (let index = 0; ; index++) {
        let files = 0;
        await withDirectory(async (directory) => {
          await saved.policy.saveState(directory);
          const names = (await readdir(directory)).sort();
          files = names.length;
          await spoil(join(directory, names[index]!));
          await expect(subject.policy.loadState(directory)).rejects.toThrow(CheckpointError);
        });
        if (index + 1 >= files) break;
      }
    }
    expect(await subject.policy.logprobs(rows, CURRENT)).toEqual(before);
  },

  "can be exported as a model folder": (subject) =>
    withDirectory(async (directory) => {
      await subject.policy.exportModel(directory);
      expect(await readdir(directory)).toContain("config.json");
    }),

  "is gone after close": async (subject) => {
    const rows = await trainingRows(subject);
    await subject.policy.close();
    const { policy } = subject;
    const calls = [
      () => policy.sample(request(subject)),
      () => policy.logprobs(rows, CURRENT),
      () => policy.update(rows, adam),
      () => policy.snapshot("teacher"),
      () => policy.saveState(tmpdir()),
      () => policy.loadState(tmpdir()),
      () => policy.exportModel(tmpdir()),
    ];
    for (const call of calls) await expect(call()).rejects.toThrow(PolicyError);
  },
};
