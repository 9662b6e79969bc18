import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import type { FileMetaData } from "hyparquet";
import { createGrader } from "../grading/index.ts";
import { stepName } from "../run/index.ts";
import type { SampleRow } from "../run/index.ts";
import { answerClasses, completionOf, OPENED } from "./inspect.ts";
import type { OpenedRow } from "./inspect.ts";
import type { InspectedProblem, ProblemOverview } from "./protocol.ts";
import { Refusal } from "./refusal.ts";
import type { WatchedRun } from "./run.ts";

/** Characters of a question in a list. */
const BEGINNING = 200;

const LISTED = ["problem", "prompt", "sample", "answer", "class", "pseudoLabel", "status", "truth"] as const;

/** The row of a recording in a list; `truth` is missing in those of earlier versions. */
type ListedRow = Pick<SampleRow, (typeof LISTED)[number]>;

/** Reads the recorded steps of runs, and keeps the one that was read last. */
export interface RecordingReader {
  /** The problems of a step, in its order. Throws Refusal where there is no recording of it, or a damaged one. */
  readonly problems: (run: WatchedRun, step: number) => Promise<readonly ProblemOverview[]>;
  /** One of them with all that was sampled. Throws Refusal likewise, and where there is no such problem. */
  readonly open: (run: WatchedRun, step: number, index: number) => Promise<InspectedProblem>;
}

interface Recording {
  readonly key: string;
  readonly file: ArrayBuffer;
  readonly metadata: FileMetaData;
  readonly groups: readonly RowsOfProblem[];
}

/** The samples of one problem: rows of the file from `start` up to, not including, `end`. */
interface RowsOfProblem {
  readonly start: number;
  readonly end: number;
  readonly rows: readonly ListedRow[];
}

export function createRecordingReader(): RecordingReader {
  let newest: Promise<Recording> | null = null;
  let newestKey = "";
  const recordingOf = async (run: WatchedRun, step: number): Promise<Recording> => {
    const path = join(run.path, "samples", `${stepName(step)}.parquet`);
    const found = await stat(path, { bigint: true }).catch(() => null);
    if (found === null) throw new Refusal(404, `The samples of step ${step} are not recorded in ${run.path}.`);
    const key = `${path}:${found.ino}:${found.mtimeNs}:${found.size}`;
    if (newest === null || key !== newestKey) {
      newestKey = key;
      newest = readRecording(path, key);
      // A failure is told to who asked, and not kept.
      newest.catch(() => (newest = null));
    }
    return newest;
  };
  const { same } = createGrader();
  return {
    problems: async (run, step) => {
      const { groups } = await recordingOf(run, step);
      const flips = run.flipsAt(step);
      return groups.map(({ rows }, index) => {
        const overview = overviewOf(rows, index, flips?.length === groups.length ? flips[index]! : null, same);
        return { ...overview, prompt: overview.prompt.slice(0, BEGINNING) };
      });
    },
    open: async (run, step, index) => {
      const { file, metadata, groups } = await recordingOf(run, step);
      const group = groups[index];
      if (group === undefined) throw new Refusal(404, `Step ${step} has ${groups.length} problems; there is none of number ${index}.`);
      const flips = run.flipsAt(step);
      const overview = overviewOf(group.rows, index, flips?.length === groups.length ? flips[index]! : null, same);
      const rows = await readRows(file, metadata, OPENED, { rowStart: group.start, rowEnd: group.end });
      const opened = rows as unknown as readonly OpenedRow[];
      return { ...overview, groups: answerClasses(opened, overview.truth, same), completions: opened.map(completionOf) };
    },
  };
}

async function readRecording(path: string, key: string): Promise<Recording> {
  try {
    const bytes = await readFile(path);
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    const metadata = await parquetMetadataAsync(file);
    const rows = (await readRows(file, metadata, LISTED, {})) as unknown as readonly ListedRow[];
    return { key, file, metadata, groups: byProblem(rows) };
  } catch (error) {
    throw new Refusal(422, `${path} can't be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** Those of the columns that the file has, as objects, one for each row; the others are `null`. */
async function readRows(file: ArrayBuffer, metadata: FileMetaData, names: readonly string[], range: { readonly rowStart?: number; readonly rowEnd?: number }): Promise<readonly Record<string, unknown>[]> {
  // A name of the schema may also be that of a list's inner levels, `list` and `element`, which no column has.
  const present = new Set(metadata.schema.map(({ name }) => name));
  const columns = names.filter((name) => present.has(name));
  const missing = Object.fromEntries(names.filter((name) => !present.has(name)).map((name) => [name, null]));
  const rows = await parquetReadObjects({ file, metadata, columns, useOffsetIndex: true, ...range });
  return rows.map((row) => ({ ...missing, ...row }));
}

/** Each problem's samples are numbered from 0 and lie together. */
function byProblem(rows: readonly ListedRow[]): readonly RowsOfProblem[] {
  const starts = rows.flatMap(({ sample }, index) => (sample === 0 ? [index] : []));
  return starts.map((start, number) => {
    const end = starts[number + 1] ?? rows.length;
    return { start, end, rows: rows.slice(start, end) };
  });
}

function overviewOf(rows: readonly ListedRow[], index: number, flipped: boolean | null, same: (gold: string, prediction: string) => boolean): ProblemOverview {
  const { problem, prompt, pseudoLabel, truth, status } = rows[0]!;
  const sizes: number[] = [];
  for (const row of rows) if (row.class !== null) sizes[row.class] = (sizes[row.class] ?? 0) + 1;
  const majority = mostFrequent(rows.filter((row) => row.class === 0).map(({ answer }) => answer!));
  return {
    index,
    id: problem,
    prompt,
    pseudoLabel,
    truth,
    majorityCorrect: truth === null || majority === null ? null : same(truth, majority),
    shareOfAll: (sizes[0] ?? 0) / rows.length,
    classes: sizes.length,
    tied: sizes.length > 1 && sizes[1] === sizes[0],
    flipped,
    samples: rows.length,
    abstentions: rows.filter((row) => row.class === null).length,
    status,
  };
}

/** The most frequent of some answers, the earliest on a tie; `null` of none. */
function mostFrequent(answers: readonly string[]): string | null {
  const counts = new Map<string, number>();
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  return [...counts].sort(([, first], [, second]) => second - first)[0]?.[0] ?? null;
}
