import { randomUUID } from "node:crypto";
import { link, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { RunDirectoryError } from "../errors.ts";
import { systemCode } from "../util/system-error.ts";

/** Start of the names under which a lock is written before it gets its own. */
const PREFIX = ".lock-";
const ownerSchema = z.object({
  pid: z.int(),
  host: z.string(),
  /** When the run took the lock, ISO 8601. */
  started: z.string(),
  /** When the process itself started, in clock ticks since boot; `null` where /proc does not say. */
  processStart: z.string().nullable(),
});

/** Who holds a run directory. */
export type LockOwner = z.infer<typeof ownerSchema>;

/** This process, as the owner of a lock taken now. */
export async function currentOwner(): Promise<LockOwner> {
  return { pid: process.pid, host: hostname(), started: new Date().toISOString(), processStart: await processStart(process.pid) };
}

/**
 * Takes the lock of a run directory (or of a file in it, by the lock's name) and returns the function that releases
 * it. A lock whose process died on this host is taken over. Throws RunDirectoryError, naming the owner, when a run
 * is alive or cannot be seen.
 */
export async function takeLock(runPath: string, owner: LockOwner, name = "lock"): Promise<() => Promise<void>> {
  const path = join(runPath, name);
  const own = join(runPath, `${PREFIX}${randomUUID()}`);
  const text = `${JSON.stringify(owner)}\n`;
  try {
    await writeFile(own, text);
    // A hard link appears whole or not at all, and fails when the name is taken.
    if (!(await linked(own, path))) {
      await removeStale(path, `${own}-stale`);
      if (!(await linked(own, path))) throw inUse(path, "another process took it at the same time");
    }
  } finally {
    await rm(own, { force: true });
  }
  return async () => {
    if ((await contentOf(path)) === text) await rm(path, { force: true });
  };
}

/**
 * Whether somebody alive holds a run directory, without touching it. A process of another machine can't be seen and
 * is taken to live; a lock that is unreadable says nothing of anybody.
 */
export async function isHeld(runPath: string): Promise<boolean> {
  const owner = parseOwner((await contentOf(join(runPath, "lock"))) ?? "");
  return owner !== null && (owner.host !== hostname() || (await isAlive(owner)));
}

/** Removes what dead processes left when they died while taking the lock. Only for who holds it. */
export async function removeLockRemains(runPath: string): Promise<void> {
  for (const name of (await readdir(runPath)).filter((entry) => entry.startsWith(PREFIX))) {
    const path = join(runPath, name);
    const owner = parseOwner((await contentOf(path)) ?? "");
    // One that is not whole may be a living process's, which is refused anyway as long as we hold the lock.
    if (owner === null || (owner.host === hostname() && !(await isAlive(owner)))) await rm(path, { force: true });
  }
}

/** Removes a lock whose owner is dead; throws RunDirectoryError when it may be alive. */
async function removeStale(path: string, aside: string): Promise<void> {
  const found = await contentOf(path);
  if (found === null) return;
  const owner = parseOwner(found);
  if (owner === null) throw inUse(path, "the lock is unreadable");
  if (owner.host !== hostname()) throw inUse(path, `process ${owner.pid} on ${owner.host} holds it since ${owner.started}`);
  if (await isAlive(owner)) throw inUse(path, `process ${owner.pid} on this machine holds it since ${owner.started}`);
  // Moved aside before it is removed: if another process was faster, what we moved is its live lock.
  try {
    await rename(path, aside);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    throw error;
  }
  if ((await contentOf(aside)) !== found) await linked(aside, path);
  await rm(aside, { force: true });
}

function inUse(path: string, reason: string): RunDirectoryError {
  return new RunDirectoryError(`The run is in use (${path}): ${reason}. If it is certainly over, delete the lock.`);
}

function parseOwner(text: string): LockOwner | null {
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

async function isAlive(owner: LockOwner): Promise<boolean> {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it lives, but belongs to someone else.
    return systemCode(error) === "EPERM";
  }
  // Numbers of processes are used again, after a restart of a container often at once.
  return (await processStart(owner.pid)) === owner.processStart;
}

/** Field 22 of /proc/PID/stat (proc(5)): counted after the command's name, which may hold anything in parentheses. */
async function processStart(pid: number): Promise<string | null> {
  const stat = await contentOf(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
}

async function linked(existing: string, path: string): Promise<boolean> {
  try {
    await link(existing, path);
    return true;
  } catch (error) {
    const code = systemCode(error);
    // ENOENT: whoever took the lock has cleared `existing` away, see removeLockRemains.
    if (code === "EEXIST" || code === "ENOENT") return false;
    throw error;
  }
}

async function contentOf(path: string): Promise<string | null> {
  return readFile(path, "utf8").catch(() => null);
}
