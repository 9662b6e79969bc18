import { createHash } from "node:crypto";
import { DataError } from "../errors.ts";
import type { LabelledProblem, Problem } from "../types.ts";
import { readRows } from "./rows.ts";
import type { Row } from "./rows.ts";

export interface LoadOptions {
  /** Which field of a row holds what. */
  readonly fields: { readonly id: string; readonly prompt: string; readonly answer: string };
  /** Rows to take from the start of the file; 0 takes all. */
  readonly limit: number;
}

/**
 * The questions of a JSON Lines file, without their answers. A row without an id gets one from its
 * prompt's text, so that it stays the same wherever the row moves. Throws DataError: a file without rows
 * or with fewer than `limit`, a row without a prompt, two rows with one id.
 */
export async function loadProblems(file: string, options: LoadOptions): Promise<readonly Problem[]> {
  return (await load(file, options)).map(({ problem }) => problem);
}

/** As `loadProblems`, with the answers. Throws DataError also for a row without one. */
export async function loadLabelledProblems(file: string, options: LoadOptions): Promise<readonly LabelledProblem[]> {
  return (await load(file, options)).map(({ problem, row }) => {
    const answer = textOf(row.fields[options.fields.answer]);
    if (answer === undefined) {
      throw new DataError(`${file}, line ${row.line} has no answer in the field \`${options.fields.answer}\`; evaluation and the ground-truth reward need one (\`fields.answer\` names the field).`);
    }
    return { ...problem, answer };
  });
}

/** Refuses held-out problems that are trained on: their scores would say nothing. Throws DataError with the first such id. */
export function assertDisjoint(training: readonly Problem[], heldOut: readonly Problem[]): void {
  const ids = new Map(training.map((problem) => [problem.id, problem]));
  for (const { id, source } of heldOut) {
    const trained = ids.get(id);
    if (trained !== undefined) {
      throw new DataError(`the held-out problem \`${id}\` of ${source} is also a training problem (${trained.source}); remove it from one of them.`);
    }
  }
}

async function load(file: string, { fields, limit }: LoadOptions): Promise<readonly { problem: Problem; row: Row }[]> {
  const rows = await readRows(file);
  if (limit > rows.length) throw new DataError(`${file} holds fewer rows (${rows.length}) than were asked for (${limit}).`);
  const lines = new Map<string, number>();
  return rows.slice(0, limit === 0 ? undefined : limit).map((row) => {
    const prompt = textOf(row.fields[fields.prompt]);
    if (prompt === undefined) {
      throw new DataError(`${file}, line ${row.line} has no question in the field \`${fields.prompt}\` (\`fields.prompt\` names the field); it has ${namesOf(row)}.`);
    }
    const id = textOf(row.fields[fields.id]) ?? idOf(prompt);
    const earlier = lines.get(id);
    if (earlier !== undefined) {
      throw new DataError(`${file}, lines ${earlier} and ${row.line} have the same id \`${id}\` (without an id, the same question); ids must be distinct.`);
    }
    lines.set(id, row.line);
    return { problem: { id, prompt, source: file }, row };
  });
}

/** Numbers are accepted as text: ids and answers are often written so. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

function idOf(prompt: string): string {
  return createHash("sha256").update(prompt).digest("hex").slice(0, 16);
}

function namesOf(row: Row): string {
  const names = Object.keys(row.fields);
  return names.length === 0 ? "no fields" : names.map((name) => `\`${name}\``).join(", ");
}
