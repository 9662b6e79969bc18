import { join } from "node:path";
import { createGrader } from "../grading/index.ts";
import type { StepMetrics, VotesLine } from "../run/index.ts";
import type { Grader } from "../types.ts";
import { createColumns } from "./columns.ts";
import type { Columns } from "./columns.ts";
import { createReplay } from "./health.ts";
import type { Replay, Replayed } from "./health.ts";
import { addEvaluation, asEvaluation, asStep, asVotes, figureOf } from "./log-lines.ts";
import type { EvaluationPoint, StepColumn } from "./protocol.ts";
import { sketch } from "./sketch.ts";
import { createTail } from "./tail.ts";

/** Pairs of answers whose comparison is remembered. */
const REMEMBERED = 10_000;

/** What metrics.jsonl and votes.jsonl say, as far as they are read. */
export interface Logged {
  readonly columns: Columns;
  readonly replay: Replay;
  /** By step. */
  readonly evaluations: EvaluationPoint[];
  /** By step from 1: 0 stayed, 1 flipped, 2 not seen before. */
  readonly flips: Uint8Array[];
  /** Why no more is read; `null` for most. */
  note: string | null;
}

export interface Logs {
  /** Reads all of short logs, and of long ones a sketch, which takes a moment. Throws the system's error. */
  readonly begin: () => Promise<void>;
  /** Reads what is new, some at a time, so that a long run is read beside answers to the page. Throws the system's error. */
  readonly read: () => Promise<void>;
  readonly logged: () => Logged;
  /** How often what was there has been replaced: the sketch by the whole, or what was written anew. */
  readonly revision: () => number;
}

/** The logs of the run in a directory, of which nothing is read yet. `first` is their first revision. */
export function createLogs(path: string, first: number): Logs {
  const same = remembered(createGrader().same);
  const begin = (): Logged => ({ columns: createColumns(), replay: createReplay(same), evaluations: [], flips: [], note: null });
  const tails = { metrics: createTail(join(path, "metrics.jsonl")), votes: createTail(join(path, "votes.jsonl")) };
  /** Votes that wait for their step, and the last step that has been voted on. */
  const votes = new Map<number, VotesLine>();
  let voted = 0;
  let logged = begin();
  /** What is seen from outside: a sketch, or what was there before, until all is read. */
  let shown = logged;
  let revision = first;
  /** Whether the votes up to a step were read, or to the end; `false` where they were written anew. */
  const readVotes = async (step: number): Promise<boolean> => {
    while (voted < step) {
      const lines = await tails.votes.next();
      if (lines === null) return false;
      if (lines.length === 0) break;
      for (const line of lines.flatMap((value) => asVotes(value) ?? [])) {
        votes.set(line.step, line);
        voted = line.step;
      }
    }
    return true;
  };
  /** Whether the logs were read to their ends; `false` where they were written anew. */
  const readOn = async (): Promise<boolean> => {
    for (;;) {
      const lines = await tails.metrics.next();
      if (lines === null) return false;
      if (lines.length === 0) return true;
      // A step's votes are written before its metrics, so that they are there when these are.
      if (!(await readVotes(logged.columns.steps() + lines.length))) return false;
      for (const line of lines) takeMetrics(logged, line, votes);
    }
  };
  const read = async (): Promise<void> => {
    while (!(await readOn())) {
      tails.metrics.restart();
      tails.votes.restart();
      votes.clear();
      voted = 0;
      logged = begin();
    }
    for (const [name, tail] of Object.entries(tails)) {
      const damaged = tail.damagedLine();
      if (damaged !== null) logged.note ??= `Line ${damaged} of ${name}.jsonl is damaged: nothing after it is shown.`;
    }
    if (shown === logged) return;
    shown = logged;
    revision++;
  };
  return {
    logged: () => shown,
    revision: () => revision,
    read,
    begin: async () => {
      const sketched = await sketch(join(path, "metrics.jsonl"));
      if (sketched === null) await read();
      else shown = { ...sketched, replay: UNREAD, flips: [], note: null };
    },
  };
}

/** Says nothing of the votes, which a sketch leaves out. */
const UNREAD: Replay = {
  take: () => ({ lostSupport: null, lostSureness: null, answerExcess: null, tokenKl: null, flips: [] }),
  health: () => ({ level: "unknown", text: "unknown: the votes are still being read", signs: [] }),
};

/** Says what `same` says; the pairs of late are not compared again, as a run's problems come back and so do their answers. */
function remembered(same: Grader["same"]): Grader["same"] {
  const known = new Map<string, boolean>();
  return (gold, prediction) => {
    const pair = `${gold.length} ${gold} ${prediction}`;
    const before = known.get(pair);
    if (before !== undefined) return before;
    if (known.size >= REMEMBERED) known.clear();
    const found = same(gold, prediction);
    known.set(pair, found);
    return found;
  };
}

function takeMetrics(logged: Logged, line: unknown, votes: Map<number, VotesLine>): void {
  if (logged.note !== null) return;
  const due = logged.columns.steps() + 1;
  const step = asStep(line);
  if (step?.step === due) {
    takeStep(logged, step, votes.get(due));
    votes.delete(due);
    return;
  }
  const evaluation = step === null ? asEvaluation(line) : null;
  if (evaluation !== null) addEvaluation(logged.evaluations, evaluation);
  else logged.note = `metrics.jsonl has something else where step ${due} is due: nothing after it is shown.`;
}

function takeStep({ columns, replay, flips }: Logged, metrics: StepMetrics, votes: VotesLine | undefined): void {
  const { flips: flipped, ...signs } = replay.take(metrics, votes);
  const known: Partial<Record<StepColumn, number | null>> = signs;
  columns.append((name) => (name in known ? known[name] : figureOf(metrics, name)));
  flips.push(codesOf(flipped));
}

function codesOf(flips: Replayed["flips"]): Uint8Array {
  const codes = new Uint8Array(flips.length);
  flips.forEach((flip, index) => (codes[index] = flip === null ? 2 : Number(flip)));
  return codes;
}
