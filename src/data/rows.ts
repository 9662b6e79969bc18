import { readFile } from "node:fs/promises";
import type { z } from "zod";
import { DataError } from "../errors.ts";
import { parseJsonLines } from "../util/jsonl.ts";
import type { JsonLine } from "../util/jsonl.ts";
import { systemReason } from "../util/system-error.ts";

/** One row of a data file: a JSON object, with the line it stands on (from 1). */
export interface Row {
  readonly line: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * The rows of a JSON Lines file; blank lines are skipped. Throws DataError naming the file, and the line
 * where one is bad: missing file, no rows, a line that is not JSON or not an object.
 */
export async function readRows(file: string): Promise<readonly Row[]> {
  const rows = parseJsonLines(await readText(file)).map((row) => toRow(row, file));
  if (rows.length === 0) throw new DataError(`${file} is empty; expected one JSON object per line.`);
  return rows;
}

/**
 * The rows of a JSON Lines file by a schema; `expected` says of each field what it must be. Throws DataError
 * as `readRows` does, for a row with a wrong field by its name, and for two rows with one id by both lines.
 */
export async function readRowsAs<T extends { readonly id: string }>(file: string, schema: z.ZodType<T>, expected: Readonly<Record<string, string>>): Promise<readonly T[]> {
  const lines = new Map<string, number>();
  return (await readRows(file)).map(({ fields, line }) => {
    const parsed = schema.safeParse(fields);
    if (!parsed.success) {
      const field = String(parsed.error.issues[0]!.path[0]);
      const found = fields[field] === undefined ? "missing" : "of another kind";
      throw new DataError(`${file}, line ${line}: the field \`${field}\` is ${found}; expected ${expected[field]!}.`);
    }
    const { id } = parsed.data;
    const earlier = lines.get(id);
    if (earlier !== undefined) throw new DataError(`${file}, lines ${earlier} and ${line} have the same id \`${id}\`; ids must be distinct.`);
    lines.set(id, line);
    return parsed.data;
  });
}

async function readText(file: string): Promise<string> {
  try {
    // A byte order mark is not part of the first row.
    return (await readFile(file, "utf8")).replace(/^\uFEFF/, "");
  } catch (error) {
    throw new DataError(`cannot read ${file}: ${systemReason(error) ?? String(error)}.`, { cause: error });
  }
}

function toRow(row: JsonLine, file: string): Row {
  const place = `${file}, line ${row.line}`;
  if (!row.ok) throw new DataError(`${place} is not valid JSON: ${row.problem}.`);
  if (typeof row.value !== "object" || row.value === null || Array.isArray(row.value)) {
    throw new DataError(`${place} is not a JSON object; expected fields and values in braces.`);
  }
  return { line: row.line, fields: row.value as Row["fields"] };
}
