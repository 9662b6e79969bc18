import type { z } from "zod";
import type { endpoints, SampleResult } from "../tinker/wire.ts";
import { shortFloats } from "../util/short-float.ts";
import { checkLogprobs } from "./datums.ts";
import { createRepetitions } from "./repetitions.ts";
import type { Futures } from "./futures.ts";
import { Refusal } from "./refusal.ts";
import type { Received } from "./requests.ts";
import type { Sampled, Sampler } from "./sampler.ts";

/** What a sampling session samples from. */
export interface SamplingSource {
  /** Name of the weights in the engine: the reference is the base model; a path goes with its time, since it can be given to other weights. */
  readonly weights: string;
  /** The path under which they were saved, or `null`. */
  readonly path: string | null;
  /** Where they lie when they are not in memory, or `null`. */
  readonly directory: string | null;
  /** The sampler of the engine that holds them, or will. Throws Refusal (410) when others were saved in their place. */
  readonly sampler: Sampler;
}

/** A session that samples from weights that do not change. */
export interface SamplingSession {
  readonly id: string;
  readonly session: string;
  readonly source: SamplingSource;
  /** Takes a request and returns the id of its future. */
  readonly sample: (request: Received<z.output<typeof endpoints.sample.request>>) => string;
}

export interface SamplingOptions {
  readonly id: string;
  readonly session: string;
  readonly source: SamplingSource;
  readonly futures: Futures;
  /** Where completions end when a request does not say. */
  readonly endTokens: readonly number[];
  /** A seed for a request without one. */
  readonly anySeed: () => number;
}

export function createSamplingSession({ id, session, source, futures, endTokens, anySeed }: SamplingOptions): SamplingSession {
  const repetitions = createRepetitions();
  return {
    id,
    session,
    source,
    sample: (request) =>
      repetitions.once(request.seq_id, request.fingerprint, () =>
        futures.start(session, async () => {
          const { prompt, further_prompts, num_samples, sampling_params, prompt_logprobs } = request;
          const { max_tokens, seed, stop, temperature, top_k, top_p } = sampling_params;
          if (top_k < -1) throw new Refusal(400, `sampling_params.top_k is ${top_k}; expected a number of tokens, or -1 for all.`);
          if (prompt_logprobs && further_prompts?.length) throw new Refusal(400, "there are both further_prompts and prompt_logprobs, which are told of one prompt; send the prompts one by one.");
          const sampled = await source.sampler({
            prompts: [prompt, ...(further_prompts ?? [])].map(({ chunks }) => chunks.flatMap(({ tokens }) => tokens)),
            options: { count: num_samples, weights: source.weights, temperature, topP: top_p, topK: Math.max(0, top_k), stopTokens: stop ?? endTokens, maxTokens: max_tokens },
            directory: source.directory,
            // Seeds here are 32-bit numbers with a sign, on the wire without.
            seed: (seed ?? anySeed()) | 0,
            place: request.prompt_index ?? 0,
            promptLogprobs: prompt_logprobs === true,
          });
          return resultOf(sampled);
        }),
      ),
  };
}

/** Throws Refusal (400) when logprobs are not finite. */
function resultOf({ completions: completions_P_G, promptLogprobs }: Sampled): SampleResult & { readonly type: string } {
  const completions = completions_P_G.flat();
  checkLogprobs([...completions.map(({ logprobs }) => logprobs), ...(promptLogprobs ? [promptLogprobs] : [])]);
  const sequences = completions.map(({ tokens, logprobs, stopReason }) => ({ stop_reason: stopReason, tokens: [...tokens], logprobs: shortFloats(logprobs) }));
  return { type: "sample", sequences, prompt_logprobs: promptLogprobs && [null, ...shortFloats(promptLogprobs)] };
}
