import { CheckpointError, PolicyError, ServerError, UsageError } from "../errors.ts";
import { checkRequest, checkRow, checkSequence, CURRENT, REFERENCE } from "../policy.ts";
import type { Arrived, Policy, PolicyLimits, SampleRequest, WeightsName } from "../policy.ts";
import type { Completion } from "../types.ts";
import { createSerial } from "../util/serial.ts";
import { createModel, unloadModel } from "./model.ts";
import type { ModelOptions, RemoteModel } from "./model.ts";
import type { OfferedModel, ServerTraits } from "./server.ts";
import type { Session } from "./session.ts";
import { readServerState, writeServerState } from "./state.ts";
import { updateModel } from "./update.ts";
import { checkSampler, sampleFrom } from "./versions.ts";
import type { Limit, Version } from "./versions.ts";
import { endpoints } from "./wire.ts";

export interface RemoteParts {
  readonly session: Session;
  readonly offered: OfferedModel;
  readonly limits: PolicyLimits;
  readonly model: ModelOptions;
  readonly traits: ServerTraits;
  readonly current: RemoteModel;
  readonly reference: Version;
  readonly limit: Limit;
  readonly concurrency: number;
}

/** A frozen copy of the weights: a model that was made from them, and where the server keeps them. */
interface Snapshot {
  readonly model: RemoteModel;
  readonly path: string;
}

interface State extends RemoteParts {
  current: RemoteModel;
  readonly snapshots: Map<WeightsName, Snapshot>;
  /** The last sampler that was compared with `current`, and what comes of it: nothing is built on its samples before. */
  compared: string | null;
  comparison: Promise<void>;
}

/** Seconds for which models are unloaded at the end (a server that does not answer any more frees them itself), and for which a full one is asked before room is made. */
const SHORT_PATIENCE = 5;

/** The policy over models of a server that are there already. */
export function policyOver(parts: RemoteParts): Policy {
  const state: State = { ...parts, snapshots: new Map(), compared: null, comparison: Promise.resolve() };
  const { offered, limits, traits } = parts;
  const serial = createSerial();
  let closed = false;
  const inOrder = <T>(call: () => Promise<T>): Promise<T> => (closed ? Promise.reject(new PolicyError("The policy is closed.")) : serial(call));
  const onSound = <T>(call: () => Promise<T>): Promise<T> => inOrder(() => state.comparison.then(call));
  const refused = (reason: string) => (): Promise<never> => inOrder(() => Promise.reject(new PolicyError(reason)));
  return {
    description: { model: offered.name, parameters: offered.parameters ?? 0, ...limits, capabilities: [] },
    sample: (request, arrived) => onSound(() => sample(state, request, arrived)),
    logprobs: (sequences, name) =>
      inOrder(async () => {
        for (const sequence of sequences) checkSequence(sequence, limits);
        const version = versionOf(state, name);
        // Those of other weights are asked for while the comparison is under way.
        if (version === state.current) await state.comparison;
        return version.logprobs(sequences);
      }),
    update: (rows, options) =>
      onSound(async () => {
        for (const row of rows) checkRow(row, limits);
        if (options.critic) throw new PolicyError(NO_CRITIC);
        return updateModel(state.current, rows, options, traits);
      }),
    snapshot: (name) => onSound(() => snapshot(state, name)),
    average: refused("A training server keeps no moving averages of weights; use `teacher.kind: snapshot`."),
    values: refused(NO_CRITIC),
    saveState: (directory) => onSound(() => saveState(state, directory)),
    loadState: (directory) => inOrder(() => loadState(state, directory)),
    exportModel: refused("A training server keeps the weights; they cannot be exported from here."),
    close: () => {
      const last = inOrder(() => close(state));
      closed = true;
      return last;
    },
  };
}

async function close({ session, current, reference, snapshots }: State): Promise<void> {
  const open = [current, reference, ...[...snapshots.values()].map(({ model }) => model)];
  await Promise.allSettled(open.map((version) => version.unload(SHORT_PATIENCE)));
  session.close();
}

const NO_CRITIC = "A training server has no critic: it has no values, and no update of them.";

async function sample(state: State, request: SampleRequest, arrived?: Arrived): Promise<readonly (readonly Completion[])[]> {
  checkRequest(request, state.limits);
  const version = versionOf(state, request.weights);
  const sampler = await version.sampler();
  const completions_P_G = await sampleFrom(state, sampler, request, arrived);
  if (version === state.current && state.compared !== sampler.id) {
    state.compared = sampler.id;
    state.comparison = checkSampler(state.current, request, completions_P_G);
    // Whatever comes next on these weights fails with it.
    state.comparison.catch(() => undefined);
  }
  return completions_P_G;
}

async function snapshot(state: State, name: WeightsName): Promise<void> {
  if (name === CURRENT || name === REFERENCE) throw new PolicyError(`A snapshot cannot be named ${name}.`);
  const path = await state.current.save();
  const model = await createModel(state.session, { ...state.model, from: path });
  const earlier = state.snapshots.get(name);
  state.snapshots.set(name, { model, path });
  await earlier?.model.unload();
}

async function saveState({ offered, model, current, reference, snapshots }: State, directory: string): Promise<void> {
  const kept = [...snapshots];
  const paths = Object.fromEntries(kept.map(([name, { path }]) => [name, path]));
  const models = [current.id, reference.id, ...kept.map(([, snapshot]) => snapshot.model.id)].filter((id) => id !== null);
  await writeServerState(directory, { baseModel: offered.name, rank: model.lora.rank, current: await current.save(), snapshots: paths, models });
}

/**
 * The server's models cannot go back: each is made anew from what was kept. A server holds only so many: those that
 * go are unloaded first, and where there is no room even then, those of the client that kept the state: it was killed.
 */
async function loadState(state: State, directory: string): Promise<void> {
  const { session, reference } = state;
  const saved = await readServerState(directory, { baseModel: state.offered.name, rank: state.model.lora.rank });
  // What cannot be unloaded matters only when there is no room, and then the server says so.
  const unloadAll = (models: readonly { readonly unload: () => Promise<void> }[]) => Promise.allSettled(models.map((model) => model.unload()));
  await Promise.allSettled([state.comparison]);
  await unloadAll([state.current, ...[...state.snapshots.values()].map(({ model }) => model)]);
  const left = saved.models.filter((id) => id !== reference.id).map((id) => ({ unload: () => unloadModel(session.connection, id) }));
  const make = async (from: string): Promise<RemoteModel> => {
    try {
      return await createModel(session, { ...state.model, from, ...(left.length > 0 && { patience: SHORT_PATIENCE }) });
    } catch (error) {
      if (left.length === 0 || !(error instanceof ServerError) || error.failure.path !== endpoints.createModel.path) throw error;
      await unloadAll(left.splice(0));
      return createModel(session, { ...state.model, from });
    }
  };
  const made: RemoteModel[] = [];
  const restored = async (from: string): Promise<RemoteModel> => {
    try {
      made.push(await make(from));
      return made.at(-1)!;
    } catch (error) {
      await unloadAll(made);
      if (!(error instanceof ServerError) || !isMissing(error)) throw error;
      throw new CheckpointError(`The training server could not load ${from}, where it kept the state of this run: ${error.failure.detail}`, { cause: error });
    }
  };
  const current = await restored(saved.current);
  const snapshots: [WeightsName, Snapshot][] = [];
  for (const [name, path] of Object.entries(saved.snapshots)) snapshots.push([name, { model: await restored(path), path }]);
  state.current = current;
  state.comparison = Promise.resolve();
  state.snapshots.clear();
  for (const [name, snapshot] of snapshots) state.snapshots.set(name, snapshot);
}

/** Whether a server says that it has a state no more, or not of this shape. Anything else it says may pass, and is no word against the state. */
function isMissing({ failure: { path, status, category } }: ServerError): boolean {
  return path === endpoints.loadWeights.path && ([400, 404, 410].includes(status ?? 0) || category === "user");
}

function versionOf({ current, reference, snapshots }: State, name: WeightsName): Version {
  const found = name === CURRENT ? current : name === REFERENCE ? reference : snapshots.get(name)?.model;
  if (!found) throw new PolicyError(`There are no weights named ${name}, only ${[CURRENT, REFERENCE, ...snapshots.keys()].join(", ")}.`);
  return found;
}

/** Throws UsageError when a server's adapters are not those that were asked for. */
export function checkAdapters({ lora }: RemoteModel, wanted: { readonly rank: number; readonly alpha: number }): void {
  if (wanted.rank === 0 || lora === null) return;
  if (lora.rank !== wanted.rank) throw new UsageError(`\`lora.rank\` is ${wanted.rank}, and this training server made adapters of rank ${lora.rank}.`);
  if (lora.alpha != null && lora.alpha !== wanted.alpha) throw new UsageError(`\`lora.alpha\` is ${wanted.alpha}, and this training server fixes it: set \`lora.alpha: ${lora.alpha}\`.`);
}
