import { pairedDifference } from "../report/index.ts";
import type { ProblemRate } from "../report/index.ts";
import { readEvaluations } from "../run/index.ts";
import type { AnswersLine } from "../run/index.ts";
import { createRandom, deriveSeed } from "../util/random.ts";
import type { Comparison, Interval, PairedFigure, RunAbout } from "./protocol.ts";

/** A run as a side of a comparison. */
export interface ComparedRun {
  readonly path: string;
  readonly config: RunAbout["config"];
}

/** Evaluations that are compared at most, and resamples of each bootstrap: an answer should come at once. */
const EVALUATIONS = 20;
const RESAMPLES = 1000;

/** How two runs differ: in their configs, and in their answers to the same held-out problems (second minus first). */
export async function compareRuns(first: ComparedRun, second: ComparedRun): Promise<Comparison> {
  const [before, after] = await Promise.all([evaluationsOf(first.path), evaluationsOf(second.path)]);
  const common = [...before.keys()].filter((step) => after.has(step)).sort((one, other) => one - other);
  const pairs = common.filter((step) => sameProblems(before.get(step)!, after.get(step)!));
  return {
    config: configDifferences(first.config, second.config),
    differences: spread(pairs, EVALUATIONS).map((step) => pairedFigure(step, { problems: before.get(step)!, samples: samplesOf(first) }, { problems: after.get(step)!, samples: samplesOf(second) })),
    reason: pairs.length > 0 ? null : reasonOf(before.size, after.size, common.length),
  };
}

function reasonOf(first: number, second: number, common: number): string {
  if (first === 0 || second === 0) return `the ${first === 0 ? "first" : "second"} run has no evaluations.jsonl, so its answers to the single problems are not known`;
  return common === 0 ? "the runs were not evaluated at a common step" : "the runs were evaluated on different held-out problems";
}

/** The evaluations on held-out problems by step; of two lines for a step the last one counts. */
async function evaluationsOf(path: string): Promise<ReadonlyMap<number, AnswersLine["problems"]>> {
  const lines = await readEvaluations(path);
  return new Map(lines.filter(({ kind }) => kind === "evaluation").map(({ step, problems }) => [step, problems]));
}

function sameProblems(first: AnswersLine["problems"], second: AnswersLine["problems"]): boolean {
  const ids = new Set(first.map(([id]) => id));
  return first.length > 0 && ids.size === first.length && first.length === second.length && second.every(([id]) => ids.has(id));
}

/** How each problem of an evaluation was answered, and with how many samples. */
interface Answered {
  readonly problems: AnswersLine["problems"];
  readonly samples: number;
}

const samplesOf = ({ config }: ComparedRun): number => Number(new Map(config).get("evaluate-samples"));

function pairedFigure(step: number, first: Answered, second: Answered): PairedFigure {
  const passRates = ({ problems, samples }: Answered) => problems.map(([id, right]) => ({ id, rate: right / samples }));
  const majorityRates = ({ problems }: Answered) => problems.map(([id, , , majorityRight]) => ({ id, rate: majorityRight ? 1 : 0 }));
  return {
    step,
    problems: first.problems.length,
    passAt1: difference(passRates(second), passRates(first), step),
    majAtK: difference(majorityRates(second), majorityRates(first), step),
  };
}

function difference(second: readonly ProblemRate[], first: readonly ProblemRate[], step: number): Interval {
  return pairedDifference([second], [first], { random: createRandom(deriveSeed(0, "compare", step)), resamples: RESAMPLES });
}

/** At most `count` of the values, evenly spread, the first and the last among them. */
function spread(values: readonly number[], count: number): readonly number[] {
  if (values.length <= count) return values;
  return Array.from({ length: count }, (_, index) => values[Math.round((index * (values.length - 1)) / (count - 1))]!);
}

/** Every key of two configs in the order of the first, and whether they differ in it. */
export function configDifferences(first: RunAbout["config"], second: RunAbout["config"]): Comparison["config"] {
  const [one, other] = [new Map(first), new Map(second)];
  return [...new Set([...one.keys(), ...other.keys()])].map((key) => {
    const [left, right] = [one.get(key) ?? null, other.get(key) ?? null];
    return { key, first: left, second: right, differs: left !== right };
  });
}
