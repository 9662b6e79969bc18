import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CheckpointError } from "../errors.ts";
import { LORA_TARGETS } from "../options.ts";
import { filesBelow, removePartials, writeDirectoryAtomically } from "../util/atomic-write.ts";
import { systemCode, systemReason } from "../util/system-error.ts";
import { Refusal } from "./refusal.ts";

/** `weights` hold the optimizer too, to train on; `sampler_weights` are to sample from. */
export const CHECKPOINT_KINDS = ["weights", "sampler_weights"] as const;
export type CheckpointKind = (typeof CHECKPOINT_KINDS)[number];

/** A name for what one model saved: `tinker://MODEL/KIND/NAME`. */
export interface CheckpointPath {
  readonly model: string;
  readonly kind: CheckpointKind;
  readonly name: string;
}

const aboutSchema = z.object({
  /** The base model, by the name it was served under. */
  baseModel: z.string(),
  adapters: z.object({ rank: z.int().positive(), alpha: z.number().positive(), targets: z.array(z.enum(LORA_TARGETS)).readonly(), seed: z.int() }).nullable(),
  /** When it was saved, ISO 8601. */
  time: z.string(),
});
/** What is said of a checkpoint beside its weights. */
export type AboutCheckpoint = z.output<typeof aboutSchema>;

export interface StoredCheckpoint extends AboutCheckpoint {
  readonly directory: string;
}

export interface ListedCheckpoint extends AboutCheckpoint, CheckpointPath {
  readonly bytes: number;
}

/** Saved weights in a directory, where a restarted server finds them. */
export interface Checkpoints {
  /** Saves what `write` writes, whole or not at all. Throws Refusal (409) when the name is taken, CheckpointError when the disk refuses. */
  readonly save: (path: CheckpointPath, about: AboutCheckpoint, write: (directory: string) => Promise<void>) => Promise<void>;
  /** Throws Refusal (404) when there is none, CheckpointError when it is damaged. */
  readonly find: (path: CheckpointPath) => Promise<StoredCheckpoint>;
  readonly list: (model: string) => Promise<readonly ListedCheckpoint[]>;
  /** Throws Refusal (404) when there is none. */
  readonly remove: (path: CheckpointPath) => Promise<void>;
}

const NAME = /^[a-zA-Z0-9_-]{1,255}$/;
const MODEL = /^[a-zA-Z0-9_:-]{1,255}$/;
const PATH = /^tinker:\/\/([a-zA-Z0-9_:-]+)\/(weights|sampler_weights)\/([a-zA-Z0-9_-]+)$/;
const ABOUT = "checkpoint.json";

export function formatPath({ model, kind, name }: CheckpointPath): string {
  return `tinker://${model}/${kind}/${name}`;
}

/** Reads `tinker://MODEL/KIND/NAME`. Throws Refusal (400) unless it is one of these kinds. */
export function parsePath(text: string, kinds: readonly CheckpointKind[] = CHECKPOINT_KINDS): CheckpointPath {
  const [, model, found, name] = PATH.exec(text) ?? [];
  const kind = kinds.find((each) => each === found);
  if (model === undefined || name === undefined || kind === undefined) throw new Refusal(400, `\`${text}\` is no path of saved weights that is expected here; expected tinker://MODEL/${kinds.join("|")}/NAME.`);
  return { model, kind, name };
}

export function createCheckpoints(root: string): Checkpoints {
  // Not every file system has names with a colon.
  const directoryOf = ({ model, kind, name }: CheckpointPath): string => join(root, encodeURIComponent(model), kind, name);
  return {
    save: async (path, about, write) => {
      if (!NAME.test(path.name)) throw new Refusal(400, `\`${path.name}\` is no name for a checkpoint; expected letters, digits, - and _, at most 255.`);
      const directory = directoryOf(path);
      if (await exists(directory)) throw new Refusal(409, `${formatPath(path)} exists already; take another name.`);
      await onDisk(`${directory} could not be written`, async () => {
        await mkdir(join(directory, ".."), { recursive: true });
        await removePartials(join(directory, ".."));
        await writeDirectoryAtomically(directory, async (partial) => {
          await write(partial);
          await writeFile(join(partial, ABOUT), `${JSON.stringify(about, null, 2)}\n`);
        });
      });
    },
    find: async (path) => {
      const directory = directoryOf(path);
      return { ...(await readAbout(directory, path)), directory };
    },
    list: async (model) => {
      if (!MODEL.test(model)) throw new Refusal(400, `\`${model}\` is no id of a model.`);
      const found = await Promise.all(CHECKPOINT_KINDS.map(async (kind) => (await names(directoryOf({ model, kind, name: "" }))).map((name) => ({ model, kind, name }))));
      return Promise.all(
        found.flat().map(async (path) => ({ ...path, ...(await readAbout(directoryOf(path), path)), bytes: await size(directoryOf(path)) })),
      );
    },
    remove: async (path) => {
      await readAbout(directoryOf(path), path);
      await onDisk(`${directoryOf(path)} could not be removed`, () => rm(directoryOf(path), { recursive: true }));
    },
  };
}

/** Throws Refusal (410) when a path has other weights than those that were saved at a time; those that were removed may still be in memory. */
export async function refuseReplaced(checkpoints: Checkpoints, path: CheckpointPath, time: string): Promise<void> {
  const now = await checkpoints.find(path).catch((error: unknown) => {
    if (error instanceof Refusal && error.status === 404) return { time };
    throw error;
  });
  if (now.time !== time) throw new Refusal(410, `${formatPath(path)} was saved anew since this sampling session was made; make another one.`);
}

async function readAbout(directory: string, path: CheckpointPath): Promise<AboutCheckpoint> {
  const file = join(directory, ABOUT);
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if (["ENOENT", "ENOTDIR"].includes(systemCode(error) ?? "")) throw new Refusal(404, `there is nothing saved as ${formatPath(path)}.`);
    throw error;
  });
  try {
    return aboutSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new CheckpointError(`${file} is damaged; save the weights again.`, { cause: error });
  }
}

async function names(directory: string): Promise<readonly string[]> {
  return (await readdir(directory).catch(() => [])).filter((name) => NAME.test(name)).sort();
}

async function size(directory: string): Promise<number> {
  const files = await Promise.all((await filesBelow(directory)).map((name) => stat(join(directory, name))));
  return files.reduce((total, file) => total + file.size, 0);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false);
}

/** What the disk refuses is told in one sentence. */
async function onDisk(problem: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    const reason = systemReason(error);
    throw reason === null ? error : new CheckpointError(`${problem}: ${reason}.`, { cause: error });
  }
}
