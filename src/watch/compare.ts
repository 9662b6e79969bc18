import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { z } from "zod";
import { pairedDifference } from "../report/index.ts";
import type { ProblemRate } from "../report/index.ts";
import { parseJsonLines } from "../util/jsonl.ts";
import { createRandom, deriveSeed } from "../util/random.ts";
import type { Comparison, PairedFigure } from "./protocol.ts";
import type { WatchedRun } from "./run.ts";
import { writtenValue } from "./written-value.ts";

/** Steps at which two runs are compared, at most, beside the last. */
const MAX_STEPS = 20;
const RESAMPLES = 1000;

const answersSchema = z.object({
  kind: z.enum(["evaluation", "validation"]),
  step: z.int().nonnegative(),
  problems: z.array(z.tuple([z.string(), z.int(), z.string().nullable(), z.boolean()])),
});
type Answers = z.infer<typeof answersSchema>["problems"];

/** Two runs beside each other. Reads their evaluations.jsonl; what is missing or damaged there is said as the reason. */
export async function compareRuns(first: WatchedRun, second: WatchedRun): Promise<Comparison> {
  return { config: configDifferences(first, second), ...(await pairedFigures(first, second)) };
}

function configDifferences(first: WatchedRun, second: WatchedRun): Comparison["config"] {
  const [one, other] = [first, second].map((run) => new Map([...run.config()].map(([key, value]) => [key, writtenValue(value)])));
  return [...new Set([...one!.keys(), ...other!.keys()])].map((key) => {
    const [value, another] = [one!.get(key) ?? null, other!.get(key) ?? null];
    return { key, first: value, second: another, differs: value !== another };
  });
}

async function pairedFigures(first: WatchedRun, second: WatchedRun): Promise<Pick<Comparison, "differences" | "reason">> {
  const because = (reason: string) => ({ differences: [], reason });
  for (const { path } of [first, second]) {
    if (!existsSync(path)) return because(`${path} is no longer there.`);
  }
  const [one, other] = await Promise.all([first, second].map(answersByStep));
  for (const [run, answers] of [[first, one!], [second, other!]] as const) {
    if (answers.size === 0) return because(`${run.path} has no answers of evaluations (evaluations.jsonl), which a paired comparison needs.`);
  }
  const common = [...one!.keys()].filter((step) => other!.has(step)).sort((a, b) => a - b);
  if (common.length === 0) return because("The runs were not evaluated at the same steps.");
  const comparable = common.filter((step) => sameProblems(one!.get(step)!, other!.get(step)!));
  if (comparable.length === 0) return because("The runs were not evaluated on the same held-out problems.");
  const differences: PairedFigure[] = [];
  for (const step of spread(comparable)) {
    differences.push(pairedFigure(step, { answers: one!.get(step)!, k: samplesAt(first, step) }, { answers: other!.get(step)!, k: samplesAt(second, step) }));
    // A bootstrap takes a while, in which others want to be answered.
    await setImmediate();
  }
  return { differences, reason: null };
}

interface Evaluated {
  readonly answers: Answers;
  /** Samples of each problem. */
  readonly k: number;
}

function pairedFigure(step: number, first: Evaluated, second: Evaluated): PairedFigure {
  const difference = (name: string, rates: (evaluated: Evaluated) => readonly ProblemRate[]) =>
    pairedDifference([rates(second)], [rates(first)], { random: createRandom(deriveSeed(0, "compare", name, step)), resamples: RESAMPLES });
  return {
    step,
    problems: first.answers.length,
    passAt1: difference("pass@1", ({ answers, k }) => answers.map(([id, right]) => ({ id, rate: right / k }))),
    majAtK: difference("maj@k", ({ answers }) => answers.map(([id, , , right]) => ({ id, rate: Number(right) }))),
  };
}

/** The answers line doesn't say how many samples there were; the figures of the same evaluation do. */
function samplesAt(run: WatchedRun, step: number): number {
  return run.evaluations().find((point) => point.kind === "evaluation" && point.step === step)!.k;
}

/** By step, those whose figures are in the metrics too; of two lines for a step the last counts. */
async function answersByStep(run: WatchedRun): Promise<ReadonlyMap<number, Answers>> {
  const text = await readFile(join(run.path, "evaluations.jsonl"), "utf8").catch(() => "");
  const measured = new Set(run.evaluations().flatMap(({ kind, step }) => (kind === "evaluation" ? [step] : [])));
  const answers = new Map<number, Answers>();
  for (const row of parseJsonLines(text.slice(0, text.lastIndexOf("\n") + 1))) {
    const line = row.ok ? answersSchema.safeParse(row.value) : null;
    if (line?.success !== true) break;
    const { kind, step, problems } = line.data;
    if (kind === "evaluation" && measured.has(step)) answers.set(step, problems);
  }
  return answers;
}

function sameProblems(first: Answers, second: Answers): boolean {
  const ids = new Set(first.map(([id]) => id));
  return ids.size === first.length && first.length === second.length && first.length > 0 && new Set(second.map(([id]) => id)).size === second.length && second.every(([id]) => ids.has(id));
}

/** At most so many steps, evenly spread, and the last. */
function spread(steps: readonly number[]): readonly number[] {
  const stride = Math.ceil(steps.length / MAX_STEPS);
  return steps.filter((_, index) => index % stride === 0 || index === steps.length - 1);
}
