import { readdir, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { RunDirectoryError } from "../errors.ts";
import type { ProblemCompletions } from "../evaluate.ts";
import { explained } from "../run/explain.ts";
import { currentOwner, takeLock } from "../run/lock.ts";
import type { LabelledProblem } from "../types.ts";
import { writeFileAtomically } from "../util/atomic-write.ts";
import { strictZip } from "../util/strict-zip.ts";
import { compareSettings, openJournal, writeSettings } from "./journal.ts";
import type { Journal, JournalSettings } from "./journal.ts";

export interface EvaluationRequest {
  readonly settings: JournalSettings;
  readonly problems: readonly LabelledProblem[];
  /** Problems of one batch: an earlier evaluation is kept in whole batches. */
  readonly batchSize: number;
  /** Go on where the directory ends, if it has begun. */
  readonly resume: boolean;
}

/**
 * The directory of an evaluation, whose lock this process holds: settings.json, completions.jsonl (a row for
 * each problem, as `selftrain vote` takes them) and at the end evaluation.json.
 */
export interface EvaluationDirectory extends Journal<ProblemCompletions> {
  readonly finish: (figures: object) => Promise<void>;
}

const rowSchema = z.object({ id: z.string(), completions: z.array(z.string()), tokens: z.array(z.int()) });

/**
 * Creates the directory of an evaluation, or opens it to continue. Throws RunDirectoryError when it exists
 * and is not to be continued, is of another evaluation or in use, and when the disk refuses.
 */
export async function openEvaluation(path: string, request: EvaluationRequest): Promise<EvaluationDirectory> {
  const guarded = <T>(task: () => Promise<T>) => explained(`${path} could not be used`, "mend this and continue with --resume, or name another directory with --out", task);
  return guarded(async () => {
    const begun = await hasBegun(path, request.resume);
    await mkdir(path, { recursive: true });
    const release = await takeLock(path, await currentOwner());
    try {
      const settingsFile = join(path, "settings.json");
      await (begun ? compareSettings : writeSettings)(settingsFile, request.settings);
      const { problems, batchSize } = request;
      const journal = await openJournal({ file: join(path, "completions.jsonl"), total: problems.length, batchSize, toRow, fromRow: (row, index) => fromRow(row, problems[index]) });
      return {
        ...journal,
        finish: (figures) => guarded(() => writeFileAtomically(join(path, "evaluation.json"), `${JSON.stringify(figures, null, 2)}\n`)),
        close: async () => {
          await journal.close();
          await release();
        },
      };
    } catch (error) {
      await release();
      throw error;
    }
  });
}

async function hasBegun(path: string, resume: boolean): Promise<boolean> {
  // What a kill may leave before the settings are written says nothing: the lock and hidden files.
  const names = (await readdir(path).catch(() => [])).filter((name) => name !== "lock" && !name.startsWith("."));
  if (names.length === 0) return false;
  if (!resume) throw new RunDirectoryError(`${path} exists already and is not empty; continue that evaluation with --resume, or name another directory.`);
  if (!names.includes("settings.json")) throw new RunDirectoryError(`${path} is not the directory of an evaluation (it has no settings.json); name another directory.`);
  return true;
}

/** The item of a row, or `null` when it is not the row of its problem. */
function fromRow(value: unknown, problem: LabelledProblem | undefined): ProblemCompletions | null {
  const row = rowSchema.safeParse(value).data;
  if (row === undefined || problem === undefined || row.id !== problem.id || row.completions.length !== row.tokens.length) return null;
  return { problem, completions: strictZip(row.completions, row.tokens).map(([text, tokens]) => ({ text, tokens })) };
}

function toRow({ problem: { id, prompt, answer }, completions }: ProblemCompletions): object {
  return { id, problem: prompt, answer, completions: completions.map(({ text }) => text), tokens: completions.map(({ tokens }) => tokens) };
}
