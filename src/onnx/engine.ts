import { CheckpointError, PolicyError } from "../errors.ts";
import type { SaveDtype } from "../options.ts";
import { checkRequest, checkRow, checkSequence, CURRENT, REFERENCE } from "../policy.ts";
import type { ForwardBackwardReport, MergedSampleRequest, Objective, OptimizerOptions, ScoredSequence, ServablePolicy, UpdateOptions, WeightsName } from "../policy.ts";
import type { Completion, TrainingRow, UpdateReport } from "../types.ts";
import { adamw, createAdamState, norm } from "./adamw.ts";
import type { AdamState } from "./adamw.ts";
import { microBatches } from "./batches.ts";
import { inOrder } from "./in-order.ts";
import type { LoraOptions } from "./lora.ts";
import { decodeRows, sequenceTokens } from "./memory.ts";
import { loadModel } from "./model-folder.ts";
import type { DecoderConfiguration } from "./models/configuration.ts";
import { createRotaryFeeds } from "./models/rotary.ts";
import type { RotaryFeeds } from "./models/rotary.ts";
import { sampleCompletions } from "./sample.ts";
import { createSessions } from "./sessions.ts";
import type { Sessions } from "./sessions.ts";
import { loadTrainingState, saveTrainingState } from "./state.ts";
import type { StateOrigin } from "./state.ts";
import { trainedAdapters, trainedCritic, trainedModel } from "./trained.ts";
import type { Trained } from "./trained.ts";
import { accumulateGradient, sequenceFeeds, toRows } from "./update.ts";
import type { Weights } from "./weights.ts";

export interface EngineOptions {
  /** A Hugging Face model folder. */
  readonly model: string;
  /** CPU threads. */
  readonly threads: number;
  /** Adapters to train in place of the model's own weights. */
  readonly lora?: LoraOptions | null;
  /** Whether a critic is trained beside them. */
  readonly critic?: boolean;
  /** Number format of exported models; float32 unless it is given. */
  readonly saveDtype?: SaveDtype;
}

interface Engine extends Trained {
  readonly sessions: Sessions;
  readonly rotary: RotaryFeeds;
  readonly reference: Weights;
  readonly current: Weights;
  readonly snapshots: Map<WeightsName, Weights>;
  /** The snapshot that was forgotten last, for the memory of the next one: to copy into new memory takes several times longer. None is kept beside a new one, so that there are never more copies than before. */
  spare: Weights | null;
  /** What was added up since the last update. Made anew each time, the old ones would lie about until they are collected. */
  readonly gradient: Float32Array;
  adam: AdamState;
}

/**
 * The embedded engine: a decoder trained and sampled on the CPU through ONNX Runtime. Graphs are compiled
 * when first needed. It blocks its thread while it computes; `createOnnxPolicy` gives it one of its own.
 */
export async function createEngine({ model, threads, lora = null, critic = false, saveDtype = "float32" }: EngineOptions): Promise<ServablePolicy> {
  const loaded = await loadModel(model);
  const saving = { source: model, dtype: saveDtype };
  const policy = lora ? trainedAdapters(loaded, lora, saving) : trainedModel(loaded, saving);
  const trained = critic ? trainedCritic(policy) : policy;
  const { config, layout, start, versionOf } = trained;
  const engine: Engine = {
    ...trained,
    sessions: createSessions(config, threads),
    rotary: createRotaryFeeds(config),
    reference: versionOf(start),
    current: versionOf(start.slice()),
    snapshots: new Map(),
    spare: null,
    gradient: new Float32Array(layout.size),
    adam: createAdamState(layout.size),
  };
  return inOrder({
    description: {
      model,
      parameters: loaded.layout.size,
      vocabularySize: config.vocabularySize,
      contextLength: config.contextLength,
      capabilities: ["export", "average", ...(critic ? ["critic" as const] : [])],
    },
    sample: (request) => sample(engine, request),
    logprobs: (sequences, weights) => logprobs(engine, sequences, weights),
    update: (rows, options) => update(engine, rows, options),
    forwardBackward: (rows, objective) => forwardBackward(engine, rows, objective),
    optimizerStep: (options) => optimizerStep(engine, options),
    dropGradient: () => dropGradient(engine),
    snapshot: (name) => snapshot(engine, name),
    average: (name, decay) => average(engine, name, decay),
    values: (sequences) => values(engine, sequences),
    saveState: (directory) => saveState(engine, directory),
    loadState: (directory) => loadState(engine, directory),
    saveWeights: (directory, name, optimizer) => saveWeights(engine, directory, name, optimizer),
    loadWeights: (directory, optimizer) => loadWeights(engine, directory, optimizer),
    loadSnapshot: (name, directory) => loadSnapshot(engine, name, directory),
    forget: (name) => forget(engine, name),
    exportModel: (directory) => trained.save(directory, engine.current.flat),
    close: () => engine.sessions.close(),
  });
}

async function sample(engine: Engine, request: MergedSampleRequest): Promise<readonly (readonly Completion[])[]> {
  const { config, sessions, rotary } = engine;
  checkRequest(request, config);
  const weights = weightsOf(engine, request.weights);
  const longest = Math.max(...request.prompts.map(({ length }) => length)) + request.maxTokens;
  const [prefill, decode] = [await sessions.prefill(), await sessions.decode()];
  return sampleCompletions(request, { config, weights, rotary, prefill, decode, maxRows: decodeRows(config, longest) });
}

function logprobs(engine: Engine, sequences: readonly ScoredSequence[], name: WeightsName): Promise<readonly Float32Array[]> {
  return ofTokens(engine, sequences, { graph: "logprobs", weights: weightsOf(engine, name) });
}

function values(engine: Engine, sequences: readonly ScoredSequence[]): Promise<readonly Float32Array[]> {
  if (!engine.config.critic) throw new PolicyError(NO_CRITIC);
  return ofTokens(engine, sequences, { graph: "values", weights: engine.current });
}

const NO_CRITIC = "This engine was made without a critic: it has no values, and no update of them.";

/** One number for each completion token, `[sequence][time]`: the output of a graph that has its name. */
async function ofTokens(
  { config, sessions, rotary }: Engine,
  sequences: readonly ScoredSequence[],
  { graph, weights }: { readonly graph: "logprobs" | "values"; readonly weights: Weights },
): Promise<readonly Float32Array[]> {
  for (const sequence of sequences) checkSequence(sequence, config);
  const session = await sessions[graph]();
  const results = sequences.map(({ completion }) => new Float32Array(completion.length));
  for (const batch of microBatches(sequences, (time) => sequenceTokens(config, time))) {
    const outputs = await session.run({ ...weights.feeds, ...sequenceFeeds(batch, { group: groupOf(config), rotary }) });
    toRows(outputs(graph), batch, results);
  }
  return results;
}

async function update(engine: Engine, rows: readonly TrainingRow[], options: UpdateOptions): Promise<UpdateReport> {
  await dropGradient(engine);
  const { loss, clipFraction, tokens } = await forwardBackward(engine, rows, options);
  return { loss, clipFraction, tokens, ...(await optimizerStep(engine, options)) };
}

async function forwardBackward(engine: Engine, rows: readonly (TrainingRow & ScoredSequence)[], objective: Objective): Promise<ForwardBackwardReport> {
  const { config, layout, sessions, rotary, current, gradient } = engine;
  for (const row of rows) checkRow(row, config);
  if (objective.critic && !config.critic) throw new PolicyError(NO_CRITIC);
  const { session, graph } = await sessions.training(objective.loss.kind);
  const parts = { session, graph, layout, weights: current, rotary, group: groupOf(config), tokenBudget: (time: number) => sequenceTokens(config, time) };
  return accumulateGradient(rows, objective, parts, gradient);
}

async function optimizerStep(engine: Engine, options: OptimizerOptions): Promise<Pick<UpdateReport, "gradientNorm" | "skipped">> {
  const { current, gradient } = engine;
  const gradientNorm = norm(gradient);
  const skipped = !Number.isFinite(gradientNorm);
  const scale = Math.min(1, options.maxGradientNorm / gradientNorm);
  if (!skipped) adamw(current.flat, gradient, scale, engine.adam, options);
  await dropGradient(engine);
  return { gradientNorm, skipped };
}

function dropGradient({ gradient }: Engine): Promise<void> {
  gradient.fill(0);
  return Promise.resolve();
}

function snapshot(engine: Engine, name: WeightsName): Promise<void> {
  const { current, snapshots, spare } = engine;
  const memory = snapshots.get(name) ?? spare;
  memory?.flat.set(current.flat);
  keepSnapshot(engine, name, memory ?? engine.versionOf(current.flat.slice()));
  return Promise.resolve();
}

function keepSnapshot(engine: Engine, name: WeightsName, weights: Weights): void {
  if (name === CURRENT || name === REFERENCE) throw new PolicyError(`A snapshot cannot be named ${name}.`);
  engine.snapshots.set(name, weights);
  engine.spare = null;
}

/** Of adapters, A and B are averaged, not their product. */
function average(engine: Engine, name: WeightsName, decay: number): Promise<void> {
  if (name === CURRENT || name === REFERENCE) throw new PolicyError(`The weights named ${name} are no snapshot: they cannot be averaged.`);
  const { flat } = weightsOf(engine, name);
  const current = engine.current.flat;
  for (let index = 0; index < flat.length; index++) flat[index] = decay * flat[index]! + (1 - decay) * current[index]!;
  return Promise.resolve();
}

async function saveState(engine: Engine, directory: string): Promise<void> {
  const { current, adam, snapshots } = engine;
  const frozen = new Map([...snapshots].map(([name, weights]) => [name, weights.flat]));
  await saveTrainingState(directory, { weights: current.flat, adam, snapshots: frozen }, stateOrigin(engine));
}

async function loadState(engine: Engine, directory: string): Promise<void> {
  const { layout, current, snapshots } = engine;
  const state = await loadTrainingState(directory, layout.size, stateOrigin(engine));
  if (state.adam === null) throw new CheckpointError(`${directory} has weights alone, without the state of an optimizer.`);
  current.flat.set(state.weights);
  engine.adam = state.adam;
  snapshots.clear();
  for (const [name, weights] of state.snapshots) snapshots.set(name, engine.versionOf(weights));
}

function stateOrigin({ origin, config }: Engine): StateOrigin {
  return { reference: origin(), critic: config.critic };
}

/** Single versions of the weights may go to any engine of their kind. */
function weightsOrigin({ kind, config }: Engine): StateOrigin {
  return { reference: kind(), critic: config.critic };
}

function saveWeights(engine: Engine, directory: string, name: WeightsName, optimizer: boolean): Promise<void> {
  const state = { weights: weightsOf(engine, name).flat, adam: optimizer ? engine.adam : null, snapshots: new Map() };
  return saveTrainingState(directory, state, weightsOrigin(engine));
}

async function loadWeights(engine: Engine, directory: string, optimizer: boolean): Promise<void> {
  const { weights, adam } = await loadTrainingState(directory, engine.layout.size, weightsOrigin(engine));
  if (optimizer && adam === null) throw new CheckpointError(`${directory} has weights alone, without the state of an optimizer.`);
  engine.current.flat.set(weights);
  engine.adam = optimizer && adam ? adam : createAdamState(weights.length);
  await dropGradient(engine);
}

async function loadSnapshot(engine: Engine, name: WeightsName, directory: string): Promise<void> {
  const { weights } = await loadTrainingState(directory, engine.layout.size, weightsOrigin(engine));
  keepSnapshot(engine, name, engine.versionOf(weights));
}

function forget(engine: Engine, name: WeightsName): Promise<void> {
  engine.spare = engine.snapshots.get(name) ?? engine.spare;
  engine.snapshots.delete(name);
  return Promise.resolve();
}

function weightsOf({ current, reference, snapshots }: Engine, name: WeightsName): Weights {
  const found = name === CURRENT ? current : name === REFERENCE ? reference : snapshots.get(name);
  if (!found) throw new PolicyError(`There are no weights named ${name}, only ${[CURRENT, REFERENCE, ...snapshots.keys()].join(", ")}.`);
  return found;
}

function groupOf({ heads, keyValueHeads }: DecoderConfiguration): number {
  return heads / keyValueHeads;
}
