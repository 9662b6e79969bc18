import { open, readFile, readdir, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { RunDirectoryError } from "../errors.ts";
import type { ProblemCompletions } from "../evaluate.ts";
import { explained } from "../run/explain.ts";
import { currentOwner, takeLock } from "../run/lock.ts";
import type { LabelledProblem } from "../types.ts";
import { writeFileAtomically } from "../util/atomic-write.ts";
import { parseJsonLines } from "../util/jsonl.ts";
import { strictZip } from "../util/strict-zip.ts";

/** What an evaluation depends on, by the names that people know: it goes on only when all of it is the same. */
export type EvaluationSettings = Readonly<Record<string, string | number>>;

export interface EvaluationRequest {
  readonly settings: EvaluationSettings;
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
export interface EvaluationDirectory {
  /** Completions that are there already, of whole batches. */
  readonly earlier: readonly ProblemCompletions[];
  /** Returns when a batch is on the disk. */
  readonly append: (batch: readonly ProblemCompletions[]) => Promise<void>;
  readonly finish: (figures: object) => Promise<void>;
  /** Releases the lock. */
  readonly close: () => Promise<void>;
}

const rowSchema = z.object({ id: z.string(), completions: z.array(z.string()), tokens: z.array(z.int()) });
type Row = z.infer<typeof rowSchema>;

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
      if (begun) await compareSettings(path, request.settings);
      else await writeJson(join(path, "settings.json"), request.settings);
      const earlier = await keepWholeBatches(path, request);
      const file = await open(join(path, "completions.jsonl"), "a");
      return {
        earlier,
        append: (batch) =>
          guarded(async () => {
            await file.appendFile(batch.map(toLine).join(""));
            await file.sync();
          }),
        finish: (figures) => guarded(() => writeJson(join(path, "evaluation.json"), figures)),
        close: async () => {
          await file.close();
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

async function compareSettings(path: string, settings: EvaluationSettings): Promise<void> {
  const file = join(path, "settings.json");
  const found = parseSettings(await readFile(file, "utf8"), file);
  for (const name of Object.keys({ ...found, ...settings })) {
    if (found[name] === settings[name]) continue;
    const [then, now] = [found, settings].map((values) => (values[name] === undefined ? "nothing" : `\`${values[name]}\``));
    throw new RunDirectoryError(`${path} is an evaluation with ${then!} for \`${name}\`, not ${now!}; continue it with the same settings, or name another directory.`);
  }
}

function parseSettings(text: string, file: string): EvaluationSettings {
  try {
    return z.record(z.string(), z.union([z.string(), z.number()])).parse(JSON.parse(text));
  } catch (cause) {
    throw new RunDirectoryError(`${file} is damaged, so the evaluation can't be continued; start it again in another directory.`, { cause });
  }
}

/** The completions of whole batches; what a kill left after them is cut off. */
async function keepWholeBatches(path: string, { problems, batchSize }: EvaluationRequest): Promise<readonly ProblemCompletions[]> {
  const file = join(path, "completions.jsonl");
  const content = await readFile(file, "utf8").catch(() => "");
  const rows = wholeRows(content.slice(0, content.lastIndexOf("\n") + 1), problems);
  const count = rows.length === problems.length ? rows.length : rows.length - (rows.length % batchSize);
  const kept = strictZip(problems.slice(0, count), rows.slice(0, count)).map(([problem, { completions, tokens }]) => ({
    problem,
    completions: strictZip(completions, tokens).map(([text, length]) => ({ text, tokens: length })),
  }));
  await writeFileAtomically(file, kept.map(toLine).join(""));
  return kept;
}

/** The rows up to the first that is not that of its problem. */
function wholeRows(content: string, problems: readonly LabelledProblem[]): readonly Row[] {
  const rows: Row[] = [];
  for (const [index, line] of parseJsonLines(content).entries()) {
    const row = line.ok ? rowSchema.safeParse(line.value).data : undefined;
    if (row === undefined || row.id !== problems[index]?.id || row.completions.length !== row.tokens.length) break;
    rows.push(row);
  }
  return rows;
}

function toLine({ problem: { id, prompt, answer }, completions }: ProblemCompletions): string {
  const row = { id, problem: prompt, answer, completions: completions.map(({ text }) => text), tokens: completions.map(({ tokens }) => tokens) };
  return `${JSON.stringify(row)}\n`;
}

async function writeJson(path: string, content: object): Promise<void> {
  await writeFileAtomically(path, `${JSON.stringify(content, null, 2)}\n`);
}
