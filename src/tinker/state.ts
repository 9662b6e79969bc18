import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CheckpointError } from "../errors.ts";

/** Where a server keeps the state of a run: the weights themselves stay there. */
const stateSchema = z.strictObject({
  format: z.literal(1),
  baseModel: z.string(),
  rank: z.int().nonnegative(),
  /** Paths of weights and optimizer, as the server named them. */
  current: z.string().min(1),
  snapshots: z.record(z.string(), z.string().min(1)),
  /** Ids of the models that the client held then: they take up room on the server when it was killed. */
  models: z.array(z.string()).default([]),
});

export type ServerState = Omit<z.output<typeof stateSchema>, "format">;

const FILE = "server-state.json";

/** Writes where the state lies into an existing directory. Throws the system's error. */
export async function writeServerState(directory: string, state: ServerState): Promise<void> {
  await writeFile(join(directory, FILE), `${JSON.stringify({ format: 1, ...state }, null, 2)}\n`);
}

/** Reads what `writeServerState` wrote. Throws CheckpointError when it is damaged or of another model. */
export async function readServerState(directory: string, { baseModel, rank }: Pick<ServerState, "baseModel" | "rank">): Promise<ServerState> {
  const path = join(directory, FILE);
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new CheckpointError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  const { success, data: state, error } = stateSchema.safeParse(content);
  if (!success) throw new CheckpointError(`${path}: ${error.issues[0]!.path.join(".") || "the file"} is not as expected (${error.issues[0]!.message}).`);
  if (state.baseModel !== baseModel || state.rank !== rank) {
    throw new CheckpointError(`${path} is the state of ${state.baseModel} with \`lora.rank\` ${state.rank}, and this run trains ${baseModel} with \`lora.rank\` ${rank}; continue it with the settings that it began with.`);
  }
  return state;
}
