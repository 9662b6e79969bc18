import { createHash } from "node:crypto";
import { join } from "node:path";
import { CheckpointError } from "../errors.ts";
import type { AdamState } from "./adamw.ts";
import { openSafetensors, writeSafetensors } from "./safetensors.ts";

/** Everything that training changes. */
export interface TrainingState {
  readonly weights: Float32Array;
  /** `null` for weights alone. */
  readonly adam: AdamState | null;
  readonly snapshots: ReadonlyMap<string, Float32Array>;
}

/** What a state belongs to. */
export interface StateOrigin {
  /** Tells the weights that it started from, and what else decides what they mean, apart from any other. */
  readonly reference: string;
  /** Whether a critic is trained beside them. */
  readonly critic: boolean;
}

const FILE = "training-state.safetensors";
const SNAPSHOT = "snapshot.";

/** A fingerprint of the weights that a run started from, and of what else decides what they mean. */
export function fingerprint(parts: readonly (Float32Array | string)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(typeof part === "string" ? part : new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  return hash.digest("hex");
}

/** Writes the state into a directory as one safetensors file of flat arrays. */
export async function saveTrainingState(directory: string, { weights, adam, snapshots }: TrainingState, { reference, critic }: StateOrigin): Promise<void> {
  const flat = (name: string, data: Float32Array) => ({ name, shape: [data.length], values: () => data });
  const tensors = [
    flat("weights", weights),
    ...(adam ? [flat("adam.first", adam.first), flat("adam.second", adam.second)] : []),
    ...[...snapshots].map(([name, data]) => flat(SNAPSHOT + name, data)),
  ];
  await writeSafetensors(join(directory, FILE), tensors, { ...(adam && { updates: String(adam.updates) }), reference, critic: String(critic) });
}

/** Reads what `saveTrainingState` wrote. Throws CheckpointError when it is damaged or of another model. */
export async function loadTrainingState(directory: string, parameters: number, { reference, critic }: StateOrigin): Promise<TrainingState> {
  const path = join(directory, FILE);
  const fail = (problem: string): CheckpointError => new CheckpointError(problem);
  const file = await openSafetensors(path, fail).catch((error: unknown) => {
    throw error instanceof CheckpointError ? error : fail(`${path} cannot be read: ${String(error)}`);
  });
  try {
    if (file.metadata["reference"] !== reference) throw fail(`${path} is the state of another model than the one this run started from.`);
    if ((file.metadata["critic"] === "true") !== critic) {
      throw fail(`${path} is the state of a training ${critic ? "without a critic, and this one has one" : "with a critic, and this one has none"}; continue it with the algorithm that it began with.`);
    }
    const updates = Number(file.metadata["updates"]);
    if (file.metadata["updates"] !== undefined && !Number.isSafeInteger(updates)) throw fail(`${path}: the number of updates is damaged.`);
    const flat = async (name: string): Promise<Float32Array> => {
      const shape = file.shapes.get(name);
      if (shape?.length !== 1 || shape[0] !== parameters) throw fail(`${path}: ${name} has shape [${shape?.join(", ") ?? "none"}], the model has ${parameters} parameters.`);
      const data = new Float32Array(parameters);
      await file.read(name, data);
      return data;
    };
    const snapshots = new Map<string, Float32Array>();
    for (const name of file.shapes.keys()) {
      if (name.startsWith(SNAPSHOT)) snapshots.set(name.slice(SNAPSHOT.length), await flat(name));
    }
    const adam = file.metadata["updates"] === undefined ? null : { first: await flat("adam.first"), second: await flat("adam.second"), updates };
    return { weights: await flat("weights"), adam, snapshots };
  } finally {
    await file.close();
  }
}
