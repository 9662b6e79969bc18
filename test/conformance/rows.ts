import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { CURRENT } from "../../src/policy.ts";
import type { Loss, Policy, SampleRequest, UpdateOptions } from "../../src/policy.ts";
import type { TokenSequence, TrainingRow } from "../../src/types.ts";
import { strictZip } from "../../src/util/strict-zip.ts";
import type { Subject } from "./subject.ts";

export const IMPORTANCE: Loss = { kind: "importance_sampling" };

export const adam: UpdateOptions = {
  loss: IMPORTANCE,
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0,
  maxGradientNorm: Infinity,
};

/** The first AdamW update with a huge epsilon is plain gradient descent: weights -= rate * gradient. */
export function gradientDescent(rate: number, loss: Loss): UpdateOptions {
  const epsilon = 1e6;
  return { ...adam, loss, epsilon, learningRate: rate * epsilon };
}

/** A rate of descent that moves the loss by about 0.02 and the weights by at most that: small enough to be linear, large enough for float32. */
export function smallRate(gradientNorm: number): number {
  return 0.02 / gradientNorm / Math.max(1, gradientNorm);
}

export function request({ prompts }: Subject, changes: Partial<SampleRequest> = {}): SampleRequest {
  return { prompts, count: 4, weights: CURRENT, seed: 1, temperature: 1, topP: 1, topK: 0, stopTokens: [], maxTokens: 6, ...changes };
}

/** Sampled sequences of all prompts, of lengths 1 to 6. */
export async function sampledSequences(subject: Subject): Promise<(TokenSequence & { readonly sampled: Float32Array })[]> {
  const completions_P_G = await subject.policy.sample(request(subject));
  return strictZip(subject.prompts, completions_P_G).flatMap(([prompt, completions_G]) =>
    completions_G.map(({ tokens, logprobs }, index) => {
      const length = 1 + ((index * 5) % 6);
      return { prompt, completion: tokens.slice(0, length), sampled: logprobs.slice(0, length) };
    }),
  );
}

/** Ragged rows with advantages of both signs whose ratios, 1.19 on average, lie well inside and outside of the clip range. */
export async function trainingRows(subject: Subject): Promise<TrainingRow[]> {
  const offsets = [-0.5, -0.08, 0.5, -0.05, -0.45];
  const sequences = await sampledSequences(subject);
  return sequences.map(({ prompt, completion, sampled }, row) => ({
    prompt,
    completion,
    logprobs: sampled.map((logprob, t) => logprob + offsets[(row + t) % offsets.length]!),
    advantages: completion.map((_, t) => ((row + 2 * t) % 3) - 0.8),
    weights: completion.map((_, t) => (1 + ((row + t) % 2)) / 20),
  }));
}

/** Natural-log probability of every token of the vocabulary after a sequence. */
export async function nextLogprobs(policy: Policy, prompt: readonly number[], completion: readonly number[] = []): Promise<number[]> {
  const vocabulary = Array.from({ length: policy.description.vocabularySize }, (_, token) => token);
  const sequences = vocabulary.map((token) => ({ prompt, completion: [...completion, token] }));
  return (await policy.logprobs(sequences, CURRENT)).map((logprobs) => logprobs.at(-1)!);
}

export function expectClose(actual: readonly Float32Array[], expected: readonly Float32Array[], tolerance: number): void {
  for (const [actual_T, expected_T] of strictZip(actual, expected)) {
    expect(actual_T.length).toBe(expected_T.length);
    actual_T.forEach((value, t) => expect(Math.abs(value - expected_T[t]!)).toBeLessThanOrEqual(tolerance));
  }
}

export async function withDirectory(use: (path: string) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), "selftrain-policy-"));
  try {
    await use(path);
  } finally {
    await rm(path, { recursive: true });
  }
}

/** Gives a function that takes the policy back to its state of now. */
export async function withReset(policy: Policy, use: (reset: () => Promise<void>) => Promise<void>): Promise<void> {
  await withDirectory(async (directory) => {
    await policy.saveState(directory);
    await use(() => policy.loadState(directory));
  });
}
