import { expect } from "vitest";
import { PolicyError } from "../../src/errors.ts";
import { CURRENT } from "../../src/policy.ts";
import { adam, IMPORTANCE, request, trainingRows } from "./rows.ts";
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
