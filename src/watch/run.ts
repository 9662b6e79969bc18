import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { z } from "zod";
import { parseSettings } from "../config/index.ts";
import { RunDirectoryError, SelftrainError } from "../errors.ts";
import { createGrader } from "../grading/index.ts";
import { isHeld, readSummary, stepOfName } from "../run/index.ts";
import type { RunStop, RunSummary, StepMetrics, VotesLine } from "../run/index.ts";
import { systemCode, systemReason } from "../util/system-error.ts";
import { createColumns } from "./columns.ts";
import type { Columns } from "./columns.ts";
import { createReplay } from "./health.ts";
import type { Replay } from "./health.ts";
import type { EvaluationPoint, RunOverview, RunState, StepColumn } from "./protocol.ts";
import { createTail } from "./tail.ts";
import { writtenValue } from "./written-value.ts";

/** Steps that speed and time left are taken over. */
const PACE_STEPS = 20;
/** Lines that are taken before others have their turn: a long run is read beside answers to the page. */
const AT_ONCE = 200;

const evaluationSchema = z.object({
  kind: z.enum(["evaluation", "validation"]),
  step: z.int().nonnegative(),
  passAt1: z.number(),
  standardError: z.number(),
  majAtK: z.number(),
  majStandardError: z.number(),
  k: z.int(),
  problems: z.int(),
  abstentionRate: z.number(),
});
const kindSchema = z.looseObject({ kind: z.string() });
const stepSchema = z.looseObject({ kind: z.literal("step"), step: z.int().positive(), kl: z.number(), meanLength: z.number(), abstentionRate: z.number(), timing: z.record(z.string(), z.unknown()) });
const idAnswerShare = [z.string(), z.string().nullable(), z.number()] as const;
const votesSchema = z.object({
  kind: z.literal("votes"),
  step: z.int().positive(),
  votes: z.array(z.tuple([...idAnswerShare, z.boolean().optional()])),
  start: z.array(z.tuple([...idAnswerShare])),
});

/** A run as far as its directory has been read. Nothing in the directory is ever written or locked. */
export interface WatchedRun {
  readonly path: string;
  /** Reads what is new. Never throws: what can't be read becomes the note. */
  readonly refresh: () => Promise<void>;
  readonly overview: () => Omit<RunOverview, "id" | "name">;
  readonly columns: () => Columns;
  readonly evaluations: () => readonly EvaluationPoint[];
  readonly recordings: () => readonly number[];
  /** See Replayed; `null` where the step has no votes. */
  readonly flipsAt: (step: number) => readonly (boolean | null)[] | null;
  /** Keys and values of config.yaml as written; empty while there is none. */
  readonly config: () => ReadonlyMap<string, unknown>;
}

/** What the logs say; begun anew when they were rewritten. */
interface Logged {
  readonly columns: Columns;
  readonly replay: Replay;
  readonly evaluations: EvaluationPoint[];
  /** By step from 1: 0 stayed, 1 flipped, 2 not seen before. */
  readonly flips: Uint8Array[];
  /** Lines that were read and wait for their step, or for their turn. */
  readonly votes: Map<number, VotesLine>;
  readonly metrics: unknown[];
  note: string | null;
}

/** What the other files say. It is replaced as a whole, so that an overview never shows half of a look. */
interface Standing {
  readonly config: ReadonlyMap<string, unknown>;
  readonly state: RunState;
  readonly stopped: RunStop | null;
  readonly recordings: readonly number[];
  readonly note: string | null;
}

/** A run of which nothing is read yet. */
export function watchRun(path: string): WatchedRun {
  const { same } = createGrader();
  const begin = (): Logged => ({ columns: createColumns(), replay: createReplay(same), evaluations: [], flips: [], votes: new Map(), metrics: [], note: null });
  const tails = { metrics: createTail(join(path, "metrics.jsonl")), votes: createTail(join(path, "votes.jsonl")) };
  let standing: Standing = { config: new Map(), state: "stopped", stopped: null, recordings: [], note: null };
  let logged = begin();
  let revision = 0;
  /** Whether the logs were read to their ends; `false` where they were written anew. */
  const readLogs = async (): Promise<boolean> => {
    // A step's votes are written before its metrics, so that they are there when these are.
    if ((await tails.metrics.read((line) => logged.metrics.push(line))) === "rewritten") return false;
    if ((await tails.votes.read((line) => takeVotes(logged, line))) === "rewritten") return false;
    while (logged.metrics.length > 0) {
      for (const line of logged.metrics.splice(0, AT_ONCE)) takeMetrics(logged, line);
      if (logged.metrics.length > 0) await setImmediate();
    }
    for (const [name, tail] of Object.entries(tails)) {
      const damaged = tail.damagedLine();
      if (damaged !== null) logged.note ??= `Line ${damaged} of ${name}.jsonl is damaged: nothing after it is shown.`;
    }
    return true;
  };
  const readAllLogs = async (): Promise<void> => {
    while (!(await readLogs())) {
      tails.metrics.restart();
      tails.votes.restart();
      logged = begin();
      revision++;
    }
  };
  return {
    path,
    refresh: async () => {
      const found = await readStanding(path, standing);
      const note = await noteOf(path, readAllLogs());
      standing = { ...found, note: found.note ?? note };
    },
    overview: () => ({ ...overviewOf(standing, logged), revision }),
    columns: () => logged.columns,
    evaluations: () => logged.evaluations,
    recordings: () => standing.recordings,
    flipsAt: (step) => {
      const flips = logged.flips[step - 1];
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

function takeVotes({ votes }: Logged, line: unknown): void {
  const parsed = votesSchema.safeParse(line);
  if (parsed.success) votes.set(parsed.data.step, parsed.data as VotesLine);
}

function takeMetrics(logged: Logged, line: unknown): void {
  if (logged.note !== null) return;
  const due = logged.columns.steps() + 1;
  const kind = kindSchema.safeParse(line).data?.kind;
  const step = kind === "step" ? stepSchema.safeParse(line).data : undefined;
  const evaluation = kind === "step" ? undefined : evaluationSchema.safeParse(line).data;
  if (evaluation !== undefined) takeEvaluation(logged.evaluations, evaluation);
  else if (step?.step === due) takeStep(logged, step as unknown as StepMetrics);
  else logged.note = `metrics.jsonl has something else where step ${due} is due: nothing after it is shown.`;
}

/** Of two evaluations of a step the later counts. They are kept by step: a run that goes back may evaluate an earlier one last. */
function takeEvaluation(evaluations: EvaluationPoint[], point: EvaluationPoint): void {
  const earlier = evaluations.findIndex(({ kind, step }) => kind === point.kind && step === point.step);
  if (earlier >= 0) evaluations.splice(earlier, 1);
  evaluations.push(point);
  evaluations.sort((first, second) => first.step - second.step);
}

function takeStep({ columns, replay, flips, votes }: Logged, metrics: StepMetrics): void {
  const replayed = replay.take(metrics, votes.get(metrics.step));
  votes.delete(metrics.step);
  const [figures, timing] = [metrics, metrics.timing] as unknown as readonly Readonly<Record<string, unknown>>[];
  columns.append((name) => (name === "lostSupport" || name === "lostSureness" || name === "answerExcess" || name === "tokenKl" ? replayed[name] : (figures![name] ?? timing![name])));
  flips.push(Uint8Array.from(replayed.flips, (flip) => (flip === null ? 2 : Number(flip))));
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
