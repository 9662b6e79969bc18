import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { SchemaElement } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { createTokenEnds } from "../render/token-ends.ts";
import type { TokenEnds } from "../render/token-ends.ts";
import type { Group, Renderer, StepReport } from "../types.ts";
import { writeFileAtomically } from "../util/atomic-write.ts";
import type { RunDirectory } from "./directory.ts";
import { mean, sum } from "../util/statistics.ts";
import { explained, resumeAdvice } from "./explain.ts";
import { stepName, stepOfName } from "./step-name.ts";

/** One completion as a row of samples/step-000010.parquet. */
export interface SampleRow {
  readonly step: number;
  /** Id of the problem. */
  readonly problem: string;
  readonly prompt: string;
  /** Index of the sample in its group. */
  readonly sample: number;
  readonly text: string;
  /** The final answer as written; `null` when the sample abstained. */
  readonly answer: string | null;
  /** Rank of its answer class, 0 for the majority's; `null` when the sample abstained. */
  readonly class: number | null;
  readonly pseudoLabel: string | null;
  readonly status: string;
  readonly reward: number;
  /** Mean advantage of its tokens. */
  readonly advantage: number;
  /** KL estimate against the reference, in nats. */
  readonly kl: number;
  readonly stopReason: string;
  readonly tokens: readonly number[];
  readonly logprobs: readonly number[];
  /** The true answer, where it is known. Training never sees it. */
  readonly truth: string | null;
  /** Where in `text` each token ends, in UTF-16 units. */
  readonly tokenEnds: readonly number[];
}

/** What a recording says besides the report of its step. */
export interface RecordingContext {
  readonly decode: Renderer["decode"];
  /** True answers by id, where they are known. */
  readonly truth?: ReadonlyMap<string, string>;
}

type Column = keyof SampleRow;
const text = { type: "BYTE_ARRAY", converted_type: "UTF8" } as const;
const COLUMNS: Readonly<Record<Column, readonly SchemaElement[]>> = {
  step: leaf("step", { type: "INT32" }),
  problem: leaf("problem", text),
  prompt: leaf("prompt", text),
  sample: leaf("sample", { type: "INT32" }),
  text: leaf("text", text),
  answer: leaf("answer", text, "OPTIONAL"),
  class: leaf("class", { type: "INT32" }, "OPTIONAL"),
  pseudoLabel: leaf("pseudoLabel", text, "OPTIONAL"),
  status: leaf("status", text),
  reward: leaf("reward", { type: "DOUBLE" }),
  advantage: leaf("advantage", { type: "DOUBLE" }),
  kl: leaf("kl", { type: "DOUBLE" }),
  stopReason: leaf("stopReason", text),
  tokens: list("tokens", { type: "INT32" }),
  logprobs: list("logprobs", { type: "FLOAT" }),
  truth: leaf("truth", text, "OPTIONAL"),
  tokenEnds: list("tokenEnds", { type: "INT32" }),
};

/** Rows that are read together: a reader of one problem decodes no more of them. */
const ROW_GROUP = 256;

/** Writes all completions of a step. Throws RunDirectoryError when the disk refuses. */
export async function recordSamples(run: RunDirectory, report: StepReport, context: RecordingContext): Promise<void> {
  const path = join(run.path, "samples", `${stepName(report.step)}.parquet`);
  const tokenEnds = createTokenEnds(context.decode);
  const rows = report.groups_P.flatMap((group) => rowsOf(report.step, group, context.truth?.get(group.problem.id) ?? null, tokenEnds));
  const names = Object.keys(COLUMNS) as Column[];
  const bytes = parquetWriteBuffer({
    columnData: names.map((name) => ({ name, data: rows.map((row) => row[name]) })),
    schema: [{ name: "root", num_children: names.length }, ...Object.values(COLUMNS).flat()],
    rowGroupSize: ROW_GROUP,
  });
  await explained(`${path} could not be written`, resumeAdvice(run.path), () => writeFileAtomically(path, new Uint8Array(bytes)));
}

/** Removes the recordings of all steps after one. Throws RunDirectoryError when the disk refuses. */
export async function rewindSamples(run: RunDirectory, step: number): Promise<void> {
  const folder = join(run.path, "samples");
  await explained(`${folder} could not be cleared after step ${step}`, resumeAdvice(run.path), async () => {
    const later = (await readdir(folder)).filter((name) => (stepOfName(name, ".parquet") ?? 0) > step);
    await Promise.all(later.map((name) => rm(join(folder, name))));
  });
}

function rowsOf(step: number, group: Group, truth: string | null, tokenEnds: TokenEnds): readonly SampleRow[] {
  const classes = new Map(group.vote.classes.flatMap(({ members }, rank) => members.map((index) => [index, rank])));
  return group.samples_G.map((sample, index) => ({
    step,
    problem: group.problem.id,
    prompt: group.problem.prompt,
    sample: index,
    text: sample.text,
    answer: sample.answer,
    class: classes.get(index) ?? null,
    pseudoLabel: group.reward.label,
    status: group.status,
    reward: group.reward.rewards_G[index]!,
    advantage: mean(group.advantages_G_T[index]!),
    kl: sum(group.kl_G_T[index]!),
    stopReason: sample.stopReason,
    tokens: sample.tokens,
    // The writer takes lists as plain arrays only.
    logprobs: Array.from(sample.logprobs),
    truth,
    tokenEnds: tokenEnds(sample.tokens, sample.text),
  }));
}

type Leaf = Pick<SchemaElement, "type" | "converted_type">;

function leaf(name: string, type: Leaf, repetition_type: "REQUIRED" | "OPTIONAL" = "REQUIRED"): readonly SchemaElement[] {
  return [{ name, ...type, repetition_type }];
}

/** The three levels of a list of required elements (parquet-format, LogicalTypes.md). */
function list(name: string, type: Leaf): readonly SchemaElement[] {
  return [
    { name, converted_type: "LIST", repetition_type: "REQUIRED", num_children: 1 },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
    ...leaf("element", type),
  ];
}
