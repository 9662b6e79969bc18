import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { RunDirectoryError } from "../errors.ts";
import { createGrader } from "../grading/index.ts";
import { readVotes, stepName, stepOfName } from "../run/index.ts";
import type { SampleRow } from "../run/index.ts";
import { inspected, overview } from "./problem.ts";
import type { GroupRow } from "./problem.ts";
import type { InspectedProblem, ProblemOverview, Recordings } from "./protocol.ts";

/** The steps of a run whose samples were recorded, ascending. */
export async function listRecordings(runPath: string): Promise<Recordings> {
  const names = await readdir(join(runPath, "samples")).catch(() => []);
  return names.flatMap((name) => stepOfName(name, ".parquet") ?? []).sort((first, second) => first - second);
}

/** Reads what was sampled in a step. Both functions throw RunDirectoryError where a recording is gone or damaged. */
export interface RecordingReader {
  readonly problems: (runPath: string, step: number) => Promise<readonly ProblemOverview[]>;
  /** `null` for a place that the step does not have. */
  readonly problem: (runPath: string, step: number, index: number) => Promise<InspectedProblem | null>;
}

/** A recorded step: its file, where each problem's rows are in it, and what is said of each. */
interface RecordedStep {
  readonly file: ArrayBuffer;
  readonly columns: ReadonlySet<string>;
  readonly starts: readonly number[];
  readonly overviews: readonly ProblemOverview[];
}

const LISTED = ["problem", "prompt", "sample", "answer", "class", "pseudoLabel", "status", "truth"] as const satisfies readonly (keyof SampleRow)[];

/** A reader that keeps the step it was asked for last: people look at one problem of it after the other. */
export function createRecordingReader(): RecordingReader {
  const { same } = createGrader();
  let last: { readonly path: string; readonly content: Promise<RecordedStep> } | null = null;
  const opened = async (runPath: string, step: number): Promise<RecordedStep> => {
    const path = join(runPath, "samples", `${stepName(step)}.parquet`);
    if (last?.path === path) return last.content;
    const content = explained(path, () => readStep(path, runPath, step, same));
    last = { path, content };
    // A failure is not kept: the file may be there the next time.
    return content.catch((error: unknown) => {
      if (last?.content === content) last = null;
      throw error;
    });
  };
  return {
    problems: async (runPath, step) => (await opened(runPath, step)).overviews,
    problem: async (runPath, step, index) => {
      const { file, columns, starts, overviews } = await opened(runPath, step);
      const known = overviews[index];
      if (known === undefined) return null;
      const rowStart = starts[index]!;
      const read = parquetReadObjects({ file, columns: [...columns], rowStart, rowEnd: starts[index + 1] ?? rowStart + known.samples });
      const rows = await explained(stepName(step), async () => (await read) as unknown as readonly SampleRow[]);
      return inspected(known, rows, same);
    },
  };
}

async function readStep(path: string, runPath: string, step: number, same: (one: string, other: string) => boolean): Promise<RecordedStep> {
  const bytes = await readFile(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const columns = new Set(parquetMetadata(file).schema.map(({ name }) => name).filter((name) => !["root", "list", "element"].includes(name)));
  const rows = (await parquetReadObjects({ file, columns: LISTED.filter((name) => columns.has(name)) })) as unknown as readonly GroupRow[];
  // A group's samples are numbered from 0: ids may come twice in a step.
  const starts = rows.flatMap(({ sample }, row) => (sample === 0 ? [row] : []));
  const before = await majoritiesBefore(runPath, step);
  const overviews = starts.map((start, index) => overview(index, rows.slice(start, starts[index + 1] ?? rows.length), before, same));
  return { file, columns, starts, overviews };
}

/** The majority answer of each problem at its last step before one. */
async function majoritiesBefore(runPath: string, step: number): Promise<ReadonlyMap<string, string | null>> {
  const lines = await readVotes(runPath);
  return new Map(lines.filter((line) => line.step < step).flatMap(({ votes }) => votes.map(([id, answer]) => [id, answer] as const)));
}

async function explained<T>(path: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (cause) {
    throw new RunDirectoryError(`The recording ${path} is gone or damaged; other steps can still be read.`, { cause });
  }
}
