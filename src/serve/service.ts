import type { z } from "zod";
import { REFERENCE } from "../policy.ts";
import type { PolicyDescription, ServablePolicy } from "../policy.ts";
import type { endpoints, ServerFeatures } from "../tinker/wire.ts";
import { createSerial } from "../util/serial.ts";
import type { Serial } from "../util/serial.ts";
import { adaptersOf, describeAdapters, shapeOf } from "./adapters.ts";
import type { Adapters } from "./adapters.ts";
import { createCheckpoints, parsePath, refuseReplaced } from "./checkpoints.ts";
import type { CheckpointPath, Checkpoints } from "./checkpoints.ts";
import { createEngines } from "./engines.ts";
import type { Engine, Engines } from "./engines.ts";
import { createFutures } from "./futures.ts";
import type { Futures } from "./futures.ts";
import { createModel, unloadIfPossible } from "./models.ts";
import type { Model } from "./models.ts";
import { Refusal } from "./refusal.ts";
import type { createFromWeightsRequest, createModelRequest } from "./requests.ts";
import type { Sampler } from "./sampler.ts";
import { createSamplingSession } from "./sampling.ts";
import type { SamplingSession, SamplingSource } from "./sampling.ts";
import { createSessions } from "./sessions.ts";
import type { Sessions } from "./sessions.ts";

type SamplingSessionRequest = Request<typeof endpoints.createSamplingSession>;
type Request<E extends { readonly request: z.ZodType }> = z.output<E["request"]>;

/** The model that is served. */
export interface ServedModel {
  /** What clients call it. */
  readonly name: string;
  /** What finds its tokenizer: a folder or an id of the hub. */
  readonly tokenizer: string;
  /** Tokens at which completions end unless a request says otherwise. */
  readonly endTokens: readonly number[];
}

export interface ServiceOptions {
  readonly model: ServedModel;
  readonly createPolicy: (adapters: Adapters | null) => Promise<ServablePolicy>;
  /** Directory of what clients save. */
  readonly stateDirectory: string;
  readonly limits: ServiceLimits;
  readonly newId: () => string;
  /** A seed for samples that are asked for without one. */
  readonly anySeed: () => number;
  /** Seconds, from any start. */
  readonly clock: () => number;
  /** Told of failures that no client can mend. */
  readonly report: (error: unknown) => void;
}

export interface ServiceLimits {
  /** Engines in memory: models in training, and those that sample only. */
  readonly maxModels: number;
  /** Versions of the weights that each engine keeps to sample from. */
  readonly snapshotsPerModel: number;
  readonly maxUnfinished: number;
  /** Bytes of results that were fetched already. */
  readonly fetchedBytes: number;
  /** How long a session lives without a sign of its client. */
  readonly sessionSeconds: number;
  /** How long a request waits for those numbered before it. */
  readonly gapSeconds: number;
}

/** What the API does, without HTTP. Methods take a request that has the shape of the wire; they throw Refusal, and CheckpointError of the disk. */
export interface Service {
  readonly capabilities: () => z.output<typeof endpoints.serverCapabilities.result>;
  readonly createSession: () => object;
  readonly heartbeat: (request: Request<typeof endpoints.sessionHeartbeat>) => object;
  readonly createModel: (request: z.output<typeof createModelRequest>) => object;
  /** A model made of what was saved. */
  readonly createModelFrom: (request: z.output<typeof createFromWeightsRequest>) => Promise<object>;
  readonly getInfo: (request: Request<typeof endpoints.getInfo>) => Promise<object>;
  /** A model in training. */
  readonly model: (id: string) => Model;
  readonly createSamplingSession: (request: SamplingSessionRequest) => Promise<object>;
  /** What samples from weights that do not change. */
  readonly samplingSession: (id: string) => SamplingSession;
  readonly samplerInfo: (id: string) => object;
  readonly weightsInfo: (path: CheckpointPath) => Promise<object>;
  readonly checkpoints: Checkpoints;
  /** The JSON of a result, or `null` when it is not there after so many seconds. */
  readonly retrieve: (id: string, seconds: number) => Promise<string | null>;
  /** Lets clients that wait go, and releases the engines after what they are doing. */
  readonly close: () => Promise<void>;
}

/** Everything that a service holds. */
interface State {
  readonly options: ServiceOptions;
  readonly turns: Serial;
  readonly futures: Futures;
  readonly checkpoints: Checkpoints;
  readonly sessions: Sessions;
  readonly engines: Engines;
  readonly models: Map<string, Model>;
  readonly samplings: Map<string, SamplingSession>;
}

/** The service on an engine. Opens the base model, so that what is wrong with it shows at once: throws ModelError. */
export async function createService(options: ServiceOptions): Promise<Service> {
  const { model: served, limits, createPolicy } = options;
  const turns = createSerial();
  const state: State = {
    options,
    turns,
    futures: createFutures({ ...limits, report: options.report }),
    checkpoints: createCheckpoints(options.stateDirectory),
    sessions: createSessions(options.clock),
    engines: createEngines({ createPolicy, maxEngines: limits.maxModels, snapshotsPerEngine: limits.snapshotsPerModel, turns }),
    models: new Map(),
    samplings: new Map(),
  };
  const { futures, checkpoints, sessions, engines } = state;
  const description = await engines.forSampling(null, ({ policy }) => Promise.resolve(policy.description));
  const expiry = setInterval(() => endSilentSessions(state), Math.min(limits.sessionSeconds / 4, 30) * 1000);
  expiry.unref();
  return {
    capabilities: () => capabilities(served, description),
    createSession: () => ({ type: "create_session", session_id: sessions.create(`session-${options.newId()}`).id }),
    heartbeat: ({ session_id }) => ({ type: "session_heartbeat", session_id: sessions.get(session_id).id }),
    createModel: (request) => makeModel(state, request),
    createModelFrom: (request) => makeModelFrom(state, request),
    model: (id) => liveModel(state, id),
    getInfo: ({ model_id }) => infoOf(liveModel(state, model_id), served),
    createSamplingSession: (request) => makeSamplingSession(state, request),
    samplingSession: (id) => liveSampling(state, id),
    samplerInfo: (id) => {
      const { source } = liveSampling(state, id);
      return { sampler_id: id, base_model: served.name, ...(source.path !== null && { model_path: source.path }) };
    },
    weightsInfo: async (path) => {
      const { baseModel, adapters } = await checkpoints.find(path);
      return { base_model: baseModel, ...describeAdapters(adapters) };
    },
    checkpoints,
    retrieve: (id, seconds) => {
      const session = futures.sessionOf(id);
      if (session !== undefined) sessions.get(session);
      return futures.retrieve(id, seconds);
    },
    close: async () => {
      clearInterval(expiry);
      futures.release();
      await engines.close();
    },
  };
}

function makeModel(state: State, request: z.output<typeof createModelRequest>): object {
  const { session_id: session, model_seq_id: number, base_model, lora_config } = request;
  checkBase(state, base_model);
  const adapters = adaptersOf(lora_config);
  const start = (id: string): string =>
    startModel(state, { id, session, adapters }, () =>
      Promise.resolve({ type: "create_model", model_id: id, lora_config: adapters ? { rank: adapters.rank, alpha: adapters.alpha, seed: adapters.seed >>> 0 } : { rank: 0 } }),
    );
  return startOnce(state, { session, number, request, start });
}

async function makeModelFrom(state: State, request: z.output<typeof createFromWeightsRequest>): Promise<object> {
  const { session_id: session, model_seq_id: number, base_model, path, optimizer } = request;
  if (typeof base_model === "string") checkBase(state, base_model);
  const { adapters, baseModel, directory } = await state.checkpoints.find(parsePath(path, ["weights"]));
  checkBase(state, baseModel);
  const start = (id: string): string =>
    startModel(state, { id, session, adapters }, async ({ policy }) => {
      await policy.loadWeights(directory, optimizer);
      return { type: "load_weights", path, model_id: id };
    });
  return startOnce(state, { session, number, request, start });
}

/** Starts a model under the id that the SDK expects, once for each number of its session. */
function startOnce({ sessions }: State, { session, number, request, start }: { readonly session: string; readonly number: number; readonly request: object; readonly start: (id: string) => string }): object {
  const id = `${session}:train:${number}`;
  return { request_id: sessions.get(session).models.once(number, request, () => start(id)), model_id: id };
}

/** Begins to load a model, and returns the id of the future that tells when it is there, with what `prepare` gives. Throws Refusal (429) when there is no room. */
function startModel(
  state: State,
  { id, session, adapters }: { readonly id: string; readonly session: string; readonly adapters: Adapters | null },
  prepare: (engine: Engine) => Promise<object>,
): string {
  const { engines, futures, checkpoints, turns, models, options } = state;
  // What the limits refuse is refused before an engine is opened.
  return futures.start(session, () => {
    const opened = engines.open(adapters, (snapshot) => endSamplings(state, ({ source }) => source.weights === snapshot && source.directory === null));
    const prepared = opened.then(async (engine) => {
      try {
        return { engine, result: await prepare(engine) };
      } catch (error) {
        await engine.close();
        throw error;
      }
    });
    // Requests of the model wait until it is prepared.
    const engine = prepared.then((ready) => ready.engine);
    const model = createModel({
      id,
      session,
      baseModel: options.model.name,
      engine,
      futures,
      checkpoints,
      turns,
      gapSeconds: options.limits.gapSeconds,
      openSampling: (snapshot) => openSampling(state, session, { weights: snapshot, path: null, directory: null, sampler: async (task) => (await engine).sampler(task) }),
      unloaded: () => {
        models.delete(id);
        endSamplings(state, ({ source }) => source.weights.startsWith(`${id}#`));
      },
    });
    models.set(id, model);
    engine.catch(() => models.delete(id));
    return prepared.then(({ result }) => result);
  });
}

async function infoOf({ id, engine }: Model, { name, tokenizer }: ServedModel): Promise<object> {
  const { is_lora, lora_rank } = describeAdapters((await engine).adapters);
  return { type: "get_info", model_id: id, is_lora, ...(lora_rank !== undefined && { lora_rank }), model_name: name, model_data: { model_name: name, tokenizer_id: tokenizer } };
}

async function makeSamplingSession(state: State, request: SamplingSessionRequest): Promise<object> {
  const { session_id: session, sampling_session_seq_id: number } = request;
  const { samplingSessions } = state.sessions.get(session);
  const source = await sourceOf(state, request);
  return { type: "create_sampling_session", sampling_session_id: samplingSessions.once(number, request, () => openSampling(state, session, source)) };
}

async function sourceOf(state: State, { base_model, model_path }: SamplingSessionRequest): Promise<SamplingSource> {
  const { engines, models, checkpoints } = state;
  if (typeof model_path !== "string") {
    if (typeof base_model !== "string") throw new Refusal(400, "create_sampling_session has neither a `base_model` nor a `model_path`; give one of them.");
    checkBase(state, base_model);
    return { weights: REFERENCE, path: null, directory: null, sampler: (task) => engines.forSampling(null, ({ sampler }) => sampler(task)) };
  }
  if (typeof base_model === "string") throw new Refusal(400, "create_sampling_session has both a `base_model` and a `model_path`; give one of them.");
  const path = parsePath(model_path);
  const { adapters, baseModel, directory, time } = await checkpoints.find(path);
  checkBase(state, baseModel);
  const sampler: Sampler = async (task) => {
    await refuseReplaced(checkpoints, path, time);
    const trained = await models.get(path.model)?.engine;
    return trained ? trained.sampler(task) : engines.forSampling(shapeOf(adapters), (engine) => engine.sampler(task));
  };
  return { weights: `${model_path} of ${time}`, path: model_path, directory, sampler };
}

function openSampling({ options, futures, samplings }: State, session: string, source: SamplingSource): string {
  const id = `sampling-${options.newId()}`;
  samplings.set(id, createSamplingSession({ id, session, source, futures, endTokens: options.model.endTokens, anySeed: options.anySeed }));
  return id;
}

/** Ends the sampling sessions for which it holds. */
function endSamplings({ samplings }: Pick<State, "samplings">, holds: (sampling: SamplingSession) => boolean): void {
  for (const [id, sampling] of samplings) if (holds(sampling)) samplings.delete(id);
}

/** Frees what clients hold that have shown no sign of life for too long. */
function endSilentSessions({ sessions, futures, models, samplings, options }: State): void {
  const ended = sessions.expire(options.limits.sessionSeconds, futures.busy);
  for (const model of models.values()) if (!sessions.alive(model.session)) unloadIfPossible(model);
  for (const id of ended) {
    endSamplings({ samplings }, ({ session }) => session === id);
    futures.drop(id);
  }
}

function liveModel({ models, sessions }: State, id: string): Model {
  const found = models.get(id);
  if (!found) throw new Refusal(404, `there is no model ${id}: it was never made, or it was unloaded; make a new one and load what was saved.`);
  sessions.get(found.session);
  return found;
}

function liveSampling({ samplings, sessions, options }: State, id: string): SamplingSession {
  const found = samplings.get(id);
  if (!found) {
    throw new Refusal(404, `there is no sampling session ${id}: it was never made, its model was unloaded, or its weights made room for newer ones: of a model, the ${options.limits.snapshotsPerModel} that were sampled from last are kept.`);
  }
  sessions.get(found.session);
  return found;
}

function checkBase({ options }: State, name: string): void {
  if (name !== options.model.name) throw new Refusal(400, `the base model \`${name}\` is not served here; expected \`${options.model.name}\`.`);
}

/** This server's own traits: losses are sums, a model's requests run in their order, and all optimizer settings count. */
const FEATURES: ServerFeatures = { loss_reduction: "sum", ordered: true, grad_clip_norm: true, lora_alpha: true, prompt_index: true };

function capabilities({ name }: ServedModel, { contextLength, vocabularySize, parameters }: PolicyDescription): z.output<typeof endpoints.serverCapabilities.result> {
  return { supported_models: [{ model_name: name, max_context_length: contextLength, vocabulary_size: vocabularySize, parameters }], features: FEATURES };
}
