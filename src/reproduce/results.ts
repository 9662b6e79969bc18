import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
import { ReproductionError } from "../errors.ts";
import { createGrader } from "../grading/index.ts";
import type { ProblemRate } from "../report/index.ts";
import type { AnswersLine, MetricsLine, SampleRow, StepMetrics } from "../run/index.ts";
import { stepName } from "../run/step-name.ts";
import type { AdaptedAnswer } from "../voting/index.ts";
import { parseJsonLines } from "../util/jsonl.ts";
import { mean } from "../util/statistics.ts";
import { systemReason } from "../util/system-error.ts";

/** What a run has left, as far as figures need it. */
export interface RunResult {
  readonly steps: readonly StepMetrics[];
  /** The answers behind each evaluation, by its step. */
  readonly answers: ReadonlyMap<number, AnswersLine>;
  /** Completions per held-out problem. */
  readonly k: number;
}

/** Reads the results of jobs in a folder, by their names. */
export interface Results {
  readonly run: (name: string) => Promise<RunResult>;
  /** One for each seed, `[seed]`. */
  readonly runs: (arm: string, seeds: readonly number[]) => Promise<readonly RunResult[]>;
  /** Completions that a run has recorded at a step. */
  readonly samples: (name: string, step: number) => Promise<readonly SampleRow[]>;
  readonly evaluation: (name: string) => Promise<readonly SampledProblem[]>;
  readonly adaptation: (name: string) => Promise<readonly AdaptedAnswer[]>;
}

/** Answers to a problem, and which of them are right. */
export interface SampledProblem {
  readonly id: string;
  readonly completions: readonly string[];
  readonly answers: readonly (string | null)[];
  readonly right: readonly boolean[];
}

/** Name of the run of an arm with a seed. */
export const runName = (arm: string, seed: number): string => `${arm}-seed-${seed}`;

export function openResults(out: string): Results {
  const path = (...names: readonly string[]): string => join(out, "runs", ...names);
  const run = (name: string): Promise<RunResult> => readRun(path(name));
  return {
    run,
    runs: (arm, seeds) => Promise.all(seeds.map((seed) => run(runName(arm, seed)))),
    samples: async (name, step) => {
      const bytes = await readBytes(path(name, "samples", `${stepName(step)}.parquet`));
      const file = new Uint8Array(bytes).buffer;
      return (await parquetReadObjects({ file })) as unknown as readonly SampleRow[];
    },
    evaluation: async (name) => {
      const grader = createGrader();
      const rows = await readLines<{ id: string; answer: string; completions: readonly string[] }>(path(name, "completions.jsonl"));
      return rows.map(({ id, answer, completions }) => {
        const answers = completions.map((completion) => grader.extract(completion));
        return { id, completions, answers, right: answers.map((found) => found !== null && grader.same(answer, found)) };
      });
    },
    adaptation: (name) => readLines<AdaptedAnswer>(path(name, "answers.jsonl")),
  };
}

async function readRun(folder: string): Promise<RunResult> {
  const lines = await readLines<MetricsLine>(join(folder, "metrics.jsonl"));
  const answers = await readLines<AnswersLine>(join(folder, "evaluations.jsonl"));
  return {
    steps: lines.flatMap((line) => (line.kind === "step" ? [line] : [])),
    answers: new Map(answers.flatMap((line) => (line.kind === "evaluation" ? [[line.step, line] as const] : []))),
    k: lines.flatMap((line) => (line.kind === "evaluation" ? [line.k] : []))[0] ?? 0,
  };
}

async function readBytes(file: string): Promise<Buffer> {
  return readFile(file).catch((error: unknown) => {
    throw new ReproductionError(`${file} cannot be read (${systemReason(error) ?? String(error)}), though its run is complete; delete the run, its file in \`done\`, and what was made from it, to have them run again.`, { cause: error });
  });
}

/** Throws ReproductionError for a file that is gone or has a line that is no JSON. */
async function readLines<Line>(file: string): Promise<readonly Line[]> {
  const text = (await readBytes(file)).toString("utf8");
  return parseJsonLines(text).map((row) => {
    if (row.ok) return row.value as Line;
    throw new ReproductionError(`${file}, line ${row.line} is no JSON; delete the run, its file in \`done\`, and what was made from it, to have them run again.`);
  });
}

/** Takes problems by their id. */
export type Chosen = (id: string) => boolean;
/** What is asked of the problems of an evaluation: how often an answer is right, or whether the vote is. */
export type Measure = "pass@1" | "maj@k";

/** Rates of the chosen problems at a step, in the order of the evaluation. */
export function ratesAt({ answers, k }: RunResult, step: number, chosen: Chosen, measure: Measure = "pass@1"): readonly ProblemRate[] {
  const problems = answers.get(step)?.problems.filter(([id]) => chosen(id)) ?? [];
  return problems.map(([id, right, , majorityRight]) => ({ id, rate: measure === "pass@1" ? right / k : majorityRight ? 1 : 0 }));
}

/** The mean over the chosen problems at each evaluated step, by step. */
export function curve(result: RunResult, chosen: Chosen, measure: Measure = "pass@1"): readonly { readonly x: number; readonly y: number }[] {
  return [...result.answers.keys()].sort((first, second) => first - second).map((x) => ({ x, y: mean(ratesAt(result, x, chosen, measure).map(({ rate }) => rate)) }));
}

/** A figure of each step, by step. */
export function stepCurve({ steps }: RunResult, value: (step: StepMetrics) => number | null): readonly { readonly x: number; readonly y: number }[] {
  return steps.flatMap((metrics) => {
    const y = value(metrics);
    return y === null ? [] : [{ x: metrics.step, y }];
  });
}

