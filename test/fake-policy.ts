import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PolicyError } from "../src/errors.ts";
import { checkRequest, checkRow, checkSequence, CURRENT, REFERENCE } from "../src/policy.ts";
import type { CriticOptions, Loss, Policy, SampleRequest, UpdateOptions, WeightsName } from "../src/policy.ts";
import type { Completion, Grader, Renderer, TokenSequence, TrainingRow, UpdateReport } from "../src/types.ts";
import { createRandom, deriveSeed } from "../src/util/random.ts";
import type { Random } from "../src/util/random.ts";
import { END_TOKEN, FIRST_PROMPT_TOKEN, initialTable, LOGITS, logSoftmax, PARAMETERS, readState, rowStart, valuePlace, VOCABULARY, writeState } from "./fake-table.ts";
import type { State } from "./fake-table.ts";

export { END_TOKEN } from "./fake-table.ts";

/**
 * A policy that computes, for tests: the next token's distribution is a softmax over a row of a table of
 * logits, chosen by a hash of the prompt and by the position in the completion. Sampling, logprobs,
 * gradients and AdamW are exact (float64), so it learns as a model does, in microseconds. What it does not
 * have is memory: a token does not depend on the completion's tokens before it.
 */
export interface FakePolicyOptions {
  /** Seed of the initial table. */
  readonly seed?: number;
  readonly contextLength?: number;
  readonly model?: string;
  /** Whether it has a critic: a table of values beside that of logits. */
  readonly critic?: boolean;
}

/**
 * Text for the fake policy: prompts are their characters folded into the prompt tokens, and a completion
 * reads `\boxed{DIGITS}`, or nothing when it has no digit (then it abstains).
 */
export const fakeRenderer: Renderer = {
  encodePrompt: (prompt) => Array.from(prompt, (character) => FIRST_PROMPT_TOKEN + (character.codePointAt(0)! % (VOCABULARY - FIRST_PROMPT_TOKEN))),
  decode: (tokens) => {
    const digits = tokens.filter((token) => token > END_TOKEN && token < FIRST_PROMPT_TOKEN).map((token) => token - 1);
    return digits.length === 0 ? "" : `\\boxed{${digits.join("")}}`;
  },
  stopTokens: [END_TOKEN],
};

/** Reads the digits in the box; answers are the same when their digits are. */
export const fakeGrader: Grader = {
  extract: (text) => /\\boxed\{(\d+)\}/.exec(text)?.[1] ?? null,
  classes: (answers) => {
    const known = [...new Set(answers)];
    return answers.map((answer) => known.indexOf(answer));
  },
  same: (gold, prediction) => gold === prediction,
};

export function createFakePolicy({ seed = 0, contextLength = 64, model = "fake", critic = false }: FakePolicyOptions = {}): Policy {
  const initial = initialTable(createRandom(seed));
  let state: State = {
    weights: new Map([[CURRENT, initial], [REFERENCE, initial.slice()]]),
    first: new Float64Array(PARAMETERS),
    second: new Float64Array(PARAMETERS),
    updates: 0,
  };
  let closed = false;

  // Calls are carried out at once, so they take effect in the order in which they are made.
  const call = <T>(action: () => T): Promise<T> =>
    new Promise((resolve) => {
      if (closed) throw new PolicyError("the policy is closed; create another one");
      resolve(action());
    });
  const table = (name: WeightsName): Float64Array => {
    const weights = state.weights.get(name);
    if (!weights) throw new PolicyError(`there are no weights named "${name}"; there are ${[...state.weights.keys()].join(", ")}`);
    return weights;
  };

  return {
    description: {
      model,
      parameters: LOGITS,
      vocabularySize: VOCABULARY,
      contextLength,
      capabilities: ["export", "average", ...(critic ? ["critic" as const] : [])],
    },
    sample: (request) =>
      call(() => {
        checkRequest(request, { contextLength, vocabularySize: VOCABULARY });
        return request.prompts.map((prompt, index) =>
          Array.from({ length: request.count }, (_, member) =>
            sampleOne(prompt, request, table(request.weights), createRandom(deriveSeed(request.seed, index, member))),
          ),
        );
      }),
    logprobs: (sequences, name) =>
      call(() => {
        for (const sequence of sequences) checkSequence(sequence, { contextLength, vocabularySize: VOCABULARY });
        return sequences.map((sequence) => Float32Array.from(logprobsOf(sequence, table(name))));
      }),
    update: (rows, options) =>
      call(() => {
        for (const row of rows) checkRow(row, { contextLength, vocabularySize: VOCABULARY });
        if (options.critic && !critic) throw new PolicyError("the fake policy was made without a critic");
        const { gradient, ...report } = gradientOf(rows, options, table(CURRENT));
        if (!report.skipped) state = adamw(state, gradient, report.gradientNorm, options);
        return report;
      }),
    snapshot: (name) => call(() => void state.weights.set(name, table(CURRENT).slice())),
    average: (name, decay) =>
      call(() => {
        if (name === CURRENT || name === REFERENCE) throw new PolicyError(`the weights named ${name} are no snapshot`);
        state.weights.set(name, table(name).map((weight, index) => decay * weight + (1 - decay) * table(CURRENT)[index]!));
      }),
    values: (sequences) =>
      call(() => {
        if (!critic) throw new PolicyError("the fake policy was made without a critic");
        for (const sequence of sequences) checkSequence(sequence, { contextLength, vocabularySize: VOCABULARY });
        return sequences.map(({ prompt, completion }) => Float32Array.from(completion, (_, t) => table(CURRENT)[valuePlace(prompt, t)]!));
      }),
    saveState: (directory) => call(() => writeState(directory, model, state)),
    loadState: (directory) => call(() => void (state = readState(directory, model))),
    exportModel: (directory) =>
      call(() => {
        writeFileSync(join(directory, "config.json"), JSON.stringify({ model, vocabulary: VOCABULARY }));
        writeFileSync(join(directory, "weights.json"), JSON.stringify([...table(CURRENT).slice(0, LOGITS)]));
      }),
    close: () => call(() => void (closed = true)),
  };
}

function logprobsOf({ prompt, completion }: TokenSequence, weights: Float64Array): number[] {
  return completion.map((token, t) => logSoftmax(weights, rowStart(prompt, t))[token]!);
}

function sampleOne(prompt: readonly number[], request: SampleRequest, weights: Float64Array, random: Random): Completion {
  const tokens: number[] = [];
  const logprobs: number[] = [];
  while (tokens.length < request.maxTokens) {
    const distribution = logSoftmax(weights, rowStart(prompt, tokens.length));
    const token = draw(distribution, request, random);
    tokens.push(token);
    logprobs.push(distribution[token]!);
    if (request.stopTokens.includes(token)) return { tokens, logprobs: Float32Array.from(logprobs), stopReason: "stop" };
  }
  return { tokens, logprobs: Float32Array.from(logprobs), stopReason: "length" };
}

/** A token: temperature first, then the `topK` likeliest, then the fewest of these with a mass of `topP`. */
function draw(logprobs: Float64Array, { temperature, topK, topP }: SampleRequest, random: Random): number {
  const byLikelihood = [...logprobs.keys()].sort((a, b) => logprobs[b]! - logprobs[a]! || a - b);
  if (temperature === 0) return byLikelihood[0]!;
  const candidates = (topK === 0 ? byLikelihood : byLikelihood.slice(0, topK)).map((token) => ({
    token,
    mass: Math.exp((logprobs[token]! - logprobs[byLikelihood[0]!]!) / temperature),
  }));
  const total = candidates.reduce((sum, { mass }) => sum + mass, 0);
  let kept = 0;
  let nucleus = 0;
  while (kept < candidates.length && nucleus < topP * total) nucleus += candidates[kept++]!.mass;
  let remaining = random.uniform() * nucleus;
  for (const { token, mass } of candidates.slice(0, kept)) {
    remaining -= mass;
    if (remaining < 0) return token;
  }
  return candidates[kept - 1]!.token;
}

/** Loss of one token and its derivative by the token's logprob. */
function tokenLoss(loss: Loss, logprob: number, behaviour: number, advantage: number): { value: number; slope: number; clipped: boolean } {
  if (loss.kind === "cross_entropy") return { value: -logprob, slope: -1, clipped: false };
  const ratio = Math.exp(logprob - behaviour);
  const free = { value: -ratio * advantage, slope: -ratio * advantage, clipped: false };
  if (loss.kind === "importance_sampling") return free;
  const limited = Math.min(1 + loss.clipHigh, Math.max(1 - loss.clipLow, ratio));
  const pessimistic = Math.min(ratio * advantage, limited * advantage);
  const bounded = advantage < 0 ? Math.max(pessimistic, (loss.dualClip ?? Infinity) * advantage) : pessimistic;
  return Object.is(bounded, ratio * advantage) ? free : { value: -bounded, slope: 0, clipped: true };
}

/** The critic's loss of one token and its derivative by the value. */
function criticLoss({ coefficient, clip }: CriticOptions, value: number, old: number, target: number): { value: number; slope: number } {
  const limited = Math.min(old + clip, Math.max(old - clip, value));
  const [free, bounded] = [(value - target) ** 2, (limited - target) ** 2];
  return { value: (coefficient / 2) * Math.max(free, bounded), slope: bounded > free ? 0 : coefficient * (value - target) };
}

function gradientOf(rows: readonly TrainingRow[], options: UpdateOptions, weights: Float64Array): UpdateReport & { gradient: Float64Array } {
  const gradient = new Float64Array(PARAMETERS);
  const totals = { loss: 0, clipped: 0, tokens: 0 };
  for (const { prompt, completion, logprobs, advantages, weights: weights_T, critic } of rows) {
    completion.forEach((token, t) => {
      const start = rowStart(prompt, t);
      const distribution = logSoftmax(weights, start);
      const { value, slope, clipped } = tokenLoss(options.loss, distribution[token]!, logprobs[t]!, advantages[t]!);
      totals.loss += weights_T[t]! * value;
      totals.clipped += clipped ? 1 : 0;
      totals.tokens += 1;
      // The derivative of a log-softmax: one for the token itself, minus the probabilities.
      distribution.forEach((logprob, other) => {
        gradient[start + other]! += weights_T[t]! * slope * ((other === token ? 1 : 0) - Math.exp(logprob));
      });
      if (!options.critic || !critic) return;
      const place = valuePlace(prompt, t);
      const ofCritic = criticLoss(options.critic, weights[place]!, critic.values[t]!, critic.returns[t]!);
      totals.loss += weights_T[t]! * ofCritic.value;
      gradient[place]! += weights_T[t]! * ofCritic.slope;
    });
  }
  const gradientNorm = Math.hypot(...gradient);
  return {
    gradient,
    loss: totals.loss,
    gradientNorm,
    skipped: !Number.isFinite(gradientNorm),
    clipFraction: totals.tokens === 0 ? 0 : totals.clipped / totals.tokens,
    tokens: totals.tokens,
  };
}

function adamw(state: State, gradient: Float64Array, norm: number, options: UpdateOptions): State {
  const { learningRate, beta1, beta2, epsilon, weightDecay, maxGradientNorm } = options;
  const scale = norm > maxGradientNorm ? maxGradientNorm / norm : 1;
  const updates = state.updates + 1;
  const first = state.first.map((value, index) => beta1 * value + (1 - beta1) * scale * gradient[index]!);
  const second = state.second.map((value, index) => beta2 * value + (1 - beta2) * (scale * gradient[index]!) ** 2);
  const current = state.weights.get(CURRENT)!.map((weight, index) => {
    const mean = first[index]! / (1 - beta1 ** updates);
    const deviation = Math.sqrt(second[index]! / (1 - beta2 ** updates));
    return weight - learningRate * (mean / (deviation + epsilon) + weightDecay * weight);
  });
  return { weights: new Map(state.weights).set(CURRENT, current), first, second, updates };
}
