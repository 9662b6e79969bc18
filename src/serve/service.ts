import type { z } from "zod";
import type { PolicyDescription } from "../policy.ts";
import type { endpoints, ServerFeatures } from "../tinker/wire.ts";
import { createSerial } from "../util/serial.ts";
import { adaptersOf, describeAdapters } from "./adapters.ts";
import type { Adapters } from "./adapters.ts";
import { createCheckpoints, parsePath } from "./checkpoints.ts";
import type { CheckpointPath, Checkpoints } from "./checkpoints.ts";
import { createEngines } from "./engines.ts";
import type { Engine } from "./engines.ts";
import { createFutures } from "./futures.ts";
import { createModel, unloadIfPossible } from "./models.ts";
import type { Model } from "./models.ts";
import { Refusal } from "./refusal.ts";
import type { createFromWeightsRequest, createModelRequest, Received } from "./requests.ts";
import type { SamplingSession } from "./sampling.ts";
import { endSamplings, liveSampling, makeSamplingSession, openSampling } from "./sampling-sessions.ts";
import type { SamplingSessionRequest } from "./sampling-sessions.ts";
import { createSessions } from "./sessions.ts";
import { checkBase } from "./state.ts";
import type { ServedModel, ServiceOptions, State } from "./state.ts";

type Request<E extends { readonly request: z.ZodType }> = Received<z.output<E["request"]>>;

/** What the API does, without HTTP. Methods take a request that has the shape of the wire; they throw Refusal, and CheckpointError of the disk. */
export interface Service {
  readonly capabilities: () => z.output<typeof endpoints.serverCapabilities.result>;
  readonly createSession: () => object;
  readonly heartbeat: (request: Request<typeof endpoints.sessionHeartbeat>) => object;
  readonly createModel: (request: Received<z.output<typeof createModelRequest>>) => object;
  /** A model made of what was saved. */
  readonly createModelFrom: (request: Received<z.output<typeof createFromWeightsRequest>>) => Promise<object>;
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

function makeModel(state: State, request: Received<z.output<typeof createModelRequest>>): object {
  const { session_id: session, model_seq_id: number, base_model, lora_config } = request;
  checkBase(state, base_model);
  const adapters = adaptersOf(lora_config);
  const start = (id: string): string =>
    startModel(state, { id, session, adapters }, () =>
      Promise.resolve({ type: "create_model", model_id: id, lora_config: adapters ? { rank: adapters.rank, alpha: adapters.alpha, seed: adapters.seed >>> 0 } : { rank: 0 } }),
    );
  return startOnce(state, { session, number, request, start });
}

async function makeModelFrom(state: State, request: Received<z.output<typeof createFromWeightsRequest>>): Promise<object> {
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
function startOnce({ sessions }: State, { session, number, request, start }: { readonly session: string; readonly number: number; readonly request: Received<object>; readonly start: (id: string) => string }): object {
  const id = `${session}:train:${number}`;
  return { request_id: sessions.get(session).models.once(number, request.fingerprint, () => start(id)), model_id: id };
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

/** This server's own traits: losses are sums, a model's requests run in their order, and all optimizer settings count. */
const FEATURES: ServerFeatures = { loss_reduction: "sum", ordered: true, grad_clip_norm: true, lora_alpha: true, further_prompts: true, skip_unweighted: true };

function capabilities({ name }: ServedModel, { contextLength, vocabularySize, parameters }: PolicyDescription): z.output<typeof endpoints.serverCapabilities.result> {
  return { supported_models: [{ model_name: name, max_context_length: contextLength, vocabulary_size: vocabularySize, parameters }], features: FEATURES };
}
