import { open, readFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { RunDirectoryError } from "../errors.ts";
import { writeFileAtomically } from "../util/atomic-write.ts";
import { parseJsonLines } from "../util/jsonl.ts";
import { systemCode } from "../util/system-error.ts";
import { explained, resumeAdvice } from "./explain.ts";
import type { EvaluationMetrics, MetricsLine } from "./metrics.ts";

/** An append-only file of JSON lines, each of a step. All functions throw RunDirectoryError when the disk refuses. */
export interface StepLog<Line extends { readonly step: number }> {
  /** All whole lines so far; a last line that was cut off by a kill, and what follows it, is left out. */
  readonly read: () => Promise<readonly Line[]>;
  readonly append: (line: Line) => Promise<void>;
  /** Returns when every appended line is on the disk. */
  readonly sync: () => Promise<void>;
  /** Drops every line after a step and returns the others. Throws RunDirectoryError where they are incomplete. */
  readonly rewind: (step: number) => Promise<readonly Line[]>;
  readonly close: () => Promise<void>;
}

/** The majority answers of one step: what a run remembers of its own votes. */
export interface VotesLine {
  readonly kind: "votes";
  readonly step: number;
  /**
   * For each problem its id, the majority answer of its samples, that answer's share of all samples, and, where the
   * run was given a label from outside, whether the majority is that label.
   */
  readonly votes: readonly (readonly [id: string, answer: string | null, share: number, taught?: boolean])[];
  /** Problems seen for the first time: the same of the model that the run started from. */
  readonly start: readonly (readonly [id: string, answer: string | null, share: number])[];
  /** Where the step has a probe: the samples of each problem, its id, and what share of them gave the first model's majority answer. */
  readonly probe?: { readonly samples: number; readonly problems: readonly (readonly [id: string, support: number])[] };
}

/** How each problem of an evaluation was answered: what two runs on the same held-out problems are compared by. */
export interface AnswersLine {
  readonly kind: EvaluationMetrics["kind"];
  readonly step: number;
  /** For each problem its id, how many of its samples are right, its majority answer, and whether that is right. */
  readonly problems: readonly (readonly [id: string, right: number, majority: string | null, majorityRight: boolean])[];
}

/**
 * metrics.jsonl of the run in a directory. What remains of it after rewinding must hold each step once, in order,
 * whatever evaluations there are.
 */
export function openMetricsLog(runPath: string): StepLog<MetricsLine> {
  return openStepLog<MetricsLine>(runPath, "metrics.jsonl", ["step", "evaluation", "validation"], (lines, step, path) => requireEachStep(lines.filter(({ kind }) => kind === "step"), step, path));
}

/** votes.jsonl of the run in a directory: each step once, in order. */
export function openVotesLog(runPath: string): StepLog<VotesLine> {
  return openStepLog<VotesLine>(runPath, "votes.jsonl", ["votes"], requireEachStep);
}

/** evaluations.jsonl of the run in a directory, written before the figures in metrics.jsonl; of two lines for a step the last one counts. */
export function openEvaluationsLog(runPath: string): StepLog<AnswersLine> {
  return openStepLog<AnswersLine>(runPath, "evaluations.jsonl", ["evaluation", "validation"], () => undefined);
}

type Requirement<Line> = (lines: readonly Line[], step: number, path: string) => void;

/** The file is opened by the first `append`. */
function openStepLog<Line extends { readonly kind: string; readonly step: number }>(
  runPath: string,
  name: string,
  kinds: readonly Line["kind"][],
  require: Requirement<Line>,
): StepLog<Line> {
  const path = join(runPath, name);
  let handle: FileHandle | null = null;
  const close = async () => {
    await handle?.close();
    handle = null;
  };
  const writing = <T>(task: () => Promise<T>) => explained(`${path} could not be written`, resumeAdvice(runPath), task);
  const isLine = (value: unknown): value is Line =>
    typeof value === "object" && value !== null && "kind" in value && "step" in value && kinds.some((kind) => kind === value.kind) && Number.isInteger(value.step);
  const readLines = () => explained(`${path} could not be read`, "restore its permissions", () => readWholeLines(path, isLine));
  return {
    read: async () => (await readLines()).map(({ line }) => line),
    append: (line) =>
      writing(async () => {
        handle ??= await open(path, "a");
        await handle.appendFile(`${JSON.stringify(line)}\n`);
      }),
    sync: () => writing(async () => handle?.sync()),
    rewind: async (step) => {
      const kept = (await readLines()).filter(({ line }) => line.step <= step);
      const lines = kept.map(({ line }) => line);
      require(lines, step, path);
      await close();
      await writing(() => writeFileAtomically(path, kept.map(({ text }) => `${text}\n`).join("")));
      return lines;
    },
    close,
  };
}

async function readWholeLines<Line>(path: string, isLine: (value: unknown) => value is Line): Promise<readonly { text: string; line: Line }[]> {
  const content = await readFile(path, "utf8").catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return "";
    throw error;
  });
  const whole: { text: string; line: Line }[] = [];
  // Without its line break a last line is half written, even if what stands there happens to be JSON.
  for (const row of parseJsonLines(content.slice(0, content.lastIndexOf("\n") + 1))) {
    if (!row.ok || !isLine(row.value)) break;
    whole.push({ text: row.text, line: row.value });
  }
  return whole;
}

function requireEachStep(lines: readonly { readonly step: number }[], step: number, path: string): void {
  const missing = lines.findIndex((line, index) => line.step !== index + 1);
  const gap = missing >= 0 ? missing + 1 : lines.length + 1;
  if (gap <= step) {
    throw new RunDirectoryError(`${path} lacks step ${gap} although step ${step} was saved; restore the file, or start a new run.`);
  }
}
