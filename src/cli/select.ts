import { resolve } from "node:path";
import { Option } from "commander";
import type { Command } from "commander";
import { configKeys, resolveConfig } from "../config/index.ts";
import type { Settings } from "../config/index.ts";
import { readLabelRows, SELECTION_CRITERIA, selectLargest, selectRandom } from "../data/index.ts";
import type { LabelRow, PartlyLabelledProblem, SelectionCriterion } from "../data/index.ts";
import { DataError, UsageError } from "../errors.ts";
import { mean } from "../util/statistics.ts";
import { addConfigOptions, settingsOf } from "./config-options.ts";
import type { ConfigFlag } from "./config-options.ts";
import { hubFor } from "./download-progress.ts";
import { percent, table } from "./format.ts";
import { createOutput, jsonOption, writeJsonLines } from "./output.ts";
import { loadTrainingQuestions } from "./problems.ts";
import { warn } from "./terminal.ts";

interface SelectFlags {
  readonly keep: string;
  readonly by: SelectionCriterion;
  readonly out: string;
  readonly json?: boolean;
}

const NAMES: Readonly<Record<string, string>> = { seed: "seed", train: "data", "train-problems": "problems", "data-dir": "data-dir", "fields.id": "fields.id", "fields.prompt": "fields.prompt", "fields.answer": "fields.answer" };
const FLAGS: readonly ConfigFlag[] = configKeys.flatMap((key) => (NAMES[key.name] === undefined ? [] : [{ name: NAMES[key.name]!, key }]));

/** `selftrain select LABELS.jsonl --keep 1/3 --by majority-share --out FILE.jsonl`: the easiest questions, as training data. */
export function addSelectCommand(program: Command): void {
  const command = program
    .command("select")
    .description("Take the easiest questions of a label file as training data: those with the largest majority share or pass rate.")
    .usage("LABELS.jsonl --keep 1/3 [--by CRITERION] [--data D] --out FILE.jsonl [--json]")
    .argument("<LABELS.jsonl>", "labels that `selftrain label` has written")
    .requiredOption("--keep <part>", "how many questions: a fraction (1/3, 0.33) or a number of them")
    .addOption(new Option("--by <CRITERION>", "what is easy: a large majority share, a large pass rate (where answers were known), or nothing: a random part, the control").choices(SELECTION_CRITERIA).default("majority-share"))
    .requiredOption("--out <FILE.jsonl>", "file of the questions {id, problem, answer?}, easiest first")
    .addOption(jsonOption());
  addConfigOptions(command, FLAGS, "Seed of a random part, and questions whose text and answers are written instead of those of the label file:").action((file: string, flags: SelectFlags) =>
    selectFrom(file, flags, settingsOf(flags as unknown as Readonly<Record<string, unknown>>, FLAGS)),
  );
}

async function selectFrom(file: string, { keep, by, out, json }: SelectFlags, settings: Settings): Promise<void> {
  if (resolve(out) === resolve(file)) throw new UsageError(`--out ${out} is the file that is read; name another`);
  // The keys that a selection has no use for, so that none is missing.
  const given = new Map([["train", { value: "none", from: "select" }], ...settings, ["prompts-per-step", { value: 1, from: "select" }]]);
  const config = resolveConfig(given, "select");
  const { terminal, result } = createOutput(json === true);
  const rows = await readLabelRows(file);
  const kept = selectRows(rows, { count: countOf(keep, rows.length), by, seed: config.seed, file });
  const tools = { renderer: { encodePrompt: () => [] }, hub: hubFor(terminal), warn: (message: string) => warn(terminal, message) };
  const questions = settings.has("train") ? await loadTrainingQuestions(config, tools) : null;
  await writeJsonLines(out, questionsOf(kept, questions, file));
  const meanShare = { all: meanOf(rows, "share"), kept: meanOf(kept, "share") };
  const meanPassRate = { all: meanOf(rows, "passRate"), kept: meanOf(kept, "passRate") };
  const row = (name: "all" | "kept") => [name, ...[meanShare, meanPassRate].map(({ [name]: value }) => (value === null ? "unknown" : percent(value)))];
  for (const line of [`kept ${kept.length} of ${rows.length} questions by ${by}:`, ...table([["", "mean share", "mean pass rate"], row("all"), row("kept")])]) terminal.line(line);
  terminal.line(`The questions are in ${out}`);
  result({ problems: rows.length, kept: kept.length, meanShare, meanPassRate });
}

/** How many of `total` questions `1/3`, `0.33` or `100` are. Throws UsageError for what is no part of them. */
export function countOf(keep: string, total: number): number {
  const [, numerator, , denominator] = /^(\d+(\.\d+)?)(?:\/(\d+))?$/.exec(keep) ?? [];
  const value = Number(numerator) / Number(denominator ?? 1);
  const isFraction = keep.includes("/") || keep.includes(".");
  const count = isFraction ? Math.round(value * total) : value;
  if (!(count >= 1 && count <= total)) {
    throw new UsageError(`flag --keep: \`${keep}\` is no part of ${total} questions; expected a fraction such as 1/3 or 0.33, or a number of at most ${total}`);
  }
  return count;
}

/** The easiest rows, easiest first, or random ones. Throws DataError, naming the row, where a row lacks what they are ordered by. */
export function selectRows(rows: readonly LabelRow[], { count, by, seed, file }: { readonly count: number; readonly by: SelectionCriterion; readonly seed: number; readonly file: string }): readonly LabelRow[] {
  if (by === "random") return selectRandom(rows, count, seed);
  const [field, advice] = by === "majority-share" ? (["share", "take labels that `selftrain label` has written"] as const) : (["passRate", "label questions whose answers are known, or select by majority-share"] as const);
  const missing = rows.find((row) => row[field] === undefined);
  if (missing !== undefined) throw new DataError(`${file}: the row of \`${missing.id}\` has no \`${field}\`; ${advice}.`);
  return selectLargest(rows, count, (row) => row[field]!);
}

/** The questions of the rows: their text and answer in the data, or the text in the label file. */
function questionsOf(kept: readonly LabelRow[], questions: readonly PartlyLabelledProblem[] | null, file: string): readonly object[] {
  const known = new Map(questions?.map((question) => [question.id, question]));
  return kept.map(({ id, problem, template: labelTemplate }) => {
    if (questions === null) {
      if (problem === undefined) throw new DataError(`${file}: the row of \`${id}\` has no \`problem\`, the text of the question; name the questions with --data.`);
      return { id, problem, ...(labelTemplate !== undefined && { template: labelTemplate }) };
    }
    const question = known.get(id);
    if (question === undefined) throw new DataError(`the question \`${id}\` of ${file} is not among those of --data; name the data that was labelled (with its --problems and --seed, if it is a task).`);
    const { prompt, answer, paraphrase, template } = question;
    return { id, problem: prompt, ...(answer !== undefined && { answer }), ...(paraphrase !== undefined && { paraphrase }), ...(template !== undefined && { template }) };
  });
}

/** The mean of a field, or `null` where some row has none. */
function meanOf(rows: readonly LabelRow[], field: "share" | "passRate"): number | null {
  const values = rows.flatMap((row) => row[field] ?? []);
  return values.length < rows.length ? null : mean(values);
}
