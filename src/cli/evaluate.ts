import { join } from "node:path";
import type { Command } from "commander";
import type { Config } from "../config.ts";
import { resolveConfig } from "../config/index.ts";
import { UsageError } from "../errors.ts";
import { evaluate } from "../evaluate.ts";
import type { Evaluation } from "../evaluate.ts";
import type { LabelledProblem } from "../types.ts";
import { addConfigOptions, settingsOf } from "./config-options.ts";
import { openEvaluation } from "./evaluation-directory.ts";
import { evaluationGroups, evaluationLines } from "./evaluation-report.ts";
import { fixedModelFlags, requireData, withFixedModel } from "./fixed-model.ts";
import type { Asked, FixedModel } from "./fixed-model.ts";
import { timestamped } from "./format.ts";
import { runInBatches } from "./journal.ts";
import { createOutput, jsonOption } from "./output.ts";
import type { Output } from "./output.ts";
import { loadHeldOut } from "./problems.ts";

interface EvaluateFlags {
  readonly out?: string;
  readonly resume?: boolean;
  readonly json?: boolean;
}

const FLAGS = fixedModelFlags({ "held-out": "data", "held-out-problems": "problems", "evaluate-samples": "samples", "evaluate-temperature": "temperature" });

/** `selftrain evaluate --model M --data D --samples k [--key value …] [--out DIR] [--resume]`. */
export function addEvaluateCommand(program: Command): void {
  const command = program
    .command("evaluate")
    .description("Measure a model on labelled questions: pass@1, maj@k, pass@k, by subject and level where the data has them.")
    .usage("--model M --data D [--samples k] [--key value …] [--out DIR] [--resume] [--json]")
    .option("--out <DIR>", "directory of the evaluation (default: runs/ and the time)")
    .option("--resume", "continue the evaluation in --out where it was interrupted")
    .addOption(jsonOption());
  addConfigOptions(command, FLAGS, "Model, data and sampling:").action((flags: EvaluateFlags) =>
    runEvaluation(configOf(flags as Readonly<Record<string, unknown>>), flags, createOutput(flags.json === true)),
  );
}

function configOf(flags: Readonly<Record<string, unknown>>): Config {
  const settings = settingsOf(flags, FLAGS);
  requireData(settings, "held-out");
  // The one required key of a run that an evaluation has no use for.
  return resolveConfig(new Map([...settings, ["train", { value: "none", from: "evaluate" }]]), "evaluate");
}

async function runEvaluation(config: Config, { out, resume = false }: EvaluateFlags, output: Output): Promise<void> {
  if (resume && out === undefined) throw new UsageError("--resume needs --out DIR, the directory of the evaluation that is to be continued");
  const path = out ?? join("runs", timestamped("evaluate", new Date()));
  const { evaluateSamples: samples, evaluateTemperature: temperature } = config;
  const asked: Asked<LabelledProblem> = { dataOf: ({ heldOut }) => heldOut, load: (tools) => loadHeldOut(config, tools), samples, temperature, topK: 0 };
  await withFixedModel(config, asked, output.terminal, (model) => evaluateAndReport(path, resume, model, output));
}

async function evaluateAndReport(path: string, resume: boolean, model: FixedModel<LabelledProblem>, { terminal, result }: Output): Promise<void> {
  const directory = await openEvaluation(path, { ...model, resume });
  try {
    const words = { doing: "evaluating", done: "evaluated", advice: `Continue with the same command and --out ${path} --resume` };
    const evaluation = await runInBatches(directory, words, terminal, (batches) => evaluate({ ...model, batches }));
    const groups = evaluationGroups(evaluation);
    await directory.finish({ ...figuresOf(evaluation), majStandardError: evaluation.majStandardError, groups });
    terminal.status("");
    for (const line of [...evaluationLines(evaluation, groups), "", `The evaluation lies in ${path}`]) terminal.line(line);
    result(figuresOf(evaluation));
  } finally {
    await directory.close();
  }
}

function figuresOf({ passAt1, standardError, majAtK, passAtK, abstentionRate, meanLength, problems, k }: Evaluation) {
  return { passAt1, standardError, majAtK, passAtK, abstentionRate, meanLength, problems, samples: k };
}
