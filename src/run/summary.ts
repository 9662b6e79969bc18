import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { RunDirectoryError } from "../errors.ts";
import { writeFileAtomically } from "../util/atomic-write.ts";
import type { RunDirectory } from "./directory.ts";
import { explained, resumeAdvice } from "./explain.ts";

const evaluationSchema = z.object({ passAt1: z.number(), standardError: z.number(), majAtK: z.number(), majStandardError: z.number(), k: z.int() });
const stopSchema = z.object({
  reason: z.enum(["collapse", "early-stopping"]),
  /** Step at which the run ended, and the one whose weights it went back to. */
  step: z.int(),
  restored: z.int(),
  message: z.string(),
});
const summarySchema = z.object({
  /** Updates that the trained model has behind it. */
  steps: z.int(),
  /** Wall-clock seconds of training and evaluation, without the time between interruption and resumption. */
  seconds: z.number(),
  /** Figures of the first and the last evaluation; `null` where nothing was evaluated. */
  before: evaluationSchema.nullable(),
  after: evaluationSchema.nullable(),
  /** Why the run went back from where it ended; absent when it did not. */
  stopped: stopSchema.optional(),
});

/** The figures of an evaluation that a summary keeps; see EvaluationFigures. */
export type EvaluationSummary = Readonly<z.infer<typeof evaluationSchema>>;
/** Why a run went back to an earlier step. */
export type RunStop = Readonly<z.infer<typeof stopSchema>>;
/** What a run came to: summary.json. */
export type RunSummary = Readonly<z.infer<typeof summarySchema>>;

/** The figures of a summary out of those of an evaluation. */
export function summarizeEvaluation(evaluation: EvaluationSummary): EvaluationSummary {
  return evaluationSchema.parse(evaluation);
}

/** Writes summary.json: the mark of a run that is complete. */
export async function writeSummary(run: RunDirectory, summary: RunSummary): Promise<void> {
  const path = join(run.path, "summary.json");
  const content = `${JSON.stringify(summary, null, 2)}\n`;
  await explained(`${path} could not be written`, resumeAdvice(run.path), () => writeFileAtomically(path, content));
}

/** The summary of a complete run, or `null` while it is not. Throws RunDirectoryError when it is damaged. */
export async function readSummary(run: Pick<RunDirectory, "path">): Promise<RunSummary | null> {
  const path = join(run.path, "summary.json");
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null) return null;
  try {
    return summarySchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new RunDirectoryError(`${path} is damaged; delete it, and --resume ${run.path} writes it again.`, { cause });
  }
}
