import { readdir, readFile, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { CheckpointError, PolicyError } from "../../src/errors.ts";
import { CURRENT, REFERENCE } from "../../src/policy.ts";
import type { Policy } from "../../src/policy.ts";
import { adam, request, trainingRows, withDirectory } from "./rows.ts";
import type { Check } from "./subject.ts";

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
