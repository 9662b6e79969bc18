import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { CURRENT } from "../../src/policy.ts";
import type { Loss, Policy, SampleRequest, UpdateOptions } from "../../src/policy.ts";
import type { TokenSequence, TrainingRow } from "../../src/types.ts";
import { strictZip } from "../../src/util/strict-zip.ts";

/** A fresh policy with a vocabulary of at most 1,024 tokens. Every call of a suite's `create` gives the same weights. */
export interface Subject {
  readonly policy: Policy;
  /** At least two prompts of different lengths, on which the next token is not nearly certain. */
  readonly prompts: readonly (readonly number[])[];
}

export type Check = (subject: Subject, create: () => Promise<Subject>) => Promise<void>;

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

/** Sums the losses of all tokens by the formulas of the port. */
export function expectedLoss(loss: Loss, rows: readonly TrainingRow[], logprobs: readonly Float32Array[]): { value: number; clipped: number; tokens: number } {
  const total = { value: 0, clipped: 0, tokens: 0 };
  for (const [row, logprobs_T] of strictZip(rows, logprobs)) {
    logprobs_T.forEach((logprob, t) => {
      const advantage = row.advantages[t]!;
      const ratio = Math.exp(logprob - row.logprobs[t]!);
      let value = loss.kind === "cross_entropy" ? -logprob : -ratio * advantage;
      if (loss.kind === "ppo") {
        const bounded = ratio < 1 - loss.clipLow ? 1 - loss.clipLow : ratio > 1 + loss.clipHigh ? 1 + loss.clipHigh : ratio;
        const pessimistic = Math.min(ratio * advantage, bounded * advantage);
        const gain = loss.dualClip !== undefined && advantage < 0 ? Math.max(pessimistic, loss.dualClip * advantage) : pessimistic;
        if (gain !== ratio * advantage) total.clipped += 1;
        value = -gain;
      }
      total.value += row.weights[t]! * value;
      total.tokens += 1;
    });
  }
  return total;
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
