import { z } from "zod";

/**
 * The Tinker training API in JSON: every request and answer that this project sends or serves. Unknown members
 * are dropped on reading; members that are `null` or absent mean the same. All paths lie under `/api/v1`.
 *
 * - A slow operation answers at once with a `request_id`; `retrieve_future` then holds until the bare result is
 *   there, and answers `try_again` (or status 408) while it is not. Polling twice gives the same result.
 * - Training requests of a model carry a `seq_id`, counted from 1 in the order in which they take effect; the
 *   same number again is the same request, and gets the same `request_id` (of older servers another one: they do it again). Samples count from 0 in their
 *   sampling session, models and sampling sessions from 0 in their session.
 * - Gradients of `forward_backward` add up until `optim_step`, which uses and clears them.
 * - Arrays of a datum have the length N of `model_input`, all tokens but the last, and are aligned with
 *   `target_tokens`, all tokens but the first: token t of a completion after P prompt tokens stands at P - 1 + t.
 * - A failure is a status of 400 or more with `{detail}`, or, of an operation, also 200 with `{error, category}`.
 */
export const API_PREFIX = "/api/v1";

const optional = <T extends z.ZodType>(type: T) => type.nullish();
const index = () => z.int().nonnegative();
/** Checked as a whole: element by element, a large array takes longer to check than to read. */
const numbers = () => z.custom<number[]>((value) => Array.isArray(value) && value.every((number) => typeof number === "number"), "expected an array of numbers");
const tokens = () => z.custom<number[]>((value) => Array.isArray(value) && value.every((token) => Number.isSafeInteger(token) && token >= 0), "expected an array of token ids");

const modelInput = z.object({ chunks: z.array(z.object({ type: z.literal("encoded_text").default("encoded_text"), tokens: tokens() })) });

/** A dense array, flat in row-major order. */
const tensor = z.object({ data: numbers(), dtype: z.enum(["int64", "float32"]), shape: optional(z.array(index())) });

const datum = z.object({ model_input: modelInput, loss_fn_inputs: z.record(z.string(), tensor) });

/** Losses of the port. Beside `target_tokens`, `cross_entropy` reads `weights`; the others read `logprobs` and `advantages`. */
const lossName = z.enum(["cross_entropy", "importance_sampling", "ppo"]);

/** `ppo` has `clip_low_threshold` and `clip_high_threshold`: bounds of the ratio itself, 0.8 and 1.2, say. */
const lossInput = z.object({
  data: z.array(datum).min(1),
  loss_fn: lossName,
  loss_fn_config: optional(z.record(z.string(), z.number())),
  /** Whether 0 may stand for the logprobs of the first tokens of weight 0, which are a prompt's; to servers that list it. */
  skip_unweighted: optional(z.boolean()),
});

/** For each datum its `logprobs`, `[N]`, from before any optimizer step. Some servers add more, which nothing here reads. */
const lossOutput = z.object({
  loss_fn_output_type: optional(z.string()),
  loss_fn_outputs: z.array(z.object({ logprobs: tensor })),
  metrics: optional(z.record(z.string(), z.number())),
});

/** Rank 0 trains the model's own weights, where a server can. `alpha` is said by servers, and to those that list `lora_alpha`. */
const loraConfig = z.object({
  rank: index(),
  alpha: optional(z.number().positive()),
  seed: optional(index()),
  train_attn: optional(z.boolean()),
  train_mlp: optional(z.boolean()),
  train_unembed: optional(z.boolean()),
});

const adamParameters = z.object({
  learning_rate: z.number().nonnegative(),
  beta1: z.number().min(0).lt(1),
  beta2: z.number().min(0).lt(1),
  eps: z.number().positive(),
  weight_decay: z.number().nonnegative(),
  /** 0 clips nothing. */
  grad_clip_norm: z.number().nonnegative(),
});

const samplingParameters = z.object({
  max_tokens: z.int().positive(),
  seed: optional(index()),
  /** Token ids; an empty list never stops. */
  stop: optional(tokens()),
  /** 0 is greedy. */
  temperature: z.number().nonnegative().default(1),
  /** -1 keeps every token. */
  top_k: z.int().default(-1),
  top_p: z.number().gt(0).max(1).default(1),
});

/**
 * What a server says of itself beyond the protocol: only this project's own does. Without it, whatever can be
 * tried is tried, and nothing else is taken for granted.
 */
const features = z.object({
  /** Whether a loss is the plain sum over tokens and datums, or a mean over datums of means over their weights. */
  loss_reduction: z.enum(["sum", "mean"]),
  /** Whether a model's requests run in the order of their numbers: then an `optim_step` may be sent at once after a `forward_backward`. */
  ordered: z.boolean(),
  grad_clip_norm: z.boolean(),
  lora_alpha: z.boolean(),
  /** Whether samples take `further_prompts` and a `prompt_index`: then completions are those that the embedded engine draws from the same seed. */
  further_prompts: optional(z.boolean()),
  /** Whether a pass takes `skip_unweighted`. */
  skip_unweighted: optional(z.boolean()),
});

const supportedModel = z.object({ model_name: z.string(), max_context_length: optional(index()), vocabulary_size: optional(index()), parameters: optional(index()) });

const sampleResult = z.object({
  /** `num_samples` of the prompt, then of each further one. */
  sequences: z.array(z.object({ stop_reason: z.enum(["stop", "length"]), tokens: tokens(), logprobs: optional(numbers()) })),
  /** Of each prompt token after those before it, `[prompt time]`; the first has none. */
  prompt_logprobs: optional(z.array(z.number().nullable())),
});

const operation = <Request extends z.ZodType, Result extends z.ZodType>(path: string, request: Request, result: Result) => ({ kind: "operation" as const, method: "POST" as const, path, request, result });
const call = <Request extends z.ZodType, Result extends z.ZodType>(path: string, request: Request, result: Result) => ({ kind: "call" as const, method: "POST" as const, path, request, result });
const query = <Result extends z.ZodType>(path: string, result: Result) => ({ kind: "query" as const, method: "GET" as const, path, result });

/** Of an `operation` the answer is `submitted`, and `result` comes through `retrieveFuture`; of the others `result` is the answer. */
export const endpoints = {
  health: query("/healthz", z.object({ status: z.string() })),
  serverCapabilities: query("/get_server_capabilities", z.object({ supported_models: z.array(supportedModel), features: optional(features) })),
  createSession: call(
    "/create_session",
    z.object({ tags: z.array(z.string()), user_metadata: z.record(z.string(), z.unknown()).nullable(), sdk_version: z.string() }),
    z.object({ session_id: z.string(), error_message: optional(z.string()) }),
  ),
  sessionHeartbeat: call("/session_heartbeat", z.object({ session_id: z.string() }), z.object({})),
  getInfo: call("/get_info", z.object({ model_id: z.string() }), z.object({ model_id: z.string(), model_data: z.object({ model_name: z.string(), tokenizer_id: optional(z.string()) }) })),
  createSamplingSession: call(
    "/create_sampling_session",
    // One of `base_model` and `model_path`.
    z.object({ session_id: z.string(), sampling_session_seq_id: index(), base_model: optional(z.string()), model_path: optional(z.string()) }),
    z.object({ sampling_session_id: z.string() }),
  ),
  retrieveFuture: call("/retrieve_future", z.object({ request_id: z.string() }), z.looseObject({})),

  createModel: operation(
    "/create_model",
    z.object({ session_id: z.string(), model_seq_id: index(), base_model: z.string(), user_metadata: optional(z.record(z.string(), z.unknown())), lora_config: loraConfig }),
    z.object({ model_id: z.string(), lora_config: optional(loraConfig) }),
  ),
  unloadModel: operation("/unload_model", z.object({ model_id: z.string() }), z.object({})),
  sample: operation(
    "/asample",
    z.object({
      sampling_session_id: z.string(),
      seq_id: index(),
      prompt: modelInput,
      num_samples: z.int().positive().default(1),
      sampling_params: samplingParameters,
      /** Prompts that are sampled together with the first, and its place among all that share the seed, 0 by default; to servers that list them. */
      further_prompts: optional(z.array(modelInput)),
      prompt_index: optional(index()),
      prompt_logprobs: optional(z.boolean()),
    }),
    sampleResult,
  ),
  forward: operation("/forward", z.object({ model_id: z.string(), forward_input: lossInput, seq_id: optional(index()) }), lossOutput),
  forwardBackward: operation("/forward_backward", z.object({ model_id: z.string(), forward_backward_input: lossInput, seq_id: optional(index()) }), lossOutput),
  /**
   * The L2 norm of the gradient before clipping is in `metrics`, under a name that ends in `grad_norm`; `skipped` is 1 where
   * it was not finite and the server changed nothing.
   */
  optimStep: operation("/optim_step", z.object({ model_id: z.string(), adam_params: adamParameters, seq_id: optional(index()) }), z.object({ metrics: optional(z.record(z.string(), z.number())) })),
  /** With `sampling_session_seq_id`, a session that samples from the weights of now; with `path`, a name under which they are kept. */
  saveWeightsForSampler: operation(
    "/save_weights_for_sampler",
    z.object({ model_id: z.string(), sampling_session_seq_id: optional(index()), path: optional(z.string()), seq_id: optional(index()) }),
    z.object({ path: optional(z.string()), sampling_session_id: optional(z.string()) }),
  ),
  /** Weights and optimizer under a name, `[a-zA-Z0-9_-]+`; 409 when the model has it already. */
  saveWeights: operation("/save_weights", z.object({ model_id: z.string(), path: z.string(), seq_id: optional(index()) }), z.object({ path: z.string() })),
  /** Some servers allow it only as a model's first request. */
  loadWeights: operation("/load_weights", z.object({ model_id: z.string(), path: z.string(), optimizer: z.boolean(), seq_id: optional(index()) }), z.object({})),
};

/** What an operation answers at once. */
export const submitted = z.object({ request_id: z.string() });
/** What `retrieve_future` answers while the result is not there. */
export const tryAgain = z.object({ type: z.literal("try_again") });
/** What `retrieve_future` may answer for an operation that failed: `category` is `user`, `server` or `unknown`. */
export const failed = z.object({ error: z.string(), category: optional(z.string()) });
/** The body of a status of 400 or more: text, or the list of what is wrong in the request. */
export const errorBody = z.object({ detail: z.unknown() });

export type Endpoint = (typeof endpoints)[keyof typeof endpoints];
export type RequestOf<E extends Endpoint> = E extends { readonly request: infer Request extends z.ZodType } ? z.input<Request> : undefined;
export type ResultOf<E extends Endpoint> = z.output<E["result"]>;

export type Datum = z.output<typeof datum>;
export type Tensor = z.output<typeof tensor>;
export type LossInput = z.output<typeof lossInput>;
export type LossName = z.output<typeof lossName>;
export type LossOutput = z.output<typeof lossOutput>;
export type LoraConfig = z.output<typeof loraConfig>;
export type ServerFeatures = z.output<typeof features>;
export type SampleResult = z.output<typeof sampleResult>;
