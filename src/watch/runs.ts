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

export interface RunsOptions {
  /** In milliseconds. */
  readonly clock: () => number;
  /** Milliseconds that `glance` waits. */
  readonly patience?: number;
}

/** The runs in some directories. */
export interface Runs {
  /** Reads what is new of running runs, and, now and then, of the others and whether there are more. One at a time: a call during another shares it. */
  readonly refresh: () => Promise<void>;
  /** The same, but waits no longer than is pleasant: what takes its time, as the first reading of long runs, goes on. */
  readonly glance: () => Promise<void>;
  /** All, by path. */
  readonly list: () => readonly RunOverview[];
  readonly find: (id: string) => WatchedRun | undefined;
}

/** Follows the runs in some directories: each a run's own, or one with runs some levels below. */
export function createRuns(directories: readonly string[], { clock, patience = PATIENCE }: RunsOptions): Runs {
  const runs = new Map<string, { readonly id: string; readonly run: WatchedRun }>();
  let names: ReadonlyMap<string, string> = new Map();
  let looked = -Infinity;
  let refreshing: Promise<void> | null = null;
  const look = async (): Promise<void> => {
    const paths = await findRuns(directories);
    const fresh = paths.filter((path) => !runs.has(path));
    for (const path of fresh) runs.set(path, { id: idOf(path), run: watchRun(path) });
    if (fresh.length > 0) names = shortNames([...runs.keys()]);
  };
  const refreshAll = async (): Promise<void> => {
    const all = clock() - looked >= IDLE;
    if (all) await look();
    const due = [...runs.values()].filter(({ run }) => all || run.overview().state === "running");
    for (const { run } of due) await run.refresh();
    if (all) looked = clock();
  };
  const refresh = (): Promise<void> => (refreshing ??= refreshAll().finally(() => (refreshing = null)));
  return {
    refresh,
    glance: async () => {
      const patient = new AbortController();
      const waited = setTimeout(patience, undefined, { signal: patient.signal }).catch(() => undefined);
      await Promise.race([refresh().finally(() => patient.abort()), waited]);
    },
    list: () => [...runs].sort(([first], [second]) => (first < second ? -1 : 1)).map(([path, { id, run }]) => ({ id, name: names.get(path)!, ...run.overview() })),
    find: (id) => [...runs.values()].find((known) => known.id === id)?.run,
  };
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
