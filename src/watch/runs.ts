import { readdir, realpath } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import { setTimeout } from "node:timers/promises";
import { sha256 } from "../util/sha256.ts";
import type { RunOverview } from "./protocol.ts";
import { watchRun } from "./run.ts";
import type { WatchedRun } from "./run.ts";

/** Levels of folders below a given one in which runs are looked for. */
const DEPTH = 4;
/** Any of them makes a directory one of a run. */
const MARKS: readonly string[] = ["config.yaml", "environment.json", "metrics.jsonl"];
/** Milliseconds between two looks at runs that nobody writes, and for new ones. */
const IDLE = 1000;
const PATIENCE = 200;
/** Runs that are read at once for the first time. */
const LANES = 2;

export interface RunsOptions {
  /** In milliseconds. */
  readonly clock: () => number;
  /** Milliseconds that `glance` waits. */
  readonly patience?: number;
}

/** The runs in some directories. */
export interface Runs {
  /** Reads all that is new: of the logs of running runs, and, now and then, of all else and whether there are more runs or fewer. */
  readonly refresh: () => Promise<void>;
  /** The same, but what takes its time goes on: it waits neither for the whole of long runs nor for longer than is pleasant. */
  readonly glance: (patience?: number) => Promise<void>;
  /** All, by path. */
  readonly list: () => readonly RunOverview[];
  readonly find: (id: string) => WatchedRun | undefined;
}

interface Known {
  readonly id: string;
  readonly run: WatchedRun;
  /** The reading that is under way; `null` for none. */
  reading: Promise<void> | null;
}

/** Follows the runs in some directories: each a run's own, or one with runs some levels below. */
export function createRuns(directories: readonly string[], { clock, patience = PATIENCE }: RunsOptions): Runs {
  const runs = new Map<string, Known>();
  /** Of runs that are gone: the revision that they begin with when they come back. */
  const revisions = new Map<string, number>();
  let names: ReadonlyMap<string, string> = new Map();
  let looked = -Infinity;
  let glancing: Promise<void> | null = null;
  /** The first whole reading of runs. */
  let beginning: Promise<unknown> = Promise.resolve();
  const look = async (): Promise<void> => {
    const paths = await findRuns(directories);
    const [fresh, gone] = [paths.filter((path) => !runs.has(path)), [...runs.keys()].filter((path) => !paths.includes(path))];
    for (const path of gone) {
      revisions.set(path, runs.get(path)!.run.overview().revision + 1);
      runs.delete(path);
    }
    const begun = fresh.map((path): Known => ({ id: idOf(path), run: watchRun(path, revisions.get(path)), reading: null }));
    fresh.forEach((path, index) => runs.set(path, begun[index]!));
    if (fresh.length + gone.length > 0) names = shortNames([...runs.keys()]);
    await inLanes(begun, ({ run }) => run.begin());
    const whole = inLanes(begun, ({ run }) => run.refresh(), (known) => (known.reading = null));
    for (const known of begun) known.reading = whole;
    beginning = Promise.all([beginning, whole]);
  };
  const glanceAll = async (): Promise<void> => {
    const all = clock() - looked >= IDLE;
    if (all) {
      looked = clock();
      await look();
    }
    const due = [...runs.values()].filter(({ run, reading }) => reading === null && (all || run.overview().state === "running"));
    await Promise.all(due.map((known) => (known.reading = (all ? known.run.refresh() : known.run.follow()).finally(() => (known.reading = null)))));
  };
  const glance = (): Promise<void> => (glancing ??= glanceAll().finally(() => (glancing = null)));
  return {
    refresh: async () => {
      await glance();
      await beginning;
    },
    glance: async (most = patience) => {
      const patient = new AbortController();
      const waited = setTimeout(most, undefined, { signal: patient.signal }).catch(() => undefined);
      await Promise.race([glance().finally(() => patient.abort()), waited]);
    },
    list: () => [...runs].sort(([first], [second]) => (first < second ? -1 : 1)).map(([path, { id, run }]) => ({ id, name: names.get(path)!, ...run.overview() })),
    find: (id) => [...runs.values()].find((known) => known.id === id)?.run,
  };
}

/** Reads runs one after the other in each of some lanes, so that the first are there soon and few are held in memory. */
async function inLanes(runs: readonly Known[], read: (known: Known) => Promise<void>, done?: (known: Known) => void): Promise<void> {
  const waiting = runs.values();
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      for (const known of waiting) {
        await read(known);
        done?.(known);
      }
    }),
  );
}

/** Says nothing of the path to who reads it, and is the same as long as the run lies there. */
const idOf = (path: string): string => sha256(path).slice(0, 16);

/** Real paths of the run directories in some directories. What can't be read holds none. */
export async function findRuns(directories: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    directories.map(async (directory) => {
      const path = await realpath(directory).catch(() => null);
      return path === null ? [] : runsBelow(path, DEPTH);
    }),
  );
  return [...new Set(found.flat())];
}

async function runsBelow(path: string, depth: number): Promise<readonly string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  if (entries.some((entry) => entry.isFile() && MARKS.includes(entry.name))) return [path];
  if (depth === 0) return [];
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules");
  return (await Promise.all(folders.map(({ name }) => runsBelow(join(path, name), depth - 1)))).flat();
}

/** For each path its last parts, as many as tell it from the others. */
export function shortNames(paths: readonly string[]): ReadonlyMap<string, string> {
  const tail = (path: string, parts: number): string => path.split(sep).slice(-parts).join("/");
  return new Map(
    paths.map((path) => {
      const others = paths.filter((other) => other !== path && basename(other) === basename(path));
      let parts = 1;
      while (others.some((other) => tail(other, parts) === tail(path, parts))) parts++;
      return [path, tail(path, parts)];
    }),
  );
}
