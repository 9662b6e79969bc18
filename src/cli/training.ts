import { resolve } from "node:path";
import { performance } from "node:perf_hooks";
import type { Config } from "../config.ts";
import { loadOfflineLabels } from "../data/index.ts";
import { InterruptedError } from "../errors.ts";
import { createGrader, RULES_OF_READING } from "../grading/index.ts";
import { loadRenderer } from "../render/index.ts";
import { rewardOf } from "../rewards.ts";
import type { Inputs, RunDirectory } from "../run/index.ts";
import { checkProblems, train } from "../train.ts";
import type { TrainObserver, TrainOptions, TrainResult } from "../train.ts";
import { hubFor } from "./download-progress.ts";
import { createPolicy } from "./engine.ts";
import { interruptible } from "./interrupt.ts";
import { localModel, weightFiles } from "./model.ts";
import type { LocalModel } from "./model.ts";
import type { Output } from "./output.ts";
import { loadRunProblems } from "./problems.ts";
import type { RunProblems } from "./problems.ts";
import { createProgress } from "./progress.ts";
import { settledConfig } from "./settled-config.ts";
import { comparison, examples } from "./summary.ts";
import type { EvaluationAt } from "./summary.ts";
import { warn } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Runs a config in the directory that `openRun` gives, shows it, and prints what came of it. Everything
 * that can be wrong with data and model is found before `openRun` is called; the config that it gets is
 * settled, so that resuming and reading the run find the same model and data from any folder. Throws
 * InterruptedError when Ctrl-C stopped it, with the state saved.
 */
export async function runTraining(given: Config, openRun: (config: Config, inputs: Inputs<string>) => Promise<RunDirectory>, output: Output, command = TRAIN): Promise<void> {
  output.terminal.status("loading the model …");
  try {
    const hub = hubFor(output.terminal);
    const model = await localModel(given.model, hub, { weights: given.engine.kind === "onnx" });
    const renderer = await loadRenderer(model.folder, given);
    // People are told of files under the names that they gave; the run knows them as settled.
    const problems = await loadRunProblems(given, { renderer, hub, warn: (message) => warn(output.terminal, message) });
    const policy = await createPolicy({ ...given, model: model.name }, model.folder, (message) => warn(output.terminal, message));
    try {
      checkProblems({ config: given, policy, renderer, problems: problems.training, stages: problems.stages, heldOut: problems.heldOut, validation: problems.validation, probe: problems.probe });
      const config = settledConfig(given, { model: model.name, sources: problems.sources, problems: [...problems.training, ...problems.heldOut, ...problems.validation, ...problems.probe] });
      const grader = createGrader({ rules: RULES_OF_READING[config.answers] });
      const votes = given.labels === "" ? null : await loadOfflineLabels(given.labels, problems.training);
      const parts = { config, policy, renderer, grader, rewardOf: rewardOf(config, { truth: problems.truth, votes }, grader.same) };
      const run = await openRun(config, await inputsOf(model, problems, config));
      try {
        await trainAndFinish({ ...parts, run }, problems, output, command);
      } finally {
        await run.close();
      }
    } finally {
      await policy.close();
    }
  } finally {
    output.terminal.status("");
  }
}

async function inputsOf({ name, folder }: LocalModel, { sources }: RunProblems, { labels }: Config): Promise<Inputs<string>> {
  const data = sources.map(({ pinned, files }) => ({ name: pinned, files }));
  return { model: { name, files: await weightFiles(folder) }, data: labels === "" ? data : [...data, { name: labels, files: [labels] }] };
}

type Parts = Omit<TrainOptions, "problems" | "stages" | "heldOut" | "truth" | "observer" | "signal" | "clock">;

/** A run that is complete. */
export interface Trained extends Parts {
  readonly outcome: TrainResult;
  /** The evaluations that this process has seen. */
  readonly evaluations: readonly EvaluationAt[];
}

/** A command that trains. */
export interface TrainingCommand {
  /** `train`: what continues its runs with --resume. */
  readonly name: string;
  /** Uses the trained model, and tells what came of it. */
  readonly finish: (trained: Trained, output: Output) => Promise<void>;
}

const TRAIN: TrainingCommand = {
  name: "train",
  finish: ({ run, outcome, evaluations }, { terminal, result }) => {
    for (const line of [...comparison(outcome), ...examples(evaluations), "", `The run lies in ${run.path}`]) terminal.line(line);
    result(resultFields(outcome, resolve(run.path)));
    return Promise.resolve();
  },
};

async function trainAndFinish(parts: Parts, problems: RunProblems, output: Output, { name, finish }: TrainingCommand): Promise<void> {
  const { config, policy, run } = parts;
  const { terminal } = output;
  const { parameters } = policy.description;
  const facts = [...(parameters > 0 ? [`${parameters} parameters`] : []), ...(config.lora.rank > 0 ? [`LoRA adapters of rank ${config.lora.rank}`] : [])];
  terminal.line(`training ${config.model}${facts.length > 0 ? ` (${facts.join(", ")})` : ""} for ${config.steps} steps; run directory: ${run.path}`);
  const { outcome, evaluations } = await watched(parts, problems, terminal);
  if (outcome.interrupted) {
    throw new InterruptedError(`interrupted after step ${outcome.steps}; the state is saved. Continue with: npx selftrain ${name} --resume ${run.path}`);
  }
  await finish({ ...parts, outcome, evaluations }, output);
}

/** Trains and shows the progress; gives back the result with the first and the last evaluation that were seen. */
async function watched(parts: Parts, { training, stages, heldOut, validation, probe, truth }: RunProblems, terminal: Terminal) {
  const clock = (): number => performance.now() / 1000;
  const progress = createProgress(parts.config.steps, terminal, clock);
  const evaluations: EvaluationAt[] = [];
  const observer: TrainObserver = {
    ...progress.observer,
    evaluated: (step, evaluation) => {
      evaluations.push({ step, evaluation });
      progress.observer.evaluated?.(step, evaluation);
    },
  };
  if (heldOut.length > 0) terminal.status("evaluating the model …");
  try {
    const task = (signal: AbortSignal) => train({ ...parts, problems: training, stages, heldOut, validation, probe, truth, observer, signal, clock });
    return { outcome: await interruptible(terminal, clock, task), evaluations };
  } finally {
    progress.close();
  }
}

function resultFields({ steps, seconds, before, after, stopped }: TrainResult, runDirectory: string) {
  return {
    runDirectory,
    steps,
    seconds,
    ...(stopped && { stopped }),
    // The system counts in KiB.
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    passAt1: before && after && { before: before.passAt1, after: after.passAt1 },
    majAtK: before && after && { k: after.k, before: before.majAtK, after: after.majAtK },
  };
}
