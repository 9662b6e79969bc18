import type { TokenSequence } from "../types.ts";
import { call, operate, statusOf, submit } from "./client.ts";
import type { Submitted } from "./client.ts";
import { chunksOf, completionLogprobs, logprobDatum } from "./datums.ts";
import type { Connection } from "./http.ts";
import { counter } from "./session.ts";
import type { Session } from "./session.ts";
import { endpoints } from "./wire.ts";
import type { Datum, LoraConfig, LossInput, LossOutput, RequestOf } from "./wire.ts";

/** What samples from weights that do not change any more. */
export interface Sampler {
  readonly id: string;
  /** Numbers of its requests. */
  readonly next: () => number;
}

/** A model on a server. Its training requests are sent in the order of the calls; one call at a time. */
export interface RemoteModel {
  readonly id: string;
  /** What its adapters are, where the server says so. */
  readonly lora: LoraConfig | null;
  /** Logprobs of completion tokens under the weights of now, `[sequence][time]`. */
  readonly logprobs: (sequences: readonly TokenSequence[]) => Promise<readonly Float32Array[]>;
  /** Adds up the gradients of all datums and takes an optimizer step with them. */
  readonly train: (datums: readonly Datum[], loss: Omit<LossInput, "data">, adam: AdamParameters, server: TrainingTraits) => Promise<Trained>;
  /** Whether the server takes the same request, sent again, for the same one. */
  readonly deduplicates: () => Promise<boolean>;
  /** A sampler of the weights of now: the same one until they are trained. */
  readonly sampler: () => Promise<Sampler>;
  /** Keeps weights and optimizer on the server; the path finds them again. */
  readonly save: () => Promise<string>;
  /** Tries for so many seconds; as long as anything else when absent. */
  readonly unload: (patience?: number) => Promise<void>;
}

/** What a server says of the order and the repetition of training requests. */
export interface TrainingTraits {
  /** Whether a model's requests run in the order of their numbers, even when the next is sent at once. */
  readonly ordered: boolean;
  /** Whether a request that is sent again is not done again. */
  readonly deduplicates: boolean;
}

export type AdamParameters = RequestOf<typeof endpoints.optimStep>["adam_params"];

export interface Trained {
  /** One for each datum, from before the step. */
  readonly outputs: LossOutput["loss_fn_outputs"];
  /** Of the loss, where the server names any. */
  readonly metrics: Readonly<Record<string, number>>;
  /** L2 norm of the gradient before clipping; NaN where the server does not tell it. */
  readonly gradientNorm: number;
  /** Whether the server says that it changed nothing, since the gradient was not finite. */
  readonly skipped: boolean;
}

export interface ModelOptions {
  readonly baseModel: string;
  readonly lora: LoraConfig;
  /** Whether the server may leave out logprobs of weight 0, which nothing here reads. */
  readonly skipUnweighted?: boolean;
  /** Weights and optimizer to begin with; those of the base model when absent. */
  readonly from?: string;
  /** Seconds for which a server without room is asked; as long as anything else when absent. */
  readonly patience?: number;
}

/** Makes a model; leaves none behind when its weights cannot be loaded. Throws ServerError. */
export async function createModel(session: Session, { baseModel, lora: wanted, skipUnweighted = false, from, patience = session.connection.patience }: ModelOptions): Promise<RemoteModel> {
  const { connection } = session;
  const request = { session_id: session.id, model_seq_id: session.nextModel(), base_model: baseModel, lora_config: wanted };
  const { model_id, lora_config } = await operate({ ...connection, patience }, endpoints.createModel, request);
  const nextRequest = counter(1);
  if (from !== undefined) {
    try {
      await operate(connection, endpoints.loadWeights, { model_id, path: from, optimizer: true, seq_id: nextRequest() });
    } catch (error) {
      await unloadModel(connection, model_id).catch(() => undefined);
      throw error;
    }
  }
  const nextName = counter(1);
  const parts: ModelParts = { connection, model_id, nextRequest, input: (input) => (skipUnweighted ? { ...input, skip_unweighted: true } : input) };
  let sampler: Sampler | null = null;
  return {
    id: model_id,
    lora: lora_config ?? null,
    logprobs: (sequences) => forward(parts, sequences),
    train: (datums, loss, adam, server) => {
      sampler = null;
      return train(parts, datums, loss, adam, server);
    },
    deduplicates: async () => {
      const request = { model_id, forward_input: { data: [logprobDatum({ prompt: [1, 2], completion: [3] })], loss_fn: "cross_entropy" as const }, seq_id: nextRequest() };
      const [first, second] = [await submit(connection, endpoints.forward, request), await submit(connection, endpoints.forward, request)];
      await Promise.all([first.result(), second.result()]);
      return first.id === second.id;
    },
    sampler: async () => (sampler ??= await saveForSampler(session, model_id, nextRequest)),
    save: async () => {
      const body = unlessTaken(() => ({ model_id, path: `state-${nextName()}`, seq_id: nextRequest() }));
      return (await operate(connection, endpoints.saveWeights, body)).path;
    },
    unload: (patience) => unloadModel(patience === undefined ? connection : { ...connection, patience, resultTimeout: patience }, model_id),
  };
}

/** Releases a model, of this client or an earlier one; none with this id is as good. Throws ServerError. */
export async function unloadModel(connection: Connection, model_id: string): Promise<void> {
  try {
    await operate(connection, endpoints.unloadModel, { model_id });
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
}

interface ModelParts {
  readonly connection: Connection;
  readonly model_id: string;
  readonly nextRequest: () => number;
  /** The input of a pass, as the server is asked for it. */
  readonly input: (input: LossInput) => LossInput;
}

async function forward({ connection, model_id, nextRequest, input }: ModelParts, sequences: readonly TokenSequence[]): Promise<readonly Float32Array[]> {
  const some = sequences.filter(({ completion }) => completion.length > 0);
  const sent: Submitted<LossOutput>[] = [];
  for (const data of chunksOf(some.map(logprobDatum))) {
    sent.push(await submit(connection, endpoints.forward, { model_id, forward_input: input({ data, loss_fn: "cross_entropy" }), seq_id: nextRequest() }));
  }
  const outputs = (await Promise.all(sent.map(({ result }) => result()))).flatMap(({ loss_fn_outputs }) => loss_fn_outputs);
  const found = completionLogprobs(some, outputs)[Symbol.iterator]();
  return sequences.map(({ completion }) => (completion.length === 0 ? new Float32Array(0) : found.next().value!));
}

async function train({ connection, model_id, nextRequest, input }: ModelParts, datums: readonly Datum[], loss: Omit<LossInput, "data">, adam: AdamParameters, { ordered, deduplicates }: TrainingTraits): Promise<Trained> {
  const sent: Submitted<LossOutput>[] = [];
  for (const data of chunksOf(datums)) {
    sent.push(await submit(connection, endpoints.forwardBackward, { model_id, forward_backward_input: input({ ...loss, data }), seq_id: nextRequest() }, { once: !deduplicates }));
  }
  const gradients = () => Promise.all(sent.map(({ result }) => result()));
  const step = () => submit(connection, endpoints.optimStep, { model_id, adam_params: adam, seq_id: nextRequest() }, { once: !deduplicates });
  // A server that does not keep the order might step before it has the gradients.
  const [losses, stepped] = ordered ? await step().then(({ result }) => Promise.all([gradients(), result()])) : [await gradients(), await (await step()).result()];
  return { outputs: losses.flatMap(({ loss_fn_outputs }) => loss_fn_outputs), metrics: losses[0]?.metrics ?? {}, gradientNorm: normIn(stepped.metrics ?? {}), skipped: stepped.metrics?.["skipped"] === 1 };
}

function normIn(metrics: Readonly<Record<string, number>>): number {
  const [, norm = NaN] = Object.entries(metrics).find(([name]) => /(^|[^a-z])grad_norm$/.test(name)) ?? [];
  return norm;
}

async function saveForSampler(session: Session, model_id: string, nextRequest: () => number): Promise<Sampler> {
  const body = unlessTaken(() => ({ model_id, sampling_session_seq_id: session.nextSampling(), seq_id: nextRequest() }));
  const { sampling_session_id, path } = await operate(session.connection, endpoints.saveWeightsForSampler, body);
  return sampling_session_id ? { id: sampling_session_id, next: counter(0) } : samplingSession(session, { model_path: path ?? "" });
}

/** A sampler of a base model, or of weights kept under a path. Throws ServerError. */
export async function samplingSession(session: Session, of: { readonly base_model: string } | { readonly model_path: string }): Promise<Sampler> {
  const { sampling_session_id } = await call(session.connection, endpoints.createSamplingSession, { session_id: session.id, sampling_session_seq_id: session.nextSampling(), ...of });
  return { id: sampling_session_id, next: counter(0) };
}

/** A body with new names and numbers each time that they were taken, and the same ones when it is only sent again. */
function unlessTaken<T>(create: () => T): (conflicts: number) => T {
  let latest = { conflicts: 0, body: create() };
  return (conflicts) => {
    if (conflicts !== latest.conflicts) latest = { conflicts, body: create() };
    return latest.body;
  };
}
