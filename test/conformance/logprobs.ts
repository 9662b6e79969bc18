import { expect } from "vitest";
import { PolicyError } from "../../src/errors.ts";
import { CURRENT } from "../../src/policy.ts";
import { sum } from "../../src/util/statistics.ts";
import { expectClose, nextLogprobs, request, sampledSequences } from "./rows.ts";
import type { Check } from "./subject.ts";

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
