import { readFile, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CheckpointError } from "../errors.ts";
import { filesBelow, partialPath, writeDirectoryAtomically, writeFileAtomically } from "../util/atomic-write.ts";
import { sha256OfFile } from "../util/sha256.ts";
import type { RunDirectory } from "./directory.ts";
import { explained, resumeAdvice } from "./explain.ts";
import { stepName, stepOfName } from "./step-name.ts";

const MANIFEST = "manifest.json";
const manifestSchema = z.object({
  format: z.literal(1),
  runId: z.string(),
  step: z.int().nonnegative(),
  files: z.array(z.object({ name: z.string(), bytes: z.int(), sha256: z.string() })),
});
type Manifest = z.infer<typeof manifestSchema>;

/**
 * Saves a checkpoint: `write` fills its directory, a manifest with the size and SHA-256 of each file is
 * added, everything is flushed to the disk and only then gets its name. Metrics up to the step are flushed
 * before. Afterwards only the `kept` newest checkpoints and the `pinned` ones remain. Throws RunDirectoryError when the disk
 * refuses; then nothing of the new checkpoint remains and the earlier ones are untouched.
 */
export async function saveCheckpoint(
  run: RunDirectory,
  step: number,
  { kept, pinned = [] }: { readonly kept: number; readonly pinned?: readonly number[] },
  write: (directory: string) => Promise<void>,
): Promise<void> {
  await run.metrics.sync();
  await run.votes.sync();
  await run.evaluations.sync();
  const path = checkpointPath(run, step);
  await explained(`${path} could not be written`, resumeAdvice(run.path), async () => {
    await writeDirectoryAtomically(path, async (directory) => {
      await write(directory);
      const manifest: Manifest = { format: 1, runId: run.runId, step, files: await describeFiles(directory) };
      await writeFileAtomically(join(directory, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
    });
    const older = (await checkpointSteps(run)).slice(kept);
    for (const old of older.filter((candidate) => !pinned.includes(candidate))) await removeCheckpoint(run, old);
  });
}

/** Steps with a checkpoint, newest first, sound or not. */
export async function checkpointSteps(run: RunDirectory): Promise<readonly number[]> {
  const names = await readdir(join(run.path, "checkpoints"));
  return names.flatMap((name) => stepOfName(name) ?? []).sort((a, b) => b - a);
}

export function checkpointPath(run: RunDirectory, step: number): string {
  return join(run.path, "checkpoints", stepName(step));
}

/**
 * Checks a checkpoint against its manifest. Throws CheckpointError, naming the file, when it is half
 * written, truncated, altered, of another run or of another format.
 */
export async function verifyCheckpoint(run: RunDirectory, step: number): Promise<void> {
  const path = checkpointPath(run, step);
  const manifest = await readManifest(join(path, MANIFEST));
  if (manifest.runId !== run.runId) throw new CheckpointError(`${path} belongs to another run (${manifest.runId}, not ${run.runId})`);
  if (manifest.step !== step) throw new CheckpointError(`${path} holds step ${manifest.step}, not the step of its name`);
  for (const { name, bytes, sha256 } of manifest.files) {
    const file = join(path, name);
    const found = await stat(file).catch(() => null);
    if (found === null) throw new CheckpointError(`${file} is missing`);
    if (found.size !== bytes) throw new CheckpointError(`${file} has ${found.size} bytes instead of ${bytes}`);
    if ((await sha256OfFile(file)) !== sha256) throw new CheckpointError(`${file} was altered: its SHA-256 is not that of the manifest`);
  }
}

/** Takes a checkpoint out of use without deleting it: its name gets the ending `.refused`. */
export async function setAsideCheckpoint(run: RunDirectory, step: number): Promise<void> {
  const path = checkpointPath(run, step);
  await explained(`${path} could not be renamed`, "mend this and resume again", async () => {
    await rm(`${path}.refused`, { recursive: true, force: true });
    await rename(path, `${path}.refused`);
  });
}

/** Renamed first, so that a kill while files are being deleted does not leave a damaged checkpoint. */
async function removeCheckpoint(run: RunDirectory, step: number): Promise<void> {
  const doomed = partialPath(checkpointPath(run, step));
  await rename(checkpointPath(run, step), doomed);
  await rm(doomed, { recursive: true, force: true });
}

async function readManifest(path: string): Promise<Manifest> {
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null) throw new CheckpointError(`${path} is missing: the checkpoint is half written`);
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new CheckpointError(`${path} is not a manifest of this format`, { cause });
  }
}

async function describeFiles(directory: string): Promise<Manifest["files"]> {
  const files: Manifest["files"] = [];
  for (const name of await filesBelow(directory)) {
    const file = join(directory, name);
    files.push({ name, bytes: (await stat(file)).size, sha256: await sha256OfFile(file) });
  }
  return files;
}
