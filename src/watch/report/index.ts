/** Reports of runs: one document on one or many, whatever they have come to. */
import type { Report, Section, Table } from "../../report/index.ts";
import { compareRuns } from "../compare.ts";
import type { EvaluationPoint, Interval } from "../protocol.ts";
import { chartOf } from "./charts.ts";
import type { ReportedRun } from "./runs.ts";

export { readRuns } from "./runs.ts";
export type { ReportedRun } from "./runs.ts";

/** A report on runs: a table of them, charts, what differs between them, and their complete configs and environments. */
export async function reportOf(runs: readonly ReportedRun[]): Promise<Report> {
  const several = runs.length > 1;
  return {
    title: several ? `${runs.length} training runs` : `Training run ${runs[0]!.name}`,
    intro: runs.map(({ name, overview }) => `${name}: ${overview.health.text}.${overview.note === null ? "" : ` ${overview.note}`}`),
    sections: [
      { id: "runs", title: "Runs", text: [], table: runsTable(runs), commands: [] },
      { id: "charts", title: "Charts", text: [], chart: chartOf(runs), commands: [] },
      ...(several ? [differences(runs), await paired(runs)] : []),
      ...runs.map(settings),
    ],
    environment: [],
  };
}

function runsTable(runs: readonly ReportedRun[]): Table {
  const validated = runs.some(({ evaluations }) => evaluations.validation.length > 0);
  const row = ({ name, overview, evaluations: { evaluation, validation }, column }: ReportedRun): readonly string[] => {
    const seconds = column("elapsed").at(-1);
    return [
      name, `${overview.state}, ${overview.step} of ${overview.steps}`, seconds === undefined ? "" : seconds.toFixed(0),
      passAt1(evaluation[0]), passAt1(best(evaluation)), passAt1(evaluation.at(-1)), majAtK(evaluation.at(-1)), ...(validated ? [passAt1(best(validation))] : []), overview.health.text,
    ];
  };
  return { head: ["run", "state and steps", "seconds", "first pass@1", "best pass@1", "last pass@1", "last maj@k", ...(validated ? ["best validation"] : []), "the alarm's verdict"], rows: runs.map(row) };
}

/** The first of those with the largest pass@1; `undefined` of none. */
const best = (points: readonly EvaluationPoint[]): EvaluationPoint | undefined => points.find(({ passAt1: rate }) => rate === Math.max(...points.map((point) => point.passAt1)));

const passAt1 = (point?: EvaluationPoint): string => (point === undefined ? "" : `${point.passAt1.toFixed(3)} ± ${point.standardError.toFixed(3)} (step ${point.step})`);
const majAtK = (point?: EvaluationPoint): string => (point === undefined ? "" : `${point.majAtK.toFixed(3)} ± ${point.majStandardError.toFixed(3)} (k = ${point.k})`);

function differences(runs: readonly ReportedRun[]): Section {
  const configs = runs.map(({ about }) => new Map(about.config));
  const keys = [...new Set(configs.flatMap((config) => [...config.keys()]))];
  const rows = keys.map((key) => [key, ...configs.map((config) => config.get(key) ?? "")]).filter(([, ...values]) => new Set(values).size > 1);
  const section = { id: "differences", title: "What differs between the configs", commands: [] };
  return rows.length === 0 ? { ...section, text: ["Nothing."] } : { ...section, text: [], table: { head: ["key", ...runs.map(({ name }) => name)], rows } };
}

/** Each other run against the first, at the last step at which both were evaluated on the same problems. */
async function paired([first, ...others]: readonly ReportedRun[]): Promise<Section> {
  const rows: (readonly string[])[] = [];
  for (const { name, watched } of others) {
    const { differences: all, reason } = await compareRuns(first!.watched, watched);
    const last = all.at(-1);
    rows.push(last === undefined ? [name, "", reason ?? "", ""] : [name, `${last.step} (${last.problems} problems)`, interval(last.passAt1), interval(last.majAtK)]);
  }
  const text = [`Each run minus ${first!.name}, on the same held-out problems, at the last step at which both were evaluated; 95 % intervals of a paired bootstrap over the problems.`];
  return { id: "paired", title: `Difference from ${first!.name}`, text, table: { head: ["run", "step", "pass@1", "maj@k"], rows }, commands: [] };
}

const interval = ({ difference, low, high }: Interval): string => `${difference.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;

function settings({ name, about }: ReportedRun, index: number): Section {
  const rows = [...about.config, ...about.environment.map(([key, value]) => [`environment: ${key}`, value] as const)];
  return { id: `settings-${index + 1}`, title: `Config and environment of ${name}`, text: [about.path], table: { head: ["key", "value"], rows }, commands: [], folded: true };
}
