import { randomUUID } from "node:crypto";
import { mkdir, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { RunDirectoryError } from "../errors.ts";
import { removePartials, writeFileAtomically } from "../util/atomic-write.ts";
import { sha256 } from "../util/sha256.ts";
import { systemCode } from "../util/system-error.ts";
import type { Environment } from "./environment.ts";
import { explained } from "./explain.ts";
import { currentOwner, removeLockRemains, takeLock } from "./lock.ts";
import type { MetricsLine } from "./metrics.ts";
import { openEvaluationsLog, openMetricsLog, openVotesLog } from "./step-log.ts";
import type { AnswersLine, StepLog, VotesLine } from "./step-log.ts";

/** A run directory whose lock this process holds. */
export interface RunDirectory {
  readonly path: string;
  /** Unique to the run: a checkpoint carries it, so that one of another run is not taken for ours. */
  readonly runId: string;
  /** The complete config of the run, YAML. */
  readonly configText: string;
  /** metrics.jsonl: figures of steps and evaluations. */
  readonly metrics: StepLog<MetricsLine>;
  /** votes.jsonl: the majority answers of each step. */
  readonly votes: StepLog<VotesLine>;
  /** evaluations.jsonl: the answers behind each evaluation. */
  readonly evaluations: StepLog<AnswersLine>;
  /** Releases the lock. */
  readonly close: () => Promise<void>;
}

const FOLDERS: readonly string[] = ["samples", "checkpoints"];
const ENVIRONMENT = "environment.json";
const CONFIG = "config.yaml";
/** What environment.json says of the run itself, beside what it ran on. */
const identitySchema = z.object({ runId: z.string().min(1), configSha256: z.string() });
type Identity = z.infer<typeof identitySchema>;

/**
 * Creates the directory of a new run and takes its lock. `configText` is the complete config as YAML.
 * Throws RunDirectoryError when the path cannot be written, or exists and is more than an empty directory or
 * what a creation leaves that was cut off.
 */
export async function createRunDirectory(
  path: string,
  { configText, environment }: { readonly configText: string; readonly environment: Environment },
): Promise<RunDirectory> {
  return explained(`${path} could not be created`, "free or choose another place with --out", async () => {
    await refuseBegun(path);
    await mkdir(path, { recursive: true });
    const release = await takeLock(path, await currentOwner());
    try {
      // Again, since another process may have had the lock in between.
      await refuseBegun(path);
      await clearRemains(path);
      const runId = randomUUID();
      const identity: Identity = { runId, configSha256: sha256(configText) };
      const described = { ...identity, created: new Date().toISOString(), ...environment };
      await writeFileAtomically(join(path, ENVIRONMENT), `${JSON.stringify(described, null, 2)}\n`);
      // Last, since a directory with a config can be resumed.
      await writeFileAtomically(join(path, CONFIG), configText);
      return runDirectory(path, runId, configText, release);
    } catch (error) {
      await release();
      throw error;
    }
  });
}

/**
 * Opens the directory of an earlier run to continue it: takes its lock (from a dead process if need be) and
 * clears away what a kill left unfinished. Throws RunDirectoryError when it is no run or in use, or when its
 * config is not the one it began with.
 */
export async function openRunDirectory(path: string): Promise<RunDirectory> {
  return explained(`${path} could not be opened`, "mend this and try again", async () => {
    if (!(await entriesOf(path)).includes(CONFIG)) {
      throw new RunDirectoryError(`${path} is not a run directory (it has no config.yaml); give the directory of a run that has started.`);
    }
    const release = await takeLock(path, await currentOwner());
    try {
      const configText = await readFile(join(path, CONFIG), "utf8");
      const { runId, configSha256 } = await readIdentity(path);
      if (sha256(configText) !== configSha256) {
        throw new RunDirectoryError(`${join(path, CONFIG)} was changed since the run began; restore it, or start a new run in another directory.`);
      }
      await clearRemains(path);
      return runDirectory(path, runId, configText, release);
    } catch (error) {
      await release();
      throw error;
    }
  });
}

function runDirectory(path: string, runId: string, configText: string, release: () => Promise<void>): RunDirectory {
  const metrics = openMetricsLog(path);
  const votes = openVotesLog(path);
  const evaluations = openEvaluationsLog(path);
  const close = async () => {
    await metrics.close();
    await votes.close();
    await evaluations.close();
    await release();
  };
  return { path, runId, configText, metrics, votes, evaluations, close };
}

/** Throws RunDirectoryError for a directory that holds more than a run without its config: what a kill or a full disk leaves of its creation. */
async function refuseBegun(path: string): Promise<void> {
  for (const name of await entriesOf(path)) {
    if (name === "lock" || name.startsWith(".")) continue;
    if (FOLDERS.includes(name) && (await entriesOf(join(path, name))).length === 0) continue;
    // A file of this name that is not ours is somebody's work.
    if (name === ENVIRONMENT && (await readIdentity(path).catch(() => null)) !== null) continue;
    throw new RunDirectoryError(`${path} exists already and is not empty; continue that run with --resume ${path}, or name another directory.`);
  }
}

/** Makes the folders of a run where they are missing, and clears away what a kill left half written in it. */
async function clearRemains(path: string): Promise<void> {
  for (const folder of FOLDERS) {
    await mkdir(join(path, folder), { recursive: true });
    await removePartials(join(path, folder));
  }
  await removePartials(path);
  await removeLockRemains(path);
}

async function entriesOf(path: string): Promise<readonly string[]> {
  return readdir(path).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return [];
    if (systemCode(error) === "ENOTDIR") throw new RunDirectoryError(`${path} is a file, not a directory; name another directory.`);
    throw error;
  });
}

async function readIdentity(path: string): Promise<Identity> {
  const file = join(path, ENVIRONMENT);
  try {
    return identitySchema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (cause) {
    throw new RunDirectoryError(`${file} is missing or does not say which run this is (runId, configSha256); restore it, or start a new run.`, { cause });
  }
}
