import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { parse } from "csv-parse/sync";
import { parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { DataError } from "../errors.ts";
import { systemReason } from "../util/system-error.ts";
import { readRows } from "./rows.ts";

/** The endings of data files that can be read, in the order in which they are looked for. */
export const DATA_ENDINGS = [".jsonl", ".parquet", ".csv"] as const;

/** One row of a data file of any kind, with the place that people find it at: `line 3`, `row 3`. */
export interface DataRow {
  readonly place: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * The rows of a .jsonl, .csv (RFC 4180, with a header) or .parquet file. Rows of the latter two are counted
 * from 1, without the header. Throws DataError naming the file: missing, empty, of another kind or damaged.
 */
export async function readDataFile(file: string): Promise<readonly DataRow[]> {
  const rows = await readerOf(file)(file);
  if (rows.length === 0) throw new DataError(`${file} has no rows.`);
  return rows;
}

function readerOf(file: string): (file: string) => Promise<readonly DataRow[]> {
  switch (extname(file).toLowerCase()) {
    case ".jsonl":
      return async () => (await readRows(file)).map(({ line, fields }) => ({ place: `line ${line}`, fields }));
    case ".csv":
      return readCsv;
    case ".parquet":
      return readParquet;
    default:
      throw new DataError(`${file} is of no kind that can be read; expected a name that ends in ${DATA_ENDINGS.join(", ")}.`);
  }
}

async function readCsv(file: string): Promise<readonly DataRow[]> {
  const bytes = await readBytes(file);
  try {
    return numbered(parse<DataRow["fields"]>(bytes, { columns: true, bom: true, skip_empty_lines: true, record_delimiter: ["\r\n", "\n", "\r"] }));
  } catch (error) {
    throw damaged(file, "CSV", error);
  }
}

async function readParquet(file: string): Promise<readonly DataRow[]> {
  const { buffer, byteOffset, byteLength } = await readBytes(file);
  const content = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
  try {
    return numbered(await parquetReadObjects({ file: content, compressors }));
  } catch (error) {
    throw damaged(file, "Parquet", error);
  }
}

function damaged(file: string, kind: string, cause: unknown): DataError {
  return new DataError(`${file} is not valid ${kind}: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
}

function numbered(rows: readonly DataRow["fields"][]): readonly DataRow[] {
  return rows.map((fields, index) => ({ place: `row ${index + 1}`, fields }));
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new DataError(`cannot read ${file}: ${systemReason(error) ?? String(error)}.`, { cause: error });
  }
}
