import { PolicyError, UsageError } from "../errors.ts";
import type { LossReduction } from "../options.ts";
import { query } from "./client.ts";
import { datumOf } from "./datums.ts";
import type { Connection } from "./http.ts";
import type { AdamParameters, RemoteModel, Trained, TrainingTraits } from "./model.ts";
import { endpoints } from "./wire.ts";

/** A model that a server offers. */
export interface OfferedModel {
  readonly name: string;
  readonly contextLength: number | null;
  readonly vocabularySize: number | null;
  readonly parameters: number | null;
}

/** What a server says of itself, and what it leaves to be found out. */
export interface Offer {
  readonly models: readonly OfferedModel[];
  readonly features: ServerTraits | null;
}

/** How a server computes. */
export interface ServerTraits extends TrainingTraits {
  readonly reduction: "sum" | "mean";
  /** Whether `maxGradientNorm` has an effect; `null` where that cannot be seen. */
  readonly clips: boolean | null;
  /** Whether it takes the factor of adapters from its clients. */
  readonly takesAlpha: boolean;
  /** Whether one request may have many prompts, and gets the completions that the embedded engine draws of the same seed. */
  readonly takesFurtherPrompts: boolean;
  /** Whether it leaves out the logprobs of prompts where it is allowed to. */
  readonly skipsUnweighted: boolean;
}

/** Asks a server what it offers. Throws ServerError. */
export async function offerOf(connection: Connection): Promise<Offer> {
  const { supported_models, features } = await query(connection, endpoints.serverCapabilities);
  return {
    models: supported_models.map((model) => ({
      name: model.model_name,
      contextLength: model.max_context_length ?? null,
      vocabularySize: model.vocabulary_size ?? null,
      parameters: model.parameters ?? null,
    })),
    features: features ? { reduction: features.loss_reduction, ordered: features.ordered, deduplicates: true, clips: features.grad_clip_norm, takesAlpha: features.lora_alpha, takesFurtherPrompts: features.further_prompts ?? false, skipsUnweighted: features.skip_unweighted ?? false } : null,
  };
}

/** The model of an offer that is asked for by name, or, without a name, the only one. Throws UsageError. */
export function chooseModel({ models }: Offer, { url, baseModel }: { readonly url: string; readonly baseModel: string }): OfferedModel {
  const found = baseModel === "" && models.length === 1 ? models[0] : models.find(({ name }) => name === baseModel);
  if (found) return found;
  const names = models.slice(0, 20).map(({ name }) => `\`${name}\``).join(", ");
  throw new UsageError(`\`engine.base-model\` is ${baseModel === "" ? "not given" : `\`${baseModel}\``}, and the server at ${url} has ${models.length === 0 ? "no model" : names}; name one of its models.`);
}

/** Adam of which one step is plain descent: weights -= rate x gradient. */
function descent(rate: number, maxGradientNorm: number): AdamParameters {
  const eps = 1e6;
  return { learning_rate: rate * eps, beta1: 0, beta2: 0, eps, weight_decay: 0, grad_clip_norm: maxGradientNorm };
}

/** How far, in nats, a descent should move a logprob to be seen and yet be small, and what share of it a clip leaves. */
const MOVEMENT = 0.05;
const CLIPPED_SHARE = 0.25;

/**
 * Finds out how a server trains, with a fresh model that is unloaded again: whether it knows a request that was
 * sent before; how it reduces losses, for twice the same datum has twice the gradient in a sum, the same in a mean;
 * whether it clips gradients, for then a descent moves less. Throws PolicyError when the reduction cannot be seen and
 * is not `given`.
 */
export async function traitsOf(probe: RemoteModel, url: string, given: LossReduction): Promise<ServerTraits> {
  try {
    const careful = { ordered: false, deduplicates: await probe.deduplicates() };
    const sequence = { prompt: [1, 2, 3], completion: [4, 5, 6, 7] };
    const logprob = async () => Number((await probe.logprobs([sequence]))[0]![0]);
    const behaviour = (await probe.logprobs([sequence]))[0]!;
    // The gradient is that of the first token's logprob, under either reduction.
    const first = (value: number) => sequence.completion.map((_, t) => (t === 0 ? value : 0));
    const datum = datumOf(sequence, { logprobs: behaviour, advantages: first(1), weights: first(1) });
    const step = (count: number, adam: AdamParameters) => probe.train(new Array<typeof datum>(count).fill(datum), { loss_fn: "importance_sampling" }, adam, careful);
    const one = await step(1, descent(0, 0));
    const two = await step(2, descent(0, 0));
    const reduction = given === "auto" ? reductionOf(one, two, url) : given;
    return { reduction, ...careful, clips: await clipsOf(one.gradientNorm, { logprob, step }), takesAlpha: false, takesFurtherPrompts: false, skipsUnweighted: false };
  } finally {
    await probe.unload();
  }
}

function reductionOf(one: Trained, two: Trained, url: string): "sum" | "mean" {
  const ratio = two.gradientNorm / one.gradientNorm;
  if (Math.abs(ratio - 2) < 0.2) return "sum";
  if (Math.abs(ratio - 1) < 0.2) return "mean";
  const names = Object.keys(one.metrics);
  if (names.includes("loss:sum")) return "sum";
  if (names.includes("loss:mean") || names.includes("loss:avg")) return "mean";
  throw new PolicyError(`It cannot be seen whether the training server at ${url} sums losses or takes their mean; say so with \`engine.loss-reduction\`.`);
}

interface Probed {
  readonly logprob: () => Promise<number>;
  readonly step: (count: number, adam: AdamParameters) => Promise<Trained>;
}

/** Descends by the same rate twice, the second time with a clip; `null` where the first hardly moves, or the norm is unknown. */
async function clipsOf(gradientNorm: number, { logprob, step }: Probed): Promise<boolean | null> {
  if (!(gradientNorm > 0)) return null;
  const rate = MOVEMENT / gradientNorm ** 2;
  const start = await logprob();
  await step(1, descent(rate, 0));
  const free = await logprob();
  await step(1, descent(rate, CLIPPED_SHARE * gradientNorm));
  const clipped = await logprob();
  if (!(free - start > MOVEMENT / 4)) return null;
  return (clipped - free) / (free - start) < (1 + CLIPPED_SHARE) / 2;
}
