import { randomUUID } from "node:crypto";
import { mkdir, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { RunDirectoryError } from "../errors.ts";
import { removePartials, writeFileAtomically } from "../util/atomic-write.ts";
import { systemCode } from "../util/system-error.ts";
import type { Environment } from "./environment.ts";
import { explained } from "./explain.ts";
import { currentOwner, takeLock } from "./lock.ts";
import { openMetricsLog } from "./metrics-log.ts";
import type { MetricsLog } from "./metrics-log.ts";

/** A run directory whose lock this process holds. */
export interface RunDirectory {
  readonly path: string;
  /** Unique to the run: a checkpoint carries it, so that one of another run is not taken for ours. */
  readonly runId: string;
  /** The complete config of the run, YAML. */
  readonly configText: string;
  readonly metrics: MetricsLog;
  /** Releases the lock. */
  readonly close: () => Promise<void>;
}

const FOLDERS = ["samples", "checkpoints"] as const;
const environmentSchema = z.object({ runId: z.string().min(1) });

/**
 * Creates the directory of a new run and takes its lock. `configText` is the complete config as YAML.
 * Throws RunDirectoryError when the path exists and is not an empty directory, or cannot be written.
 */
export async function createRunDirectory(
  path: string,
  { configText, environment }: { readonly configText: string; readonly environment: Environment },
): Promise<RunDirectory> {
  return explained(`${path} could not be created`, "free or choose another place with --out", async () => {
    if ((await entriesOf(path)).length > 0) {
      throw new RunDirectoryError(`${path} exists already and is not empty; continue that run with --resume ${path}, or name another directory.`);
    }
    await mkdir(path, { recursive: true });
    const release = await takeLock(path, await currentOwner());
    try {
      const runId = randomUUID();
      for (const folder of FOLDERS) await mkdir(join(path, folder));
      const described = { runId, created: new Date().toISOString(), ...environment };
      await writeFileAtomically(join(path, "environment.json"), `${JSON.stringify(described, null, 2)}\n`);
      // Last, since a directory with a config can be resumed.
      await writeFileAtomically(join(path, "config.yaml"), configText);
      return runDirectory(path, runId, configText, release);
    } catch (error) {
      await release();
      throw error;
    }
  });
}

/**
 * Opens the directory of an earlier run to continue it: takes its lock (from a dead process if need be) and
 * clears away what a kill left unfinished. Throws RunDirectoryError when it is no run or in use.
 */
export async function openRunDirectory(path: string): Promise<RunDirectory> {
  return explained(`${path} could not be opened`, "check the path and its permissions", async () => {
    if (!(await entriesOf(path)).includes("config.yaml")) {
      throw new RunDirectoryError(`${path} is not a run directory (it has no config.yaml); give the directory of a run that has started.`);
    }
    const release = await takeLock(path, await currentOwner());
    try {
      const configText = await readFile(join(path, "config.yaml"), "utf8");
      const runId = await readRunId(join(path, "environment.json"));
      for (const folder of FOLDERS) {
        await mkdir(join(path, folder), { recursive: true });
        await removePartials(join(path, folder));
      }
      await removePartials(path);
      return runDirectory(path, runId, configText, release);
    } catch (error) {
      await release();
      throw error;
    }
  });
}

function runDirectory(path: string, runId: string, configText: string, release: () => Promise<void>): RunDirectory {
  const metrics = openMetricsLog(path);
  const close = async () => {
    await metrics.close();
    await release();
  };
  return { path, runId, configText, metrics, close };
}

async function entriesOf(path: string): Promise<readonly string[]> {
  return readdir(path).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return [];
    if (systemCode(error) === "ENOTDIR") throw new RunDirectoryError(`${path} is a file, not a directory; name another directory.`);
    throw error;
  });
}

async function readRunId(path: string): Promise<string> {
  try {
    return environmentSchema.parse(JSON.parse(await readFile(path, "utf8"))).runId;
  } catch (cause) {
    throw new RunDirectoryError(`${path} is missing or has no runId, by which checkpoints are known; restore it, or start a new run.`, { cause });
  }
}
