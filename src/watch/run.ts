import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseSettings } from "../config/index.ts";
import { RunDirectoryError, SelftrainError } from "../errors.ts";
import { isHeld, readSummary, stepOfName } from "../run/index.ts";
import type { RunStop, RunSummary } from "../run/index.ts";
import { systemCode, systemReason } from "../util/system-error.ts";
import type { Columns } from "./columns.ts";
import { createLogs } from "./logs.ts";
import type { Logged } from "./logs.ts";
import type { EvaluationPoint, RunOverview, RunState, StepColumn } from "./protocol.ts";
import { writtenValue } from "./written-value.ts";

/** Steps that speed and time left are taken over. */
const PACE_STEPS = 20;

/** A run as far as its directory has been read. Nothing in the directory is ever written or locked. */
export interface WatchedRun {
  readonly path: string;
  /** Reads all of a short run, and of a long one a sketch until `refresh` has read it: its evaluations, some of its steps and no votes. Never throws. */
  readonly begin: () => Promise<void>;
  /** Reads what is new. Never throws: what can't be read becomes the note. */
  readonly refresh: () => Promise<void>;
  /** Reads what is new of the logs alone: less to ask the disk for, where it is asked often. Never throws. */
  readonly follow: () => Promise<void>;
  readonly overview: () => Omit<RunOverview, "id" | "name">;
  readonly columns: () => Columns;
  readonly evaluations: () => readonly EvaluationPoint[];
  readonly recordings: () => readonly number[];
  /** See Replayed; `null` where the step has no votes. */
  readonly flipsAt: (step: number) => readonly (boolean | null)[] | null;
  /** Keys and values of config.yaml as written; empty while there is none. */
  readonly config: () => ReadonlyMap<string, unknown>;
}

/** What the other files say. It is replaced as a whole, so that an overview never shows half of a look. */
interface Standing {
  readonly config: ReadonlyMap<string, unknown>;
  readonly state: RunState;
  readonly stopped: RunStop | null;
  readonly recordings: readonly number[];
  readonly note: string | null;
}

/** A run of which nothing is read yet. `first` is its first revision. */
export function watchRun(path: string, first = 0): WatchedRun {
  const logs = createLogs(path, first);
  let standing: Standing = { config: new Map(), state: "stopped", stopped: null, recordings: [], note: null };
  const look = async (reading: () => Promise<void>): Promise<void> => {
    const before = logs.revision();
    let found = await readStanding(path, standing);
    const note = await noteOf(path, reading());
    // Where the logs are others, so may be the config.
    if (logs.revision() > before) found = await readStanding(path, { ...found, config: new Map() });
    standing = { ...found, note: found.note ?? note };
  };
  return {
    path,
    begin: () => look(logs.begin),
    refresh: () => look(logs.read),
    follow: async () => {
      const before = logs.revision();
      const note = await noteOf(path, logs.read());
      if (logs.revision() > before) await look(logs.read);
      else standing = { ...standing, note: standing.note ?? note };
    },
    overview: () => ({ ...overviewOf(standing, logs.logged()), revision: logs.revision() }),
    columns: () => logs.logged().columns,
    evaluations: () => logs.logged().evaluations,
    recordings: () => standing.recordings,
    flipsAt: (step) => {
      const flips = logs.logged().flips[step - 1];
      return flips === undefined || flips.length === 0 ? null : Array.from(flips, (flip) => (flip === 2 ? null : flip === 1));
    },
    config: () => standing.config,
  };
}

/** Why a part can't be read, in a sentence, or `null` when it could: the other parts are shown all the same. */
async function noteOf(path: string, reading: Promise<void>): Promise<string | null> {
  try {
    await reading;
    return null;
  } catch (error) {
    if (error instanceof SelftrainError) return error.message;
    return `${path} can't be read: ${systemReason(error) ?? (error instanceof Error ? error.message : String(error))}.`;
  }
}

async function readStanding(path: string, before: Standing): Promise<Standing> {
  let { config, recordings } = before;
  let summary: RunSummary | null = null;
  // Before the summary, which is written before the lock is released.
  const held = await isHeld(path);
  const notes = [
    await noteOf(path, recordedSteps(path).then((steps) => void (recordings = steps))),
    await noteOf(path, (config.size === 0 ? readConfig(join(path, "config.yaml")) : Promise.resolve(config)).then((found) => void (config = found))),
    await noteOf(path, readSummary({ path }).then((found) => void (summary = found))),
  ];
  const complete = summary as RunSummary | null;
  return { config, recordings, state: complete !== null ? "complete" : held ? "running" : "stopped", stopped: complete?.stopped ?? null, note: notes.find((note) => note !== null) ?? null };
}

async function readConfig(file: string): Promise<ReadonlyMap<string, unknown>> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new RunDirectoryError(`${file} can't be read: ${systemReason(error) ?? String(error)}.`, { cause: error });
  });
  return new Map([...parseSettings(text, file)].map(([key, { value }]) => [key, value]));
}

async function recordedSteps(path: string): Promise<readonly number[]> {
  const names = await readdir(join(path, "samples")).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  });
  return names.flatMap((name) => stepOfName(name, ".parquet") ?? []).sort((a, b) => a - b);
}

const numberOf = (value: unknown): number | null => (typeof value === "number" ? value : null);

function overviewOf({ config, state, stopped, recordings, note }: Standing, { columns, replay, evaluations, note: damage }: Logged): Omit<RunOverview, "id" | "name" | "revision"> {
  const text = (key: string): string => writtenValue(config.get(key) ?? "");
  const count = (key: string): number => numberOf(config.get(key)) ?? 0;
  const step = columns.steps();
  const steps = Math.max(count("steps"), step);
  return {
    state,
    model: text("model"),
    reward: text("reward"),
    algorithm: text("algorithm"),
    step,
    steps,
    evaluations: evaluations.length,
    recordings: recordings.length,
    health: replay.health({ startVotes: count("start-votes"), stopped }),
    secondsPerStep: median(last(columns, "seconds")),
    tokensPerSecond: median(last(columns, "tokensPerSecond")),
    secondsLeft: state === "running" ? secondsLeft(last(columns, "elapsed"), steps - step) : null,
    note: note ?? damage ?? stopped?.message ?? null,
  };
}

const last = (columns: Columns, column: StepColumn): Float32Array => columns.after(column, Math.max(0, columns.steps() - PACE_STEPS));

function median(values: Float32Array): number | null {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return null;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** At the pace of the last steps, the evaluations between them included. */
function secondsLeft(elapsed: Float32Array, steps: number): number | null {
  const between = elapsed.length - 1;
  const pace = (elapsed[between]! - elapsed[0]!) / between;
  return between > 0 && Number.isFinite(pace) ? pace * steps : null;
}
