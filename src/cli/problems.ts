import type { Config } from "../config.ts";
import { loadLabelledProblems, loadProblems } from "../data/index.ts";
import { loadTask } from "../tasks/index.ts";
import type { Split } from "../tasks/index.ts";
import type { LabelledProblem, Problem } from "../types.ts";

/** The questions of a run. */
export interface RunProblems {
  /** Without answers, whatever the data holds. */
  readonly training: readonly Problem[];
  readonly heldOut: readonly LabelledProblem[];
  /** True answers of the training questions by id; `null` unless the reward is the ground truth. */
  readonly labels: ReadonlyMap<string, string> | null;
}

/** The questions that a config names. Throws UsageError and DataError as the loaders do. */
export async function loadRunProblems(config: Config): Promise<RunProblems> {
  const { training, labels } = await trainingProblems(config);
  return { training, heldOut: await labelled(config, config.heldOut, "held-out", config.heldOutProblems), labels };
}

async function trainingProblems(config: Config): Promise<Pick<RunProblems, "training" | "labels">> {
  const needsLabels = config.reward === "ground-truth";
  if (!needsLabels && !isTask(config.train)) {
    return { training: await loadProblems(config.train, { fields: config.fields, limit: config.trainProblems }), labels: null };
  }
  const problems = await labelled(config, config.train, "train", config.trainProblems);
  return {
    training: problems.map(({ id, prompt, source }) => ({ id, prompt, source })),
    labels: needsLabels ? new Map(problems.map(({ id, answer }) => [id, answer])) : null,
  };
}

async function labelled({ fields, seed }: Config, spec: string, split: Split, count: number): Promise<readonly LabelledProblem[]> {
  return isTask(spec) ? loadTask(spec, { split, problems: count, seed }) : await loadLabelledProblems(spec, { fields, limit: count });
}

function isTask(spec: string): boolean {
  return spec.startsWith("task:");
}
