import { CURRENT } from "../src/policy.ts";
import type { Loss, Policy, UpdateOptions } from "../src/policy.ts";
import { API_PREFIX, endpoints } from "../src/tinker/wire.ts";
import type { Datum, LossInput, RequestOf } from "../src/tinker/wire.ts";
import type { TrainingRow } from "../src/types.ts";
import { createRandom } from "../src/util/random.ts";
import type { Random } from "../src/util/random.ts";
import { sum } from "../src/util/statistics.ts";
import { createFakePolicy } from "./fake-policy.ts";

export const FAKE_MODEL = "fake-model";

/** How a server behaves: by default as SkyRL's JAX backend does, which says nothing of itself. */
export interface FakeServerOptions {
  readonly seed?: number;
  readonly reduction?: "sum" | "mean";
  /** Whether it says what it is. */
  readonly tells?: boolean;
  readonly clips?: boolean;
  readonly tellsNorm?: boolean;
  /** Models that it holds at once. */
  readonly most?: number;
  /** Factor of its adapters. */
  readonly alpha?: number;
  readonly key?: string;
  /** Samples from weights of before the last update. */
  readonly stale?: boolean;
  /** Whether a training request that is sent again is not done again. */
  readonly deduplicates?: boolean;
  /** What was saved: give that of an earlier server to restart it. */
  readonly disk?: Map<string, readonly Update[]>;
}

/** Weights are the updates that led to them: nothing else is kept, or loaded. */
interface Update {
  readonly rows: readonly TrainingRow[];
  readonly options: UpdateOptions;
}

interface Model {
  policy: Policy;
  history: Update[];
  pending: { readonly loss: Loss; readonly rows: TrainingRow[] };
  /** Requests by number, to answer them once. */
  readonly numbered: Map<number, { readonly id: string; readonly text: string }>;
}

interface Sampler {
  readonly policy: Policy;
  readonly weights: string;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface FakeServer {
  readonly handle: (method: string, path: string, body: unknown, key: string | null) => Promise<Answer>;
  readonly disk: Map<string, readonly Update[]>;
  /** Optimizer steps that were taken, of all models. */
  readonly steps: () => number;
  readonly models: () => number;
}

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

/** A training server over fake policies. Operations run when they arrive; results come after a few polls, in any order. */
export function createFakeServer(options: FakeServerOptions = {}): FakeServer {
  const { seed = 5, most = Infinity, disk = new Map<string, readonly Update[]>() } = options;
  const server: State = { options, disk, random: createRandom(seed), create: () => createFakePolicy({ seed, model: FAKE_MODEL }), models: new Map(), samplers: new Map(), futures: new Map(), next: disk.size * 1000, steps: 0, most };
  return {
    disk,
    steps: () => server.steps,
    models: () => server.models.size,
    handle: async (method, path, body, key) => {
      try {
        if (options.key !== undefined && key !== options.key) throw new Refusal(401, `the key ${key ?? ""} is not known`);
        return { status: 200, body: await answer(server, method, path.slice(API_PREFIX.length), body) };
      } catch (error) {
        return { status: error instanceof Refusal ? error.status : 500, body: { detail: (error as Error).message } };
      }
    },
  };
}

interface State {
  readonly options: FakeServerOptions;
  readonly disk: Map<string, readonly Update[]>;
  readonly random: Random;
  readonly create: () => Policy;
  readonly models: Map<string, Model>;
  readonly samplers: Map<string, Sampler>;
  readonly futures: Map<string, { polls: number; readonly outcome: Answer }>;
  next: number;
  steps: number;
  readonly most: number;
}

async function answer(server: State, method: string, path: string, body: unknown): Promise<unknown> {
  const { options, futures } = server;
  const entry = Object.entries(endpoints).find(([, endpoint]) => endpoint.path === path && endpoint.method === method);
  if (!entry) throw new Refusal(404, "there is no such path");
  const [name, endpoint] = entry;
  const request: unknown = "request" in endpoint ? endpoint.request.parse(body) : undefined;
  switch (name) {
    case "serverCapabilities": {
      const features = { loss_reduction: options.reduction ?? "sum", ordered: true, grad_clip_norm: options.clips ?? true, lora_alpha: false };
      return { supported_models: [{ model_name: FAKE_MODEL, ...(options.tells && { max_context_length: 64, vocabulary_size: 16, parameters: 384 }) }], ...(options.tells && { features }) };
    }
    case "createSession":
      return { session_id: `session-${server.next++}` };
    case "sessionHeartbeat":
      return {};
    case "createSamplingSession": {
      const id = `sampling-${server.next++}`;
      server.samplers.set(id, { policy: server.create(), weights: CURRENT });
      return { sampling_session_id: id };
    }
    case "retrieveFuture": {
      const future = futures.get((request as RequestOf<typeof endpoints.retrieveFuture>).request_id);
      if (!future) throw new Refusal(404, "Future not found");
      if (future.polls-- > 0) return { type: "try_again", request_id: "", queue_state: "active" };
      if (future.outcome.status >= 400) throw new Refusal(future.outcome.status, (future.outcome.body as { detail: string }).detail);
      return future.outcome.body;
    }
    default:
      return { request_id: await submit(server, name as Operation, request), future_id: "?" };
  }
}

type Operation = { [Name in keyof typeof endpoints]: (typeof endpoints)[Name]["kind"] extends "operation" ? Name : never }[keyof typeof endpoints];

/** Carries an operation out and keeps what comes of it; a training request that was seen before gives the first one's. */
async function submit(server: State, name: Operation, request: unknown): Promise<string> {
  const { model_id, seq_id } = request as { readonly model_id?: string; readonly seq_id?: number };
  const model = server.models.get(model_id ?? "");
  if (model_id !== undefined && !model) throw new Refusal(404, `Model '${model_id}' not found`);
  const numbered = server.options.deduplicates !== false && ["forward", "forwardBackward", "optimStep"].includes(name) ? model?.numbered : undefined;
  const text = JSON.stringify([name, request]);
  const earlier = numbered?.get(seq_id!);
  if (earlier && earlier.text !== text) throw new Refusal(409, "Training request sequence number was reused");
  if (earlier) return earlier.id;
  const id = String(server.next++);
  numbered?.set(seq_id!, { id, text });
  // What a server refuses it refuses at once; what fails fails in the future.
  const outcome = await operations[name](server, request as never, model!).then(
    (body): Answer => ({ status: 200, body }),
    (error: unknown): Answer => {
      if (error instanceof Refusal) throw error;
      return { status: 400, body: { detail: (error as Error).message } };
    },
  );
  server.futures.set(id, { polls: server.random.integer(3), outcome });
  return id;
}

const operations: { readonly [Name in Operation]: (server: State, request: RequestOf<(typeof endpoints)[Name]>, model: Model) => Promise<unknown> } = {
  createModel: (server, { base_model, lora_config }) => {
    if (base_model !== FAKE_MODEL) throw new Refusal(404, `no model ${base_model}`);
    if (server.models.size >= server.most) return Promise.reject(new Error("no slot is free"));
    const id = `model-${server.next++}`;
    server.models.set(id, { policy: server.create(), history: [], pending: emptied(), numbered: new Map() });
    return Promise.resolve({ model_id: id, lora_config: { ...lora_config, alpha: server.options.alpha ?? 32 } });
  },
  unloadModel: (server, { model_id }) => {
    server.models.delete(model_id);
    return Promise.resolve({});
  },
  sample: async (server, { sampling_session_id, prompt, num_samples = 1, sampling_params, prompt_logprobs }) => {
    const sampler = server.samplers.get(sampling_session_id);
    if (!sampler) throw new Refusal(404, "Sampling session not found");
    const { max_tokens, seed, stop, temperature = 1, top_k = -1, top_p = 1 } = sampling_params;
    const tokens = prompt.chunks.flatMap((chunk) => chunk.tokens);
    const [completions] = await sampler.policy.sample({
      prompts: [tokens], count: num_samples, weights: sampler.weights, seed: seed ?? 0, temperature, topP: top_p, topK: Math.max(0, top_k), stopTokens: stop ?? [], maxTokens: max_tokens,
    });
    const sequences = completions!.map(({ tokens, logprobs, stopReason }) => ({ tokens, logprobs: [...logprobs], stop_reason: stopReason }));
    if (!prompt_logprobs) return { sequences, prompt_logprobs: null };
    // One prompt token, and the others as its completion.
    const [logprobs] = await sampler.policy.logprobs([{ prompt: tokens.slice(0, 1), completion: tokens.slice(1) }], sampler.weights);
    return { sequences, prompt_logprobs: [...logprobs!] };
  },
  forward: (_, { forward_input }, model) => lossOutput(forward_input, model),
  forwardBackward: async (_, { forward_backward_input: input }, model) => {
    const output = await lossOutput(input, model);
    model.pending = { loss: lossOf(input), rows: [...model.pending.rows, ...input.data.map((datum) => rowOf(datum as Datum))] };
    return output;
  },
  optimStep: async (server, { adam_params: adam }, model) => {
    const { reduction = "sum", clips = true, tellsNorm = true } = server.options;
    const { loss, rows } = model.pending;
    model.pending = emptied();
    server.steps += 1;
    const divided = reduction === "sum" ? rows : rows.map((row) => ({ ...row, weights: Array.from(row.weights, (weight) => weight / sum(row.weights as number[]) / rows.length) }));
    const maxGradientNorm = clips && adam.grad_clip_norm > 0 ? adam.grad_clip_norm : Infinity;
    const options: UpdateOptions = { loss, learningRate: adam.learning_rate, beta1: adam.beta1, beta2: adam.beta2, epsilon: adam.eps, weightDecay: adam.weight_decay, maxGradientNorm };
    if (server.options.stale) await model.policy.snapshot("stale");
    model.history = [...model.history, { rows: divided, options }];
    const { gradientNorm } = await model.policy.update(divided, options);
    return { metrics: tellsNorm ? { "skyrl.ai/grad_norm": gradientNorm } : null };
  },
  saveWeightsForSampler: async (server, { model_id, sampling_session_seq_id, seq_id }, model) => {
    const name = `${model_id}/ss${sampling_session_seq_id!}_seq${seq_id!}`;
    if (server.samplers.has(name)) throw new Refusal(409, `Checkpoint '${name}' already exists`);
    await model.policy.snapshot(name);
    server.samplers.set(name, { policy: model.policy, weights: server.options.stale && model.history.length > 0 ? "stale" : name });
    return { path: null, sampling_session_id: name };
  },
  saveWeights: (server, { model_id, path }, model) => {
    const name = `tinker://${model_id}/weights/${path}`;
    if (server.disk.has(name)) throw new Refusal(409, `Checkpoint '${path}' already exists for model '${model_id}'`);
    server.disk.set(name, model.history);
    return Promise.resolve({ path: name });
  },
  loadWeights: async (server, { path, seq_id }, model) => {
    if (seq_id !== 1) throw new Refusal(400, `LoadWeights is not permitted with seq_id ${seq_id ?? 0}`);
    const history = server.disk.get(path);
    if (!history) throw new Refusal(404, "Checkpoint not found");
    model.policy = server.create();
    model.history = [...history];
    for (const { rows, options } of history) await model.policy.update(rows, options);
    return {};
  },
};

function emptied(): Model["pending"] {
  return { loss: { kind: "importance_sampling" }, rows: [] };
}

function lossOf({ loss_fn, loss_fn_config }: { readonly loss_fn: LossInput["loss_fn"]; readonly loss_fn_config?: LossInput["loss_fn_config"] }): Loss {
  if (loss_fn !== "ppo") return { kind: loss_fn };
  return { kind: "ppo", clipLow: 1 - loss_fn_config!["clip_low_threshold"]!, clipHigh: loss_fn_config!["clip_high_threshold"]! - 1 };
}

/** A datum as a row: the first weight that is not 0 tells where the completion begins. */
function rowOf({ model_input, loss_fn_inputs }: Datum): TrainingRow {
  const tokens = [...model_input.chunks.flatMap((chunk) => chunk.tokens), loss_fn_inputs["target_tokens"]!.data.at(-1)!];
  const weights = loss_fn_inputs["weights"]!.data;
  for (const [name, { data }] of Object.entries(loss_fn_inputs)) if (data.length !== tokens.length - 1) throw new Error(`${name} has ${data.length} numbers`);
  const start = weights.findIndex((weight) => weight !== 0) + 1;
  const part = (name: string) => (loss_fn_inputs[name]?.data ?? weights.map(() => 0)).slice(start - 1);
  return { prompt: tokens.slice(0, start), completion: tokens.slice(start), logprobs: part("logprobs"), advantages: part("advantages"), weights: part("weights") };
}

async function lossOutput({ data }: Pick<RequestOf<typeof endpoints.forward>["forward_input"], "data">, { policy }: Model) {
  const rows = data.map((datum) => rowOf(datum as Datum));
  const logprobs = await policy.logprobs(rows, CURRENT);
  const loss_fn_outputs = rows.map(({ prompt }, row) => {
    const values = [...new Array<number>(prompt.length - 1).fill(0), ...logprobs[row]!];
    return { logprobs: { data: values, dtype: "float32", shape: [values.length] } };
  });
  return { loss_fn_output_type: "scalar", loss_fn_outputs, metrics: {} };
}
