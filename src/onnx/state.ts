import { createHash } from "node:crypto";
import { join } from "node:path";
import { CheckpointError } from "../errors.ts";
import type { AdamState } from "./adamw.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";

/** Everything that training changes. */
export interface TrainingState {
  readonly weights: Float32Array;
  readonly adam: AdamState;
  readonly snapshots: ReadonlyMap<string, Float32Array>;
}

const FILE = "training-state.safetensors";
const SNAPSHOT = "snapshot.";

/** A fingerprint of the weights that a run started from. */
export function fingerprint(reference: Float32Array): string {
  return createHash("sha256").update(new Uint8Array(reference.buffer, reference.byteOffset, reference.byteLength)).digest("hex");
}

/** Writes the state into a directory as one safetensors file of flat arrays. */
export async function saveTrainingState(directory: string, { weights, adam, snapshots }: TrainingState, reference: string): Promise<void> {
  const flat = (name: string, data: Float32Array) => ({ name, shape: [data.length], data });
  const tensors = [
    flat("weights", weights),
    flat("adam.first", adam.first),
    flat("adam.second", adam.second),
    ...[...snapshots].map(([name, data]) => flat(SNAPSHOT + name, data)),
  ];
  await writeSafetensors(join(directory, FILE), tensors, { updates: String(adam.updates), reference });
}

/** Reads what `saveTrainingState` wrote. Throws CheckpointError when it is damaged or of another model. */
export async function loadTrainingState(directory: string, parameters: number, reference: string): Promise<TrainingState> {
  const path = join(directory, FILE);
  const fail = (problem: string): CheckpointError => new CheckpointError(problem);
  const { tensors, metadata } = await readSafetensors(path, fail).catch((error: unknown) => {
    throw error instanceof CheckpointError ? error : fail(`${path} cannot be read: ${String(error)}`);
  });
  if (metadata["reference"] !== reference) throw fail(`${path} is the state of another model than the one this run started from.`);
  const flat = (name: string): Float32Array => {
    const data = tensors.get(name)?.data;
    if (data?.length !== parameters) throw fail(`${path}: ${name} has ${data?.length ?? "no"} elements, the model has ${parameters}.`);
    return data;
  };
  const updates = Number(metadata["updates"]);
  if (!Number.isSafeInteger(updates)) throw fail(`${path}: the number of updates is missing.`);
  const names = [...tensors.keys()].filter((name) => name.startsWith(SNAPSHOT));
  return {
    weights: flat("weights"),
    adam: { first: flat("adam.first"), second: flat("adam.second"), updates },
    snapshots: new Map(names.map((name) => [name.slice(SNAPSHOT.length), flat(name)])),
  };
}
