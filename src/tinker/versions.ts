import { PolicyError, ServerError } from "../errors.ts";
import type { Arrived, SampleRequest } from "../policy.ts";
import type { Completion, TokenSequence } from "../types.ts";
import { deriveSeed } from "../util/random.ts";
import { strictZip } from "../util/strict-zip.ts";
import { operate } from "./client.ts";
import type { Connection } from "./http.ts";
import { createLimit } from "./limit.ts";
import { createModel, samplingSession } from "./model.ts";
import type { ModelOptions, RemoteModel, Sampler } from "./model.ts";
import type { ServerTraits } from "./server.ts";
import type { Session } from "./session.ts";
import { endpoints } from "./wire.ts";
import type { ResultOf } from "./wire.ts";

/** Weights that can be asked, not trained. */
export interface Version extends Pick<RemoteModel, "logprobs" | "sampler" | "unload"> {
  /** Of its model; `null` where the server holds none for it. */
  readonly id: string | null;
}

/** Runs tasks, so many at once. */
export type Limit = <T>(task: () => Promise<T>) => Promise<T>;

export interface SamplingParts {
  readonly session: Session;
  readonly limit: Limit;
  /** Prompts that are sampled at once. */
  readonly concurrency: number;
  readonly traits: Pick<ServerTraits, "takesFurtherPrompts">;
}

/** Seeds that every server takes: the last sample's is the first's + count - 1. */
const SEEDS = 2 ** 31;

/** Samples `count` completions for each prompt, `[prompt, count]`; `arrived` is told of each prompt's when its reply is there. Throws PolicyError when the server returns others. */
export async function sampleFrom({ session, limit, concurrency, traits }: SamplingParts, { id, next }: Sampler, request: SampleRequest, arrived?: Arrived): Promise<readonly (readonly Completion[])[]> {
  const { count, seed, temperature, topP, topK, stopTokens, maxTokens } = request;
  const many = traits.takesFurtherPrompts;
  const textOf = (prompt: readonly number[]) => ({ chunks: [{ type: "encoded_text" as const, tokens: [...prompt] }] });
  // Many prompts at a time are sampled one request after the other, so that which are sampled together is no matter of time.
  const completions = await allOrNone({ session, limit: many ? createLimit(1) : limit }, slices(request.prompts, many ? concurrency : 1), async (connection, { start, items: [first, ...further] }) => {
    const result = await operate(connection, endpoints.sample, {
      sampling_session_id: id,
      seq_id: next(),
      prompt: textOf(first!),
      num_samples: count,
      sampling_params: { max_tokens: maxTokens, seed: many ? seed >>> 0 : (deriveSeed(seed, start) >>> 0) % (SEEDS - count), stop: [...stopTokens], temperature, top_p: topP, top_k: topK === 0 ? -1 : topK },
      ...(many && { further_prompts: further.map(textOf), prompt_index: start }),
    });
    const sampled = slices(completionsOf(result, (1 + further.length) * count, maxTokens), count).map(({ items }) => items);
    sampled.forEach((own, index) => arrived?.(start + index, own));
    return sampled;
  });
  return completions.flat();
}

/** Parts of so many items, the last one of what is left, and where each starts. */
function slices<T>(items: readonly T[], size: number): readonly { readonly start: number; readonly items: readonly T[] }[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, part) => ({ start: part * size, items: items.slice(part * size, (part + 1) * size) }));
}

/** What a task makes of each item. The first failure ends the tasks under way, and none begins after it. */
function allOrNone<Item, Result>({ session: { connection }, limit }: Pick<SamplingParts, "session" | "limit">, items: readonly Item[], task: (connection: Connection, item: Item) => Promise<Result>): Promise<readonly Result[]> {
  const failed = new AbortController();
  const signal = AbortSignal.any([connection.signal, failed.signal]);
  return Promise.all(
    items.map((item) =>
      limit(async () => {
        signal.throwIfAborted();
        try {
          return await task({ ...connection, signal }, item);
        } catch (error) {
          failed.abort(error);
          throw error;
        }
      }),
    ),
  );
}

function completionsOf({ sequences }: ResultOf<typeof endpoints.sample>, count: number, maxTokens: number): readonly Completion[] {
  if (sequences.length !== count) throw new PolicyError(`The training server returned ${sequences.length} completions for ${count}.`);
  return sequences.map(({ tokens, logprobs, stop_reason }) => {
    if (!logprobs) throw new PolicyError("The training server returned completions without logprobs; it cannot be trained from them.");
    if (logprobs.length !== tokens.length || tokens.length === 0 || tokens.length > maxTokens) {
      throw new PolicyError(`The training server returned a completion of ${tokens.length} tokens with ${logprobs.length} logprobs for at most ${maxTokens} tokens.`);
    }
    return { tokens, logprobs: new Float32Array(logprobs), stopReason: stop_reason };
  });
}

/**
 * The weights that a run starts from: a second model that is never trained, or, where a server holds only one, its base
 * model, which tells logprobs as those of a prompt. Throws ServerError when neither can be had.
 */
export async function referenceVersion(session: Session, model: ModelOptions, limit: Limit): Promise<Version> {
  try {
    return await createModel(session, model);
  } catch (error) {
    if (!(error instanceof ServerError) || error.failure.retryable) throw error;
  }
  const sampler = await samplingSession(session, { base_model: model.baseModel });
  return {
    id: null,
    sampler: () => Promise.resolve(sampler),
    logprobs: (sequences) => allOrNone({ session, limit }, sequences, (connection, sequence) => promptLogprobs(connection, sampler, sequence)),
    unload: () => Promise.resolve(),
  };
}

async function promptLogprobs(connection: Connection, { id, next }: Sampler, { prompt, completion }: TokenSequence): Promise<Float32Array> {
  if (completion.length === 0) return new Float32Array(0);
  const tokens = [...prompt, ...completion];
  const { prompt_logprobs: found } = await operate(connection, endpoints.sample, {
    sampling_session_id: id,
    seq_id: next(),
    prompt: { chunks: [{ type: "encoded_text", tokens }] },
    num_samples: 1,
    sampling_params: { max_tokens: 1, temperature: 1, top_p: 1, top_k: -1 },
    prompt_logprobs: true,
  });
  // The first token has none: some servers say so, others leave it out.
  const logprobs = found?.slice(-completion.length) ?? [];
  if (found == null || tokens.length - found.length > 1 || logprobs.some((logprob) => logprob === null)) {
    throw new PolicyError("The training server holds only one model and does not tell the logprobs of prompts: there is no reference, which every run compares itself with.");
  }
  return Float32Array.from(logprobs as readonly number[]);
}

/** Mean distance in nats, per token, at which a sampler cannot have the weights of its trainer; number formats account for less. */
const LARGEST_DISTANCE = 0.1;

/** Throws PolicyError when a completion's logprobs are not those of the weights that are trained: the sampler has others. */
export async function checkSampler(current: Version, { prompts }: SampleRequest, completions_P_G: readonly (readonly Completion[])[]): Promise<void> {
  const [prompt, completion] = [prompts[0], completions_P_G[0]?.[0]];
  if (prompt === undefined || completion === undefined) return;
  const [logprobs] = await current.logprobs([{ prompt, completion: completion.tokens }]);
  const distances = strictZip(Array.from(logprobs!), Array.from(completion.logprobs)).map(([trained, sampled]) => Math.abs(trained - sampled));
  const distance = distances.reduce((total, value) => total + value, 0) / distances.length;
  if (!(distance <= LARGEST_DISTANCE)) {
    throw new PolicyError(`The training server samples from other weights than it trains: logprobs of the same tokens differ by ${distance.toPrecision(3)} nats on average.`);
  }
}
