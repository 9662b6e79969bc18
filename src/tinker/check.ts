import { CURRENT, REFERENCE } from "../policy.ts";
import type { SampleRequest } from "../policy.ts";
import type { Completion, TrainingRow } from "../types.ts";
import { mean } from "../util/statistics.ts";
import { strictZip } from "../util/strict-zip.ts";
import { connectPolicy } from "./index.ts";
import type { TinkerOptions } from "./index.ts";
import type { OfferedModel, ServerTraits } from "./server.ts";

/** What one training step on a server came to. */
export interface ServerCheck {
  readonly offered: OfferedModel;
  readonly traits: ServerTraits;
  /** Wall-clock seconds: of finding out what the server does, and of each part of the step. The first of a kind may include a compilation. */
  readonly seconds: Readonly<Record<"connect" | "sample" | "reference" | "update" | "resample", number>>;
  /** Largest distance, in nats, between a token's logprob from the sampler and from the trainer's reference, before any update. */
  readonly distance: number;
  /** How much the rewarded completions' mean logprob per token rose, and that of the others. */
  readonly rewarded: number;
  readonly others: number;
  readonly gradientNorm: number;
}

const PROMPTS = 4;
const LEARNING_RATE = 1e-3;

/**
 * Makes one training step on a server with adapters of its own, which are thrown away: samples, asks the reference,
 * rewards every other completion, updates, and samples from the new weights. Throws what `createTinkerPolicy`
 * and its policy throw.
 */
export async function checkServer(options: TinkerOptions, clock: () => number): Promise<ServerCheck> {
  const timed = async <T>(task: () => Promise<T>): Promise<readonly [T, number]> => {
    const start = clock();
    return [await task(), clock() - start];
  };
  const [{ policy, offered, traits }, connect] = await timed(() => connectPolicy(options));
  try {
    const { vocabularySize } = policy.description;
    const prompts = Array.from({ length: PROMPTS }, (_, prompt) => Array.from({ length: 8 }, (_, t) => (1 + prompt * 8 + t) % vocabularySize));
    const request: SampleRequest = { prompts, count: 4, weights: CURRENT, seed: 0, temperature: 1, topP: 1, topK: 0, stopTokens: [], maxTokens: 16 };
    const [completions_P_G, sample] = await timed(() => policy.sample(request));
    const rows = rowsOf(prompts, completions_P_G);
    const [before, reference] = await timed(() => policy.logprobs(rows, REFERENCE));
    const [{ gradientNorm }, update] = await timed(() =>
      policy.update(rows, { loss: { kind: "importance_sampling" }, learningRate: LEARNING_RATE, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 }),
    );
    const [, resample] = await timed(() => policy.sample(request));
    const after = await policy.logprobs(rows, CURRENT);
    const moved = (sign: number): number => mean(strictZip(rows, strictZip([...before], [...after])).flatMap(([{ advantages }, [old, now]]) => (Math.sign(advantages[0]!) === sign ? Array.from(now, (logprob, t) => logprob - old[t]!) : [])));
    const distance = Math.max(...strictZip(rows, [...before]).flatMap(([{ logprobs }, reference_T]) => Array.from(reference_T, (logprob, t) => Math.abs(logprob - logprobs[t]!))));
    return { offered, traits, seconds: { connect, sample, reference, update, resample }, distance, rewarded: moved(1), others: moved(-1), gradientNorm };
  } finally {
    await policy.close();
  }
}

/** Every other completion is rewarded. */
function rowsOf(prompts: readonly (readonly number[])[], completions_P_G: readonly (readonly Completion[])[]): readonly TrainingRow[] {
  const tokens = completions_P_G.flat().reduce((total, completion) => total + completion.tokens.length, 0);
  return strictZip(prompts, completions_P_G).flatMap(([prompt, completions_G]) =>
    completions_G.map(({ tokens: completion, logprobs }, member) => ({ prompt, completion, logprobs, advantages: completion.map(() => (member % 2 === 0 ? 1 : -1)), weights: completion.map(() => 1 / tokens) })),
  );
}
