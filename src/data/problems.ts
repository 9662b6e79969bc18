import { createHash } from "node:crypto";
import { DataError } from "../errors.ts";
import type { LabelledProblem, Problem } from "../types.ts";
import type { Fields } from "./presets.ts";
import { locate } from "./sources.ts";
import type { Located, OpenedSource, Places } from "./sources.ts";
import { readDataFile } from "./tables.ts";
import type { DataRow } from "./tables.ts";

export interface LoadOptions extends Places {
  /** Which field of a row holds what, in files and data sets of the hub; presets know their own. */
  readonly fields: Fields;
  /** Rows to take from the start; 0 takes all. */
  readonly limit: number;
  /** What the problems are for: it decides between the splits of a preset. */
  readonly role: "train" | "held-out";
  /** Is told what is odd, but no reason to stop. */
  readonly warn?: (message: string) => void;
  /** Is told where the rows come from. */
  readonly opened?: (source: OpenedSource) => void;
}

/**
 * The questions of a source (see `locate`), without their answers. A row without an id gets one from its
 * prompt's text, so that it stays the same wherever the row moves. Throws DataError: no rows or fewer than
 * `limit`, a row without a prompt, two rows with one id.
 */
export async function loadProblems(source: string, options: LoadOptions): Promise<readonly Problem[]> {
  return (await load(source, options)).map(({ problem }) => problem);
}

/**
 * As `loadProblems`, with the answers, and with what the fields `subject` and `level` hold. Throws DataError
 * also for a row without an answer.
 */
export async function loadLabelledProblems(source: string, options: LoadOptions): Promise<readonly LabelledProblem[]> {
  return (await load(source, options)).map((loaded) => {
    const { problem, row } = loaded;
    const { field, answer } = answerIn(loaded);
    if (answer === undefined) {
      throw new DataError(`${row.place} has no answer in the field \`${field}\`; evaluation and the ground-truth reward need one (\`fields.answer\` names the field).`);
    }
    const [subject, level] = [textOf(row.fields.subject), textOf(row.fields.level)];
    return { ...problem, answer, ...(subject === undefined ? {} : { subject }), ...(level === undefined ? {} : { level }) };
  });
}

/** As `loadProblems`, with the answers of the rows that have one. */
export async function loadPartlyLabelledProblems(source: string, options: LoadOptions): Promise<readonly PartlyLabelledProblem[]> {
  return (await load(source, options)).map((loaded) => {
    const { answer } = answerIn(loaded);
    return answer === undefined ? loaded.problem : { ...loaded.problem, answer };
  });
}

/** A question whose true answer may be known. */
export type PartlyLabelledProblem = Problem & { readonly answer?: string };

interface LoadedRow {
  readonly problem: Problem;
  readonly row: DataRow;
  readonly located: Located;
}

async function load(source: string, options: LoadOptions): Promise<readonly LoadedRow[]> {
  const located = await locate(source, options.role, options.fields, options);
  options.opened?.({ source, pinned: located.pinned, files: located.files });
  const rows = await rowsOf(located);
  const { limit } = options;
  if (limit > rows.length) throw new DataError(`${source} holds fewer rows (${rows.length}) than were asked for (${limit}).`);
  if (located.publishedRows !== null && rows.length !== located.publishedRows) {
    options.warn?.(`${located.files.join(", ")}: ${rows.length} rows, but \`${located.name}\` as published (${located.preset!.repository}) has ${located.publishedRows}.`);
  }
  const places = new Map<string, string>();
  return rows.slice(0, limit === 0 ? undefined : limit).map((row) => {
    const field = fieldFor("prompt", row, located);
    const prompt = textOf(row.fields[field]);
    if (prompt === undefined) throw promptMissing(row, field);
    const id = idOf(row, located) ?? freeId(prompt, places);
    const earlier = places.get(id);
    if (earlier !== undefined) throw new DataError(`${row.place} has the same id \`${id}\` as ${earlier}; ids must be distinct (\`fields.id\` names the field).`);
    places.set(id, row.place);
    const paraphrase = textOf(row.fields.paraphrase);
    const template = templateOf(row.fields.template) ?? located.preset?.template;
    const extras = { ...(paraphrase !== undefined && { paraphrase }), ...(template !== undefined && { template }) };
    return { problem: { id, prompt, source: located.name, ...extras }, row, located };
  });
}

/** Rows of all files, each with its file in its place. */
async function rowsOf({ files, preset }: Located): Promise<readonly DataRow[]> {
  const rows: DataRow[] = [];
  for (const file of files) {
    for (const { place, fields } of await readDataFile(file)) {
      if (preset?.keep?.(fields) !== false) rows.push({ place: `${file}, ${place}`, fields });
    }
  }
  return rows;
}

/** The name that a row has for what it holds: the first of those that its source may use. */
function fieldFor(what: keyof Fields, row: DataRow, { fields }: Located): string {
  const names = fields.map((each) => each[what]);
  return names.find((name) => row.fields[name] != null) ?? names[0]!;
}

function idOf(row: DataRow, located: Located): string | undefined {
  const id = textOf(row.fields[fieldFor("id", row, located)]);
  return id !== undefined && located.idPrefix !== null && /^\d+$/.test(id) ? `${located.idPrefix}#${id}` : id;
}

function promptMissing({ place, fields }: DataRow, field: string): DataError {
  const names = Object.keys(fields);
  const found = names.length === 0 ? "no fields" : names.map((name) => `\`${name}\``).join(", ");
  return new DataError(`${place} has no question in the field \`${field}\` (\`fields.prompt\` names the field); it has ${found}.`);
}

/** The question's own template, as `selftrain select` writes it; a field of this name that is none is somebody else's. */
function templateOf(value: unknown): string | undefined {
  return typeof value === "string" && value.includes("{problem}") ? value : undefined;
}

/** Numbers are accepted as text: ids and answers are often written so. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** The answer of a row, if it has one, and the field where it is looked for. */
function answerIn({ row, located }: LoadedRow): { readonly field: string; readonly answer: string | undefined } {
  const field = fieldFor("answer", row, located);
  return { field, answer: answerOf(row.fields[field], located.preset?.answerMark) };
}

/** Answers may be lists, as those of questions that ask for several values. */
function answerOf(value: unknown, mark: string | undefined): string | undefined {
  if (Array.isArray(value)) {
    const parts = value.map(textOf);
    return parts.length === 0 || parts.includes(undefined) ? undefined : parts.join(", ");
  }
  const text = textOf(value);
  if (text === undefined || mark === undefined || !text.includes(mark)) return text;
  return textOf(text.slice(text.lastIndexOf(mark) + mark.length).trim());
}

/** The id of a row that has none: a hash of its prompt, numbered when the same question comes again. */
function freeId(prompt: string, taken: ReadonlyMap<string, string>): string {
  const hash = createHash("sha256").update(prompt).digest("hex").slice(0, 16);
  for (let copy = 2, id = hash; ; id = `${hash}-${copy++}`) if (!taken.has(id)) return id;
}
