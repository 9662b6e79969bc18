import { expect } from "vitest";
import { PolicyError } from "../../src/errors.ts";
import { CURRENT } from "../../src/policy.ts";
import type { SampleRequest } from "../../src/policy.ts";
import type { Completion } from "../../src/types.ts";
import { sum } from "../../src/util/statistics.ts";
import { strictZip } from "../../src/util/strict-zip.ts";
import { expectClose, nextLogprobs, request } from "./subject.ts";
import type { Check, Subject } from "./subject.ts";

/** Throws when observed counts are further from the probabilities than chance explains (5 sigma of chi-square). */
function expectFrequencies(counts: readonly number[], probabilities: readonly number[]): void {
  const draws = sum(counts);
  const bins = strictZip(counts, probabilities).map(([observed, probability]) => ({ observed, expected: draws * probability }));
  const rare = bins.filter(({ expected }) => expected < 5);
  const pooled = { observed: sum(rare.map(({ observed }) => observed)), expected: sum(rare.map(({ expected }) => expected)) };
  const tested = [...bins.filter(({ expected }) => expected >= 5), ...(pooled.expected >= 5 ? [pooled] : [])];
  expect(tested.length).toBeGreaterThan(1);
  // Bins too rare for the approximation: five standard deviations of a Poisson count.
  if (pooled.expected < 5) expect(pooled.observed).toBeLessThanOrEqual(pooled.expected + 5 * Math.sqrt(pooled.expected) + 1e-3);
  const statistic = sum(tested.map(({ observed, expected }) => (observed - expected) ** 2 / expected));
  const freedom = tested.length - 1;
  expect(statistic).toBeLessThan(freedom + 5 * Math.sqrt(2 * freedom));
}

async function expectFirstTokens(subject: Subject, changes: Partial<SampleRequest>, probabilities: readonly number[]): Promise<void> {
  const [completions] = await subject.policy.sample(
    request(subject, { prompts: [subject.prompts[0]!], count: 2000, maxTokens: 1, seed: 11, ...changes }),
  );
  const counts = probabilities.map(() => 0);
  for (const { tokens } of completions!) counts[tokens[0]!]! += 1;
  expectFrequencies(counts, probabilities);
}

/** The probabilities at a temperature, of the tokens that are kept, made to sum to 1. */
function renormalized(logprobs: readonly number[], temperature: number, keep: (rank: number) => boolean): number[] {
  const order = [...logprobs.keys()].sort((a, b) => logprobs[b]! - logprobs[a]!);
  const masses = logprobs.map((logprob, token) => (keep(order.indexOf(token)) ? Math.exp(logprob / temperature) : 0));
  return masses.map((mass) => mass / sum(masses));
}

const tokensOf = (completions_P_G: readonly (readonly Completion[])[]) => completions_P_G.map((completions_G) => completions_G.map(({ tokens }) => tokens));

export const sampling: Record<string, Check> = {
  "gives the asked number of completions for each prompt, in order": async (subject) => {
    const completions_P_G = await subject.policy.sample(request(subject, { count: 3 }));
    expect(completions_P_G.map((completions_G) => completions_G.length)).toEqual(subject.prompts.map(() => 3));
    // A completion is its prompt's own: its logprobs after that prompt are those that were reported.
    const sequences = strictZip(subject.prompts, completions_P_G).flatMap(([prompt, completions_G]) => completions_G.map(({ tokens }) => ({ prompt, completion: tokens })));
    expectClose(completions_P_G.flat().map(({ logprobs }) => logprobs), await subject.policy.logprobs(sequences, CURRENT), 1e-4);
  },

  "tells of a prompt's completions at most once before all are there, as it gives them then": async (subject) => {
    const told: (readonly [number, readonly Completion[]])[] = [];
    const completions_P_G = await subject.policy.sample(request(subject), (...arrived) => told.push(arrived));
    const before = told.length;
    expect(new Set(told.map(([prompt]) => prompt)).size).toBe(before);
    for (const [prompt, completions_G] of told) expect(completions_G).toEqual(completions_P_G[prompt]);
    expect(await subject.policy.sample(request(subject))).toEqual(completions_P_G);
    expect(told.length).toBe(before);
    if (before > 0) await expect(subject.policy.sample(request(subject), () => { throw new Error("not readable"); })).rejects.toThrow("not readable");
  },

  "draws the same completions for the same seed, and others for another": async (subject) => {
    const drawn = await subject.policy.sample(request(subject, { count: 8 }));
    expect(await subject.policy.sample(request(subject, { count: 8 }))).toEqual(drawn);
    expect(tokensOf(await subject.policy.sample(request(subject, { count: 8, seed: 2 })))).not.toEqual(tokensOf(drawn));
  },

  "draws the completions of one prompt independently": async (subject) => {
    const [completions] = await subject.policy.sample(request(subject, { prompts: [subject.prompts[0]!, subject.prompts[0]!], count: 8 }));
    expect(new Set(completions!.map(({ tokens }) => tokens.join(" "))).size).toBeGreaterThan(1);
  },

  "ends at maxTokens": async (subject) => {
    for (const { tokens, logprobs, stopReason } of (await subject.policy.sample(request(subject, { maxTokens: 3 }))).flat()) {
      expect([tokens.length, logprobs.length, stopReason]).toEqual([3, 3, "length"]);
    }
  },

  "ends after a stop token, which it includes": async (subject) => {
    const free = (await subject.policy.sample(request(subject, { count: 16 }))).flat();
    // Stop at the token that is in about half of them, so that both endings occur.
    const distance = (token: number) => Math.abs(free.filter(({ tokens }) => tokens.includes(token)).length - free.length / 2);
    const stop = free.flatMap(({ tokens }) => tokens).reduce((best, token) => (distance(token) < distance(best) ? token : best));
    const completions = (await subject.policy.sample(request(subject, { count: 16, stopTokens: [stop] }))).flat();
    expect(new Set(completions.map(({ stopReason }) => stopReason))).toEqual(new Set(["stop", "length"]));
    for (const { tokens, logprobs, stopReason } of completions) {
      expect(logprobs.length).toBe(tokens.length);
      expect(tokens.indexOf(stop)).toBe(stopReason === "stop" ? tokens.length - 1 : -1);
      if (stopReason === "length") expect(tokens.length).toBe(6);
    }
  },

  "takes the likeliest token at temperature 0": async (subject) => {
    const [[greedy]] = (await subject.policy.sample(request(subject, { count: 1, temperature: 0, maxTokens: 3 }))) as [[Completion]];
    for (const [t, token] of greedy.tokens.entries()) {
      const logprobs = await nextLogprobs(subject.policy, subject.prompts[0]!, greedy.tokens.slice(0, t));
      expect(logprobs[token]!).toBeGreaterThan(Math.max(...logprobs) - 1e-4);
    }
  },

  "takes the likeliest token when only one is kept": async (subject) => {
    const greedy = tokensOf(await subject.policy.sample(request(subject, { count: 1, temperature: 0 })));
    expect(tokensOf(await subject.policy.sample(request(subject, { count: 1, topK: 1 })))).toEqual(greedy);
    expect(tokensOf(await subject.policy.sample(request(subject, { count: 1, topP: 1e-6 })))).toEqual(greedy);
  },

  "reports logprobs at temperature 1, whatever the sampling": async (subject) => {
    const altered = request(subject, { temperature: 0.6, topK: 5, topP: 0.9 });
    const completions = await subject.policy.sample(altered);
    const sequences = strictZip(subject.prompts, completions).flatMap(([prompt, own]) => own.map(({ tokens }) => ({ prompt, completion: tokens })));
    expectClose(completions.flat().map(({ logprobs }) => logprobs), await subject.policy.logprobs(sequences, CURRENT), 1e-4);
  },

  "draws tokens as often as their probabilities say": async (subject) => {
    const logprobs = await nextLogprobs(subject.policy, subject.prompts[0]!);
    await expectFirstTokens(subject, {}, renormalized(logprobs, 1, () => true));
    await expectFirstTokens(subject, { temperature: 0.5 }, renormalized(logprobs, 0.5, () => true));
  },

  "keeps the topK likeliest tokens": async (subject) => {
    const logprobs = await nextLogprobs(subject.policy, subject.prompts[0]!);
    await expectFirstTokens(subject, { topK: 3 }, renormalized(logprobs, 1, (rank) => rank < 3));
  },

  "keeps the fewest tokens with a mass of topP": async (subject) => {
    const logprobs = await nextLogprobs(subject.policy, subject.prompts[0]!);
    const masses = logprobs.map(Math.exp).sort((a, b) => b - a);
    // A mass in the middle between that of the 3 and of the 4 likeliest needs 4.
    const topP = sum(masses.slice(0, 3)) + masses[3]! / 2;
    await expectFirstTokens(subject, { topP }, renormalized(logprobs, 1, (rank) => rank < 4));
  },

  "refuses a prompt that leaves no room in the context, naming both lengths": async (subject) => {
    const { contextLength } = subject.policy.description;
    for (const length of [contextLength + 3, contextLength - 5]) {
      const prompt = new Array<number>(length).fill(subject.prompts[0]![0]!);
      const sampled = subject.policy.sample(request(subject, { prompts: [subject.prompts[0]!, prompt], maxTokens: 6 }));
      await expect(sampled).rejects.toThrow(PolicyError);
      await expect(sampled).rejects.toThrow(new RegExp(`${length}.*${contextLength}`));
      await expect(subject.policy.logprobs([{ prompt, completion: prompt.slice(0, 6) }], CURRENT)).rejects.toThrow(PolicyError);
    }
  },
};
