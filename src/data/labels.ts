import { z } from "zod";
import { DataError } from "../errors.ts";
import type { Problem } from "../types.ts";
import { readRowsAs } from "./rows.ts";

/** A row of a label file: what a fixed model's vote, or anybody else, says of a problem. */
export interface LabelRow {
  readonly id: string;
  /** `null` where there is none. */
  readonly label: string | null;
  /** The question. */
  readonly problem?: string | undefined;
  /** The question's own template. */
  readonly template?: string | undefined;
  /** The majority's share of all samples. */
  readonly share?: number | undefined;
  /** Share of samples equal to the true answer. */
  readonly passRate?: number | undefined;
}

/** The label of a problem of a run, made before training. */
export type OfflineLabel = Pick<LabelRow, "label" | "share">;

const textOrNumber = z.union([z.string().min(1), z.number().transform(String)]);
const share = z.number().min(0).max(1).optional();
const rowSchema = z.object({ id: textOrNumber, label: textOrNumber.nullable(), problem: z.string().min(1).optional(), template: z.string().optional(), share, passRate: share });
const EXPECTED = {
  id: "text or a number",
  label: "text, a number, or null where there is none",
  problem: "text",
  template: "text",
  share: "a number from 0 to 1",
  passRate: "a number from 0 to 1",
} as const;

/**
 * The rows of a label file: JSON Lines with `id` and `label`, as `selftrain label` writes them; other fields are
 * ignored. Throws DataError naming line and field for a bad row, and both lines for two rows with one id.
 */
export async function readLabelRows(file: string): Promise<readonly LabelRow[]> {
  return readRowsAs(file, rowSchema, EXPECTED);
}

/**
 * The labels of a file for the problems of a run, by problem id; rows of other problems are left out, and problems may
 * be without a label. Throws DataError as `readLabelRows` does, for a label of another question under the same id, and
 * when no problem gets a label.
 */
export async function loadOfflineLabels(file: string, problems: readonly Problem[]): Promise<ReadonlyMap<string, OfflineLabel>> {
  const prompts = new Map(problems.map(({ id, prompt }) => [id, prompt]));
  const rows = (await readLabelRows(file)).filter(({ id }) => prompts.has(id));
  const other = rows.find(({ id, problem }) => problem !== undefined && problem !== prompts.get(id));
  if (other !== undefined) throw new DataError(`${file} has a label for the id \`${other.id}\`, but of another question than the training problem of that id; label the questions of this run.`);
  if (!rows.some(({ label }) => label !== null)) {
    throw new DataError(`${file} has a label for none of the ${problems.length} training problems (the first has the id \`${problems[0]?.id ?? ""}\`); label the same questions, or name their file.`);
  }
  return new Map(rows.map(({ id, label, share }) => [id, { label, share }]));
}
