import { open, readFile } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { z } from "zod";
import { InterruptedError, RunDirectoryError } from "../errors.ts";
import type { Batches } from "../evaluate.ts";
import { explained } from "../run/explain.ts";
import { writeFileAtomically } from "../util/atomic-write.ts";
import { parseJsonLines } from "../util/jsonl.ts";
import { duration } from "./format.ts";
import { interruptible } from "./interrupt.ts";
import type { Terminal } from "./terminal.ts";

/** What work depends on, by the names that people know: it goes on only when all of it is the same. */
export type JournalSettings = Readonly<Record<string, string | number>>;

export interface JournalOptions<T> {
  /** JSON Lines: a row for each problem, in their order. */
  readonly file: string;
  /** Problems of the whole work. */
  readonly total: number;
  /** Problems of one batch: earlier work is kept in whole batches. */
  readonly batchSize: number;
  readonly toRow: (item: T) => object;
  /** What a row holds, or `null` when it is not that of the problem at this index. */
  readonly fromRow: (row: unknown, index: number) => T | null;
}

/** A file that grows batch by batch, so that work which is killed can go on. */
export interface Journal<T> {
  readonly total: number;
  readonly batchSize: number;
  /** What is there already, of whole batches. */
  readonly earlier: readonly T[];
  /** Returns when a batch is on the disk. */
  readonly append: (batch: readonly T[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Opens a journal, new or not; what a kill left after the last whole batch is cut off. Throws RunDirectoryError when the disk refuses. */
export async function openJournal<T>(options: JournalOptions<T>): Promise<Journal<T>> {
  const { file, total, batchSize, toRow } = options;
  const guarded = <R>(task: () => Promise<R>) => explained(`${file} could not be written`, "mend this and continue with --resume", task);
  const lines = (batch: readonly T[]): string => batch.map((item) => `${JSON.stringify(toRow(item))}\n`).join("");
  return guarded(async () => {
    const rows = await wholeRows(options);
    const earlier = rows.slice(0, rows.length === total ? total : rows.length - (rows.length % batchSize));
    await writeFileAtomically(file, lines(earlier));
    const handle = await open(file, "a");
    return {
      total,
      batchSize,
      earlier,
      append: (batch) =>
        guarded(async () => {
          await handle.appendFile(lines(batch));
          await handle.sync();
        }),
      close: () => handle.close(),
    };
  });
}

/** The rows up to the first that is not that of its problem. */
async function wholeRows<T>({ file, fromRow }: JournalOptions<T>): Promise<readonly T[]> {
  const content = await readFile(file, "utf8").catch(() => "");
  const rows: T[] = [];
  for (const line of parseJsonLines(content.slice(0, content.lastIndexOf("\n") + 1))) {
    const item = line.ok ? fromRow(line.value, rows.length) : null;
    if (item === null) break;
    rows.push(item);
  }
  return rows;
}

/** Writes the settings of new work. Throws the system's error. */
export async function writeSettings(file: string, settings: JournalSettings): Promise<void> {
  await writeFileAtomically(file, `${JSON.stringify(settings, null, 2)}\n`);
}

/** Throws RunDirectoryError unless the settings that earlier work began with are the same. */
export async function compareSettings(file: string, settings: JournalSettings): Promise<void> {
  const found = parseSettings(await readFile(file, "utf8"), file);
  for (const name of Object.keys({ ...found, ...settings })) {
    if (found[name] === settings[name]) continue;
    const [then, now] = [found, settings].map((values) => (values[name] === undefined ? "nothing" : `\`${values[name]}\``));
    throw new RunDirectoryError(`${file} says that this was begun with ${then!} for \`${name}\`, not ${now!}; continue it with the same settings, or name another place with --out.`);
  }
}

function parseSettings(text: string, file: string): JournalSettings {
  try {
    return z.record(z.string(), z.union([z.string(), z.number()])).parse(JSON.parse(text));
  } catch (cause) {
    throw new RunDirectoryError(`${file} is damaged, so this can't be continued; start it again in another place.`, { cause });
  }
}

/** How people are told of work in batches. */
export interface BatchWords {
  /** `evaluating`, `evaluated`. */
  readonly doing: string;
  readonly done: string;
  /** How to continue after an interruption. */
  readonly advice: string;
}

/**
 * Does the work that a journal lacks, saves every batch there, and shows how far it is. Ctrl-C ends it after its
 * batch. Throws InterruptedError then, and what the task throws.
 */
export async function runInBatches<T, R>(journal: Journal<T>, { doing, done, advice }: BatchWords, terminal: Terminal, task: (batches: Batches<T>) => Promise<R>): Promise<R> {
  const clock = (): number => performance.now() / 1000;
  const started = clock();
  const { earlier, total, batchSize: size } = journal;
  let count = earlier.length;
  if (count > 0) terminal.line(`resumed after ${count} of ${total} problems`);
  terminal.status(`${doing} ${total} problems …`);
  const saved = async (signal: AbortSignal, batch: readonly T[]): Promise<void> => {
    await journal.append(batch);
    count += batch.length;
    const left = ((clock() - started) / (count - earlier.length)) * (total - count);
    terminal.status(`${done} ${count} of ${total} problems, ${duration(left)} left`);
    if (signal.aborted && count < total) throw new InterruptedError(`interrupted after ${count} of ${total} problems, which are saved. ${advice}`);
  };
  return interruptible(terminal, clock, (signal) => task({ size, earlier, done: (batch) => saved(signal, batch) }));
}
