import { mkdtemp, readdir, readFile, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CheckpointError, PolicyError } from "../src/errors.ts";
import { CURRENT, REFERENCE } from "../src/policy.ts";
import type { CriticOptions, Loss, Policy, SampleRequest, UpdateOptions } from "../src/policy.ts";
import type { Completion, TokenSequence, TrainingRow } from "../src/types.ts";
import { sum } from "../src/util/statistics.ts";
import { strictZip } from "../src/util/strict-zip.ts";

/** A fresh policy with a vocabulary of at most 1,024 tokens. Every call of a suite's `create` gives the same weights. */
export interface Subject {
  readonly policy: Policy;
  /** At least two prompts of different lengths, on which the next token is not nearly certain. */
  readonly prompts: readonly (readonly number[])[];
}

/** A test that an implementation does not pass, by its title, and why it need not. */
export interface Deviation {
  readonly test: string;
  readonly reason: string;
}

type Check = (subject: Subject, create: () => Promise<Subject>) => Promise<void>;

/** Runs what `src/policy.ts` promises as a vitest suite over one implementation. */
export function policyConformance(name: string, create: () => Promise<Subject>, deviations: readonly Deviation[] = []): void {
  const unknown = deviations.find(({ test }) => !Object.values(checks).some((group) => test in group));
  if (unknown) throw new Error(`the conformance suite has no test "${unknown.test}"`);
  describe(`${name} conforms to the policy port`, () => {
    for (const [group, tests] of Object.entries(checks)) {
      describe(group, () => {
        for (const [title, check] of Object.entries(tests)) {
          it(title, async (context) => {
            const deviation = deviations.find(({ test }) => test === title);
            if (deviation) {
              console.warn(`${name} deviates: ${title}: ${deviation.reason}`);
              context.skip(deviation.reason);
            }
            const open: Subject[] = [];
            const createOpen = async () => {
              const subject = await create();
              open.push(subject);
              return subject;
            };
            try {
              await check(await createOpen(), createOpen);
            } finally {
              await Promise.allSettled(open.map(({ policy }) => policy.close()));
            }
          });
        }
      });
    }
  });
}

const IMPORTANCE: Loss = { kind: "importance_sampling" };
const LOSSES: readonly Loss[] = [IMPORTANCE, { kind: "ppo", clipLow: 0.2, clipHigh: 0.2 }, { kind: "ppo", clipLow: 0.2, clipHigh: 0.2, dualClip: 1.4 }, { kind: "cross_entropy" }];

const adam: UpdateOptions = {
  loss: IMPORTANCE,
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0,
  maxGradientNorm: Infinity,
};

/** The first AdamW update with a huge epsilon is plain gradient descent: weights -= rate * gradient. */
function gradientDescent(rate: number, loss: Loss): UpdateOptions {
  const epsilon = 1e6;
  return { ...adam, loss, epsilon, learningRate: rate * epsilon };
}

/** A rate of descent that moves the loss by about 0.02 and the weights by at most that: small enough to be linear, large enough for float32. */
function smallRate(gradientNorm: number): number {
  return 0.02 / gradientNorm / Math.max(1, gradientNorm);
}

function request({ prompts }: Subject, changes: Partial<SampleRequest> = {}): SampleRequest {
  return { prompts, count: 4, weights: CURRENT, seed: 1, temperature: 1, topP: 1, topK: 0, stopTokens: [], maxTokens: 6, ...changes };
}

/** Sampled sequences of all prompts, of lengths 1 to 6. */
async function sampledSequences(subject: Subject): Promise<(TokenSequence & { readonly sampled: Float32Array })[]> {
  const completions_P_G = await subject.policy.sample(request(subject));
  return strictZip(subject.prompts, completions_P_G).flatMap(([prompt, completions_G]) =>
    completions_G.map(({ tokens, logprobs }, index) => {
      const length = 1 + ((index * 5) % 6);
      return { prompt, completion: tokens.slice(0, length), sampled: logprobs.slice(0, length) };
    }),
  );
}

/** Ragged rows with advantages of both signs whose ratios, 1.19 on average, lie well inside and outside of the clip range. */
async function trainingRows(subject: Subject): Promise<TrainingRow[]> {
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
function expectedLoss(loss: Loss, rows: readonly TrainingRow[], logprobs: readonly Float32Array[]): { value: number; clipped: number; tokens: number } {
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
async function nextLogprobs(policy: Policy, prompt: readonly number[], completion: readonly number[] = []): Promise<number[]> {
  const vocabulary = Array.from({ length: policy.description.vocabularySize }, (_, token) => token);
  const sequences = vocabulary.map((token) => ({ prompt, completion: [...completion, token] }));
  return (await policy.logprobs(sequences, CURRENT)).map((logprobs) => logprobs.at(-1)!);
}

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

/** Rows for the critic alone; old values and returns lie around the current ones, some values beyond the clip of `CRITIC`. */
async function criticRows({ policy, prompts }: Subject): Promise<CriticRow[]> {
  const rows = await trainingRows({ policy, prompts });
  const around = (values: Float32Array, offsets: readonly number[], row: number) => Array.from(values, (value, t) => value + offsets[(row + t) % offsets.length]!);
  return strictZip(rows, await policy.values(rows)).map(([row, values_T], index) => ({
    ...row,
    advantages: values_T.map(() => 0),
    critic: { values: around(values_T, [0.1, -0.6, 0.5, -0.1], index), returns: around(values_T, [-0.7, 0.9, 1.2], index) },
  }));
}

type CriticRow = TrainingRow & Required<Pick<TrainingRow, "critic">>;
const CRITIC: CriticOptions = { coefficient: 0.6, clip: 0.3 };

/** Sums the critic's losses by the formula of the port, and counts those of either kind. */
function expectedCriticLoss(rows: readonly CriticRow[], values: readonly Float32Array[]): { value: number; free: number; limited: number } {
  const total = { value: 0, free: 0, limited: 0 };
  for (const [{ critic, weights }, values_T] of strictZip(rows, values)) {
    values_T.forEach((value, t) => {
      const [old, target] = [critic.values[t]!, critic.returns[t]!];
      const nearest = Math.abs(value - old) <= CRITIC.clip ? value : old + Math.sign(value - old) * CRITIC.clip;
      const [free, limited] = [(value - target) ** 2, (nearest - target) ** 2];
      total.value += (weights[t]! * CRITIC.coefficient * Math.max(free, limited)) / 2;
      total[limited > free ? "limited" : "free"] += 1;
    });
  }
  return total;
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

function expectClose(actual: readonly Float32Array[], expected: readonly Float32Array[], tolerance: number): void {
  for (const [actual_T, expected_T] of strictZip(actual, expected)) {
    expect(actual_T.length).toBe(expected_T.length);
    actual_T.forEach((value, t) => expect(Math.abs(value - expected_T[t]!)).toBeLessThanOrEqual(tolerance));
  }
}

const tokensOf = (completions_P_G: readonly (readonly Completion[])[]) => completions_P_G.map((completions_G) => completions_G.map(({ tokens }) => tokens));

async function withDirectory(use: (path: string) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), "selftrain-policy-"));
  try {
    await use(path);
  } finally {
    await rm(path, { recursive: true });
  }
}

/** Gives a function that takes the policy back to its state of now. */
async function withReset(policy: Policy, use: (reset: () => Promise<void>) => Promise<void>): Promise<void> {
  await withDirectory(async (directory) => {
    await policy.saveState(directory);
    await use(() => policy.loadState(directory));
  });
}

const sampling: Record<string, Check> = {
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

const inputs: Record<string, Check> = {
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

const logprobs: Record<string, Check> = {
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

const updates: Record<string, Check> = {
  "raise the logprob of a completion with a positive advantage and lower that of one with a negative": (subject) =>
    withReset(subject.policy, async (reset) => {
      const { prompt, completion, sampled } = (await sampledSequences(subject)).find(({ sampled }) => sampled.length > 2)!;
      const constant = (value: number) => completion.map(() => value);
      for (const advantage of [1, -1]) {
        await reset();
        await subject.policy.update([{ prompt, completion, logprobs: sampled, advantages: constant(advantage), weights: constant(0.1) }], adam);
        const [after] = await subject.policy.logprobs([{ prompt, completion }], CURRENT);
        expect(Math.sign(sum(after!) - sum(sampled))).toBe(advantage);
      }
    }),

  "report the weighted loss, the share of clipped tokens and the tokens": (subject) =>
    withReset(subject.policy, async (reset) => {
      const rows = await trainingRows(subject);
      const logprobs = await subject.policy.logprobs(rows, CURRENT);
      const shares: number[] = [];
      for (const loss of LOSSES) {
        await reset();
        const expected = expectedLoss(loss, rows, logprobs);
        const report = await subject.policy.update(rows, { ...adam, loss });
        expect(Math.abs(report.loss - expected.value)).toBeLessThan(1e-4);
        expect(report.tokens).toBe(expected.tokens);
        expect(report.clipFraction).toBeCloseTo(expected.clipped / expected.tokens, 6);
        expect(report.skipped).toBe(false);
        if (loss.kind === "ppo") shares.push(report.clipFraction);
      }
      // A dual clip clips more than one alone, which clips some.
      expect(shares[0]).toBeGreaterThan(0);
      expect(shares[1]).toBeGreaterThan(shares[0]!);
    }),

  "follow the gradient of the loss": (subject) =>
    withReset(subject.policy, async (reset) => {
      const { policy } = subject;
      const rows = await trainingRows(subject);
      const descend = async (sign: number, rate: number, loss: Loss) => {
        await reset();
        const signed = rows.map((row) => ({ ...row, weights: Array.from(row.weights, (weight) => sign * weight) }));
        const { gradientNorm } = await policy.update(signed, gradientDescent(rate, loss));
        return { gradientNorm, value: expectedLoss(loss, rows, await policy.logprobs(rows, CURRENT)).value };
      };
      for (const loss of LOSSES) {
        const { gradientNorm } = await descend(1, 0, loss);
        expect(gradientNorm).toBeGreaterThan(0);
        // Down the gradient, and up it with all weights negated: a central difference along the gradient.
        const rate = smallRate(gradientNorm);
        const down = await descend(1, rate, loss);
        const up = await descend(-1, rate, loss);
        const slope = (up.value - down.value) / (2 * rate);
        expect(Math.abs(slope / gradientNorm ** 2 - 1)).toBeLessThan(0.02);
      }
    }),

  "scale a gradient over the largest norm down to it": (subject) =>
    withReset(subject.policy, async (reset) => {
      const { policy } = subject;
      const rows = await trainingRows(subject);
      const before = expectedLoss(IMPORTANCE, rows, await policy.logprobs(rows, CURRENT)).value;
      const { gradientNorm } = await policy.update(rows, gradientDescent(0, IMPORTANCE));
      const movement = async (maxGradientNorm: number) => {
        await reset();
        const report = await policy.update(rows, { ...gradientDescent(smallRate(gradientNorm), IMPORTANCE), maxGradientNorm });
        expect(Math.abs(report.gradientNorm / gradientNorm - 1)).toBeLessThan(1e-4);
        return expectedLoss(IMPORTANCE, rows, await policy.logprobs(rows, CURRENT)).value - before;
      };
      const whole = await movement(2 * gradientNorm);
      expect(whole).toBeLessThan(0);
      expect(Math.abs((await movement(0.5 * gradientNorm)) / whole - 0.5)).toBeLessThan(0.03);
    }),

  "leave out tokens of weight 0": async (subject, create) => {
    const rows = (await trainingRows(subject)).map((row) => ({ ...row, weights: Array.from(row.weights, (weight, t) => (t % 2 === 0 ? weight : 0)) }));
    const altered = rows.map((row) => ({
      ...row,
      advantages: Array.from(row.advantages, (advantage, t) => (t % 2 === 0 ? advantage : 7)),
      logprobs: Array.from(row.logprobs, (logprob, t) => (t % 2 === 0 ? logprob : -3)),
    }));
    const other = await create();
    const reports = [await subject.policy.update(rows, gradientDescent(0.05, IMPORTANCE)), await other.policy.update(altered, gradientDescent(0.05, IMPORTANCE))];
    expect(reports[1]!.loss).toBeCloseTo(reports[0]!.loss, 6);
    expectClose(await other.policy.logprobs(rows, CURRENT), await subject.policy.logprobs(rows, CURRENT), 1e-6);
  },

  "do not depend on the order of the rows": async (subject, create) => {
    const rows = await trainingRows(subject);
    const other = await create();
    const report = await subject.policy.update(rows, gradientDescent(0.05, IMPORTANCE));
    const backwards = await other.policy.update([...rows].reverse(), gradientDescent(0.05, IMPORTANCE));
    expect(backwards.loss).toBeCloseTo(report.loss, 5);
    expect(Math.abs(backwards.gradientNorm / report.gradientNorm - 1)).toBeLessThan(1e-4);
    expectClose(await other.policy.logprobs(rows, CURRENT), await subject.policy.logprobs(rows, CURRENT), 1e-5);
  },

  "change nothing at a learning rate of 0": async (subject) => {
    const rows = await trainingRows(subject);
    const before = await subject.policy.logprobs(rows, CURRENT);
    await subject.policy.update(rows, { ...adam, learningRate: 0, weightDecay: 0.1 });
    expect(await subject.policy.logprobs(rows, CURRENT)).toEqual(before);
  },

  "are skipped when the gradient is not finite": async (subject, create) => {
    const rows = await trainingRows(subject);
    const before = await subject.policy.logprobs(rows, CURRENT);
    for (const value of [Number.NaN, Infinity]) {
      const [first, ...others] = rows;
      const report = await subject.policy.update([{ ...first!, advantages: Array.from(first!.advantages, () => value) }, ...others], adam);
      expect(report.skipped).toBe(true);
      expect(await subject.policy.logprobs(rows, CURRENT)).toEqual(before);
    }
    // The optimizer is as new, too.
    const other = await create();
    await subject.policy.update(rows, adam);
    await other.policy.update(rows, adam);
    expect(await subject.policy.logprobs(rows, CURRENT)).toEqual(await other.policy.logprobs(rows, CURRENT));
  },

  "leave their inputs as they are": async (subject) => {
    const rows = await trainingRows(subject);
    const copy = structuredClone(rows);
    await subject.policy.update(rows, adam);
    expect(rows).toEqual(copy);
  },

  "take effect in the order of the calls, awaited or not": async (subject, create) => {
    const rows = await trainingRows(subject);
    const { policy } = await create();
    const expected: (readonly Float32Array[])[] = [];
    const pending: Promise<readonly Float32Array[]>[] = [];
    for (let update = 0; update < 4; update++) {
      await policy.update(rows, adam);
      expected.push(await policy.logprobs(rows, CURRENT));
    }
    for (let update = 0; update < 4; update++) {
      void subject.policy.update(rows, adam);
      pending.push(subject.policy.logprobs(rows, CURRENT));
    }
    expect(await Promise.all(pending)).toEqual(expected);
  },
};

const versions: Record<string, Check> = {
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

const critic: Record<string, Check> = {
  "has a value before each token": withCritic(async (subject) => {
    const { policy } = subject;
    const sequences = await sampledSequences(subject);
    await policy.update(await criticRows(subject), { ...adam, critic: CRITIC });
    const values = await policy.values(sequences);
    expect(values.map(({ length }) => length)).toEqual(sequences.map(({ completion }) => completion.length));
    expect(new Set(values.flatMap((values_T) => [...values_T])).size).toBeGreaterThan(1);
    // What comes later says nothing of a value.
    const cut = sequences.map(({ prompt, completion }) => ({ prompt, completion: completion.slice(0, 1) }));
    expectClose(await policy.values(cut), values.map((values_T) => values_T.slice(0, 1)), 1e-5);
  }),

  "is moved towards its returns": withCritic(async (subject) => {
    const { policy } = subject;
    const distance = (rows: readonly CriticRow[], values: readonly Float32Array[]) =>
      sum(strictZip(rows, values).flatMap(([{ critic: { returns } }, values_T]) => Array.from(values_T, (value, t) => (value - returns[t]!) ** 2)));
    const rows = (await criticRows(subject)).map((row) => ({ ...row, critic: { values: row.critic.values, returns: Array.from(row.critic.returns, (_, t) => 1 + t / 10) } }));
    const before = distance(rows, await policy.values(rows));
    for (let update = 0; update < 30; update++) await policy.update(rows, { ...adam, learningRate: 0.05, critic: { coefficient: 1, clip: 10 } });
    expect(distance(rows, await policy.values(rows))).toBeLessThan(0.2 * before);
  }),

  "follows the gradient of its loss, which is reported": withCritic(async (subject) => {
    const { policy } = subject;
    // At the start the values are all the same; here they depend on all that they are made of.
    for (let update = 0; update < 5; update++) await policy.update(await criticRows(subject), { ...adam, learningRate: 0.02, critic: CRITIC });
    const rows = await criticRows(subject);
    await withReset(policy, async (reset) => {
      const descend = async (sign: number, rate: number) => {
        await reset();
        const signed = rows.map((row) => ({ ...row, weights: Array.from(row.weights, (weight) => sign * weight) }));
        // Without a memory of earlier gradients every update is as the first.
        const report = await policy.update(signed, { ...gradientDescent(rate, IMPORTANCE), beta1: 0, critic: CRITIC });
        return { report, value: expectedCriticLoss(rows, await policy.values(rows)).value };
      };
      const { report, value } = await descend(1, 0);
      const { free, limited } = expectedCriticLoss(rows, await policy.values(rows));
      expect(Math.min(free, limited)).toBeGreaterThan(0);
      expect(Math.abs(report.loss - value)).toBeLessThan(1e-5);
      const rate = smallRate(report.gradientNorm);
      const [down, up] = [await descend(1, rate), await descend(-1, rate)];
      expect(Math.abs((up.value - down.value) / (2 * rate) / report.gradientNorm ** 2 - 1)).toBeLessThan(0.02);
    });
  }),

  "takes no part in an update without its options, and none in rows without it": withCritic(async (subject) => {
    const { policy } = subject;
    const rows = await criticRows(subject);
    const policyAlone = await policy.update(rows, { ...adam, learningRate: 0 });
    expect(policyAlone.loss).toBeCloseTo(0, 6);
    const without = rows.map(({ prompt, completion, logprobs, advantages, weights }) => ({ prompt, completion, logprobs, advantages, weights }));
    expect((await policy.update(without, { ...adam, learningRate: 0, critic: CRITIC })).loss).toBeCloseTo(0, 6);
  }),

  "is kept in a saved state": withCritic(async (subject, create) => {
    const rows = await criticRows(subject);
    await subject.policy.update(rows, { ...adam, critic: CRITIC });
    const other = await create();
    expect(await other.policy.values(rows)).not.toEqual(await subject.policy.values(rows));
    await withDirectory(async (directory) => {
      await subject.policy.saveState(directory);
      await other.policy.loadState(directory);
    });
    expect(await other.policy.values(rows)).toEqual(await subject.policy.values(rows));
  }),
};

/** A check of policies with a critic; those without one refuse what is asked of it. */
function withCritic(check: Check): Check {
  return async (subject, create) => {
    const { policy } = subject;
    if (policy.description.capabilities.includes("critic")) return check(subject, create);
    const rows = await trainingRows(subject);
    await expect(policy.values(rows)).rejects.toThrow(PolicyError);
    await expect(policy.update(rows, { ...adam, critic: CRITIC })).rejects.toThrow(PolicyError);
  };
}

const state: Record<string, Check> = {
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

const checks: Record<string, Record<string, Check>> = { inputs, sampling, logprobs, updates, versions, critic, state };
