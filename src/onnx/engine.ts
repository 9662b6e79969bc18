import { join } from "node:path";
import { PolicyError } from "../errors.ts";
import type { SaveDtype } from "../options.ts";
import { checkRequest, checkRow, checkSequence, CURRENT, REFERENCE } from "../policy.ts";
import type { Policy, SampleRequest, UpdateOptions, WeightsName } from "../policy.ts";
import type { Completion, TokenSequence, TrainingRow, UpdateReport } from "../types.ts";
import { adamw, createAdamState, norm } from "./adamw.ts";
import type { AdamState } from "./adamw.ts";
import { microBatches } from "./batches.ts";
import { inOrder } from "./in-order.ts";
import { initialAdapters, mergedTensors, saveAdapters } from "./lora.ts";
import { decodeRows, sequenceTokens } from "./memory.ts";
import { loadModel, saveModel, storedTensors } from "./model-folder.ts";
import type { LoadedModel } from "./model-folder.ts";
import type { DecoderConfiguration, LoraShape } from "./models/configuration.ts";
import { adapterLayout } from "./models/lora.ts";
import type { ParameterLayout } from "./models/parameters.ts";
import { createRotaryFeeds } from "./models/rotary.ts";
import type { RotaryFeeds } from "./models/rotary.ts";
import type { NamedTensor } from "./safetensors.ts";
import { sampleCompletions } from "./sample.ts";
import { createSessions } from "./sessions.ts";
import type { Sessions } from "./sessions.ts";
import { fingerprint, loadTrainingState, saveTrainingState } from "./state.ts";
import { accumulateGradient, sequenceFeeds } from "./update.ts";
import { createWeights } from "./weights.ts";
import type { Weights } from "./weights.ts";

/** Folder of an exported model that holds the adapters alone. Beside `config.json` they would be taken for a change of it. */
const ADAPTER = "adapter";

export interface EngineOptions {
  /** A Hugging Face model folder. */
  readonly model: string;
  /** CPU threads. */
  readonly threads: number;
  /** Adapters to train in place of the model's own weights. */
  readonly lora?: LoraOptions | null;
  /** Number format of exported models; float32 unless it is given. */
  readonly saveDtype?: SaveDtype;
}

export interface LoraOptions extends LoraShape {
  /** Seed of the adapters' initial values. */
  readonly seed: number;
  /** The model's name for `adapter_config.json`: a folder, or an id of the hub with or without `@REVISION`. */
  readonly base: string;
}

interface Engine {
  readonly config: DecoderConfiguration;
  /** Of what is trained: the model's parameters, or the adapters. */
  readonly layout: ParameterLayout;
  /** A version of the weights around what is trained. */
  readonly weightsOf: (flat: Float32Array) => Weights;
  /** Tells what the run started from apart from any other start. */
  readonly origin: () => string;
  readonly sessions: Sessions;
  readonly rotary: RotaryFeeds;
  readonly reference: Weights;
  readonly current: Weights;
  readonly snapshots: Map<WeightsName, Weights>;
  adam: AdamState;
}

/**
 * The embedded engine: a decoder trained and sampled on the CPU through ONNX Runtime. Graphs are compiled
 * when first needed. It blocks its thread while it computes; `createOnnxPolicy` gives it one of its own.
 */
export async function createEngine({ model, threads, lora = null, saveDtype = "float32" }: EngineOptions): Promise<Policy> {
  const loaded = await loadModel(model);
  const trained = lora ? trainedAdapters(loaded, lora) : trainedModel(loaded);
  const { config, layout, start, weightsOf } = trained;
  const engine: Engine = {
    ...trained,
    sessions: createSessions(config, threads),
    rotary: createRotaryFeeds(config),
    reference: weightsOf(start),
    current: weightsOf(start.slice()),
    snapshots: new Map(),
    adam: createAdamState(layout.size),
  };
  const exportModel = async (directory: string): Promise<void> => {
    await saveModel(directory, model, trained.exported(engine.current.flat), saveDtype);
    if (lora) await saveAdapters(join(directory, ADAPTER), engine.current.flat, layout, lora, lora.base);
  };
  return inOrder({
    description: {
      model,
      parameters: loaded.layout.size,
      vocabularySize: config.vocabularySize,
      contextLength: config.contextLength,
      capabilities: ["export"],
    },
    sample: (request) => sample(engine, request),
    logprobs: (sequences, weights) => logprobs(engine, sequences, weights),
    update: (rows, options) => update(engine, rows, options),
    snapshot: (name) => snapshot(engine, name),
    saveState: (directory) => saveState(engine, directory),
    loadState: (directory) => loadState(engine, directory),
    exportModel,
    close: () => engine.sessions.close(),
  });
}

/** What is trained, and how the rest follows from it. */
interface Trained extends Pick<Engine, "config" | "layout" | "weightsOf" | "origin"> {
  readonly start: Float32Array;
  /** The whole model's tensors. */
  readonly exported: (flat: Float32Array) => readonly NamedTensor[];
}

function trainedModel({ config, layout, flat }: LoadedModel): Trained {
  return {
    config,
    layout,
    start: flat,
    weightsOf: (weights) => createWeights(weights, layout),
    origin: () => fingerprint([flat]),
    exported: (weights) => storedTensors(weights, layout),
  };
}

/** The model's own weights are there once, for all versions: the reference is what they are without the adapters. */
function trainedAdapters(model: LoadedModel, { rank, alpha, targets, seed }: LoraOptions): Trained {
  const lora = { rank, alpha, targets };
  const config = { ...model.config, lora };
  const layout = adapterLayout(config, lora);
  const frozen = createWeights(model.flat, model.layout).feeds;
  const start = initialAdapters(layout, seed);
  return {
    config,
    layout,
    start,
    weightsOf: (adapters) => createWeights(adapters, layout, frozen),
    origin: () => fingerprint([model.flat, start, JSON.stringify(lora)]),
    exported: (adapters) => mergedTensors(model, adapters, layout, lora),
  };
}

async function sample(engine: Engine, request: SampleRequest): Promise<readonly (readonly Completion[])[]> {
  const { config, sessions, rotary } = engine;
  checkRequest(request, config);
  const weights = versionOf(engine, request.weights);
  const longest = Math.max(...request.prompts.map(({ length }) => length)) + request.maxTokens;
  const [prefill, decode] = [await sessions.prefill(), await sessions.decode()];
  return sampleCompletions(request, { config, weights, rotary, prefill, decode, maxRows: decodeRows(config, longest) });
}

async function logprobs(engine: Engine, sequences: readonly TokenSequence[], name: WeightsName): Promise<readonly Float32Array[]> {
  const { config, sessions, rotary } = engine;
  for (const sequence of sequences) checkSequence(sequence, config);
  const weights = versionOf(engine, name);
  const session = await sessions.logprobs();
  const results = sequences.map(({ completion }) => new Float32Array(completion.length));
  for (const batch of microBatches(sequences, (time) => sequenceTokens(config, time))) {
    const outputs = await session.run({ ...weights.feeds, ...sequenceFeeds(batch, { group: groupOf(config), rotary }) });
    let place = 0;
    for (const row of batch.rows) results[row]!.set(outputs("logprobs").subarray(place, (place += results[row]!.length)));
  }
  return results;
}

async function update(engine: Engine, rows: readonly TrainingRow[], options: UpdateOptions): Promise<UpdateReport> {
  const { config, layout, sessions, rotary, current } = engine;
  for (const row of rows) checkRow(row, config);
  const { session, graph } = await sessions.training(options.loss.kind);
  const gradient = new Float32Array(layout.size);
  const parts = { session, graph, layout, weights: current, rotary, group: groupOf(config), tokenBudget: (time: number) => sequenceTokens(config, time) };
  const sums = await accumulateGradient(rows, options.loss, parts, gradient);
  const gradientNorm = norm(gradient);
  const skipped = !Number.isFinite(gradientNorm);
  const scale = Math.min(1, options.maxGradientNorm / gradientNorm);
  if (!skipped) adamw(current.flat, gradient, scale, engine.adam, options);
  return { ...sums, gradientNorm, skipped };
}

function snapshot(engine: Engine, name: WeightsName): Promise<void> {
  if (name === CURRENT || name === REFERENCE) throw new PolicyError(`A snapshot cannot be named ${name}.`);
  engine.snapshots.set(name, engine.weightsOf(engine.current.flat.slice()));
  return Promise.resolve();
}

async function saveState({ current, origin, adam, snapshots }: Engine, directory: string): Promise<void> {
  const frozen = new Map([...snapshots].map(([name, weights]) => [name, weights.flat]));
  await saveTrainingState(directory, { weights: current.flat, adam, snapshots: frozen }, origin());
}

async function loadState(engine: Engine, directory: string): Promise<void> {
  const { layout, current, snapshots } = engine;
  const state = await loadTrainingState(directory, layout.size, engine.origin());
  current.flat.set(state.weights);
  engine.adam = state.adam;
  snapshots.clear();
  for (const [name, weights] of state.snapshots) snapshots.set(name, engine.weightsOf(weights));
}

function versionOf({ current, reference, snapshots }: Engine, name: WeightsName): Weights {
  const found = name === CURRENT ? current : name === REFERENCE ? reference : snapshots.get(name);
  if (!found) throw new PolicyError(`There are no weights named ${name}, only ${[CURRENT, REFERENCE, ...snapshots.keys()].join(", ")}.`);
  return found;
}

function groupOf({ heads, keyValueHeads }: DecoderConfiguration): number {
  return heads / keyValueHeads;
}
