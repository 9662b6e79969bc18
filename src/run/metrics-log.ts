import { open, readFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { RunDirectoryError } from "../errors.ts";
import { writeFileAtomically } from "../util/atomic-write.ts";
import { parseJsonLines } from "../util/jsonl.ts";
import { systemCode } from "../util/system-error.ts";
import { explained, resumeAdvice } from "./explain.ts";
import type { MetricsLine } from "./metrics.ts";

/** The append-only file metrics.jsonl. All functions throw RunDirectoryError when the disk refuses. */
export interface MetricsLog {
  /** All whole lines so far; a last line that was cut off by a kill, and what follows it, is left out. */
  readonly read: () => Promise<readonly MetricsLine[]>;
  readonly append: (line: MetricsLine) => Promise<void>;
  /** Returns when every appended line is on the disk. */
  readonly sync: () => Promise<void>;
  /**
   * Drops every line after a step and returns the others. They must be complete: the evaluation of step 0
   * (when `step` is not 0, in a run that evaluates) and each step once, in order.
   */
  readonly rewind: (step: number, evaluates: boolean) => Promise<readonly MetricsLine[]>;
  readonly close: () => Promise<void>;
}

/** The metrics of the run in a directory. The file is opened by the first `append`. */
export function openMetricsLog(runPath: string): MetricsLog {
  const path = join(runPath, "metrics.jsonl");
  let handle: FileHandle | null = null;
  const close = async () => {
    await handle?.close();
    handle = null;
  };
  const writing = <T>(task: () => Promise<T>) => explained(`${path} could not be written`, resumeAdvice(runPath), task);
  const readLines = () => explained(`${path} could not be read`, "restore its permissions", () => readWholeLines(path));
  return {
    read: async () => (await readLines()).map(({ metrics }) => metrics),
    append: (line) =>
      writing(async () => {
        handle ??= await open(path, "a");
        await handle.appendFile(`${JSON.stringify(line)}\n`);
      }),
    sync: () => writing(async () => handle?.sync()),
    rewind: async (step, evaluates) => {
      const kept = (await readLines()).filter(({ metrics }) => metrics.step <= step);
      requireComplete(kept.map(({ metrics }) => metrics), step, evaluates, path);
      await close();
      await writing(() => writeFileAtomically(path, kept.map(({ text }) => `${text}\n`).join("")));
      return kept.map(({ metrics }) => metrics);
    },
    close,
  };
}

async function readWholeLines(path: string): Promise<readonly { text: string; metrics: MetricsLine }[]> {
  const content = await readFile(path, "utf8").catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return "";
    throw error;
  });
  const whole: { text: string; metrics: MetricsLine }[] = [];
  // Without its line break a last line is half written, even if what stands there happens to be JSON.
  for (const row of parseJsonLines(content.slice(0, content.lastIndexOf("\n") + 1))) {
    if (!row.ok || !isMetricsLine(row.value)) break;
    whole.push({ text: row.text, metrics: row.value });
  }
  return whole;
}

function isMetricsLine(value: unknown): value is MetricsLine {
  if (typeof value !== "object" || value === null || !("kind" in value) || !("step" in value)) return false;
  return (value.kind === "step" || value.kind === "evaluation") && Number.isInteger(value.step);
}

function requireComplete(lines: readonly MetricsLine[], step: number, evaluates: boolean, path: string): void {
  if (step === 0) return;
  const steps = lines.filter(({ kind }) => kind === "step").map((line) => line.step);
  const missing = steps.findIndex((found, index) => found !== index + 1);
  const gap = missing >= 0 ? missing + 1 : steps.length + 1;
  if (gap <= step) {
    throw new RunDirectoryError(`${path} lacks step ${gap} although step ${step} was saved; restore the file, or start a new run.`);
  }
  if (evaluates && !lines.some((line) => line.kind === "evaluation" && line.step === 0)) {
    throw new RunDirectoryError(`${path} lacks the evaluation of step 0; restore the file, or start a new run.`);
  }
}
