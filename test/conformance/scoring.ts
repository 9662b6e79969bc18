import { expect } from "vitest";
import { PolicyError } from "../../src/errors.ts";
import { CURRENT } from "../../src/policy.ts";
import { sum } from "../../src/util/statistics.ts";
import { adam, expectClose, IMPORTANCE, nextLogprobs, request, sampledSequences, trainingRows } from "./subject.ts";
import type { Check } from "./subject.ts";

export const inputs: Record<string, Check> = {
  "that are no tokens of the model are refused": async ({ policy, prompts }) => {
    const { vocabularySize } = policy.description;
    for (const token of [vocabularySize, -1, 0.5]) {
      const bad = [prompts[0]![0]!, token];
      await expect(policy.sample(request({ policy, prompts: [bad] }))).rejects.toThrow(PolicyError);
      await expect(policy.logprobs([{ prompt: prompts[0]!, completion: bad }], CURRENT)).rejects.toThrow(new RegExp(`${token}.*${vocabularySize}`));
    }
    await expect(policy.sample(request({ policy, prompts: [[]] }))).rejects.toThrow(PolicyError);
    await expect(policy.sample(request({ policy, prompts }, { maxTokens: 0 }))).rejects.toThrow(PolicyError);
  },

  "that are not aligned with their completion are refused, and nothing is trained": async (subject) => {
    const rows = await trainingRows(subject);
    const before = await subject.policy.logprobs(rows, CURRENT);
    for (const name of ["logprobs", "advantages", "weights"] as const) {
      const short = { ...rows[0]!, [name]: Array.from(rows[0]![name]).slice(1) };
      await expect(subject.policy.update([...rows.slice(1), short], { ...adam, loss: IMPORTANCE })).rejects.toThrow(new RegExp(name));
    }
    const { weights } = rows[0]!;
    const shortReturns = { ...rows[0]!, critic: { values: weights, returns: Array.from(weights).slice(1) } };
    await expect(subject.policy.update([...rows.slice(1), shortReturns], adam)).rejects.toThrow("returns");
    expect(await subject.policy.logprobs(rows, CURRENT)).toEqual(before);
  },
};

export const logprobs: Record<string, Check> = {
  "are those of a distribution": async (subject) => {
    for (const prompt of subject.prompts.slice(0, 2)) {
      const total = sum((await nextLogprobs(subject.policy, prompt, prompt.slice(0, 2))).map(Math.exp));
      expect(Math.abs(total - 1)).toBeLessThan(1e-4);
    }
  },

  "do not depend on the other sequences": async (subject) => {
    const sequences = await sampledSequences(subject);
    const together = await subject.policy.logprobs(sequences, CURRENT);
    const backwards = await subject.policy.logprobs([...sequences].reverse(), CURRENT);
    expectClose([...backwards].reverse(), together, 1e-4);
    const alone: Float32Array[] = [];
    for (const sequence of sequences) alone.push(...(await subject.policy.logprobs([sequence], CURRENT)));
    expectClose(alone, together, 1e-4);
  },

  "of an empty list are an empty list": async (subject) => {
    expect(await subject.policy.logprobs([], CURRENT)).toEqual([]);
  },

  "refuse weights that do not exist, by name": async (subject) => {
    const [sequence] = await sampledSequences(subject);
    await expect(subject.policy.logprobs([sequence!], "nobody")).rejects.toThrow(PolicyError);
    await expect(subject.policy.logprobs([sequence!], "nobody")).rejects.toThrow("nobody");
    await expect(subject.policy.sample(request(subject, { weights: "nobody" }))).rejects.toThrow("nobody");
  },
};
