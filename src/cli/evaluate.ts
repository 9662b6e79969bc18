import { createHash } from "node:crypto";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { Command } from "commander";
import type { Config } from "../config.ts";
import { configKeys, resolveConfig } from "../config/index.ts";
import { DataError, InterruptedError, UsageError } from "../errors.ts";
import { checkContext, evaluate } from "../evaluate.ts";
import type { EvaluateOptions, Evaluation } from "../evaluate.ts";
import { createGrader, RULES_OF_READING } from "../grading/index.ts";
import { loadRenderer } from "../render/index.ts";
import type { LabelledProblem } from "../types.ts";
import { addConfigOptions, settingsOf } from "./config-options.ts";
import type { ConfigFlag } from "./config-options.ts";
import { openEvaluation } from "./evaluation-directory.ts";
import type { EvaluationDirectory, EvaluationRequest, EvaluationSettings } from "./evaluation-directory.ts";
import { evaluationGroups, evaluationLines } from "./evaluation-report.ts";
import { duration } from "./format.ts";
import { interruptible } from "./interrupt.ts";
import { localModel, weightsFingerprint } from "./model.ts";
import { createOutput, jsonOption } from "./output.ts";
import type { Output } from "./output.ts";
import { hubOptions, loadHeldOut } from "./problems.ts";
import { warn } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";
import { createPolicy } from "./training.ts";

interface EvaluateFlags {
  readonly out?: string;
  readonly resume?: boolean;
  readonly json?: boolean;
}

/** Keys of a run's config that an evaluation needs, under the names that they have here. */
const FLAG_NAMES: Readonly<Record<string, string>> = {
  model: "model",
  "held-out": "data",
  "held-out-problems": "problems",
  "evaluate-samples": "samples",
  "evaluate-temperature": "temperature",
  "top-p": "top-p",
  "max-tokens": "max-tokens",
  template: "template",
  chat: "chat",
  "stop-at": "stop-at",
  answers: "answers",
  seed: "seed",
  "data-dir": "data-dir",
  "max-prompt-tokens": "max-prompt-tokens",
};
const SECTIONS = /^(engine|fields)\./;
const FLAGS: readonly ConfigFlag[] = configKeys.flatMap((key) => {
  const name = SECTIONS.test(key.name) ? key.name : FLAG_NAMES[key.name];
  return name === undefined ? [] : [{ name, key }];
});

/** Completions sampled together: enough to keep an engine busy, few enough to lose little when killed. */
const BATCH_COMPLETIONS = 256;

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
  const data = settings.get("held-out")?.value;
  if (typeof data !== "string") throw new UsageError("no questions were given: name them with --data (a preset, a file, hub:OWNER/NAME or task:FAMILY/LEVEL)");
  if (data.startsWith("task:") && !settings.has("held-out-problems")) {
    throw new UsageError(`--data ${data} is a task, which generates as many questions as it is asked for: give a number with --problems`);
  }
  // The one required key of a run that an evaluation has no use for.
  return resolveConfig(new Map([...settings, ["train", { value: "none", from: "evaluate" }]]), "evaluate");
}

async function runEvaluation(config: Config, { out, resume = false }: EvaluateFlags, output: Output): Promise<void> {
  if (resume && out === undefined) throw new UsageError("--resume needs --out DIR, the directory of the evaluation that is to be continued");
  const path = out ?? join("runs", `evaluate-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}`);
  const { terminal } = output;
  terminal.status("loading the model …");
  try {
    const { name, folder } = await localModel(config.model, { hub: hubOptions(process.env), status: terminal.status });
    const renderer = await loadRenderer(folder, config);
    const problems = await loadHeldOut(config, { renderer, warn: (message) => warn(terminal, message) });
    if (problems.length === 0) throw new DataError(`${config.heldOut} has no problems to evaluate.`);
    const policy = await createPolicy(config, folder);
    try {
      const { topP, maxTokens, seed, evaluateSamples: samples, evaluateTemperature: temperature } = config;
      const parts = { policy, renderer, grader: createGrader({ rules: RULES_OF_READING[config.answers] }), problems, samples, temperature, topP, maxTokens, seed };
      checkContext(problems, parts);
      const batchSize = Math.ceil(BATCH_COMPLETIONS / samples);
      const settings = { ...settingsToCompare({ ...config, model: name }, problems, batchSize), "SHA-256 of the weights": await weightsFingerprint(folder) };
      await evaluateAndReport(path, { settings, problems, batchSize, resume }, parts, output);
    } finally {
      await policy.close();
    }
  } finally {
    terminal.status("");
  }
}

async function evaluateAndReport(path: string, request: EvaluationRequest, parts: EvaluateOptions, { terminal, result }: Output): Promise<void> {
  const directory = await openEvaluation(path, request);
  try {
    const evaluation = await evaluateInto(directory, path, request.batchSize, parts, terminal);
    const groups = evaluationGroups(evaluation);
    await directory.finish({ ...figuresOf(evaluation), majStandardError: evaluation.majStandardError, groups });
    terminal.status("");
    for (const line of [...evaluationLines(evaluation, groups), "", `The evaluation lies in ${path}`]) terminal.line(line);
    result(figuresOf(evaluation));
  } finally {
    await directory.close();
  }
}

function settingsToCompare(config: Config, problems: readonly LabelledProblem[], batchSize: number): EvaluationSettings {
  const hash = createHash("sha256");
  for (const { id, prompt, answer } of problems) hash.update(JSON.stringify([id, prompt, answer]));
  const { model, heldOut, evaluateSamples, evaluateTemperature, topP, maxTokens, template, chat, stopAt, answers, seed } = config;
  return {
    model,
    data: heldOut,
    problems: problems.length,
    samples: evaluateSamples,
    temperature: evaluateTemperature,
    "top-p": topP,
    "max-tokens": maxTokens,
    template,
    chat,
    "stop-at": stopAt,
    answers,
    seed,
    "problems per batch": batchSize,
    "SHA-256 of the problems": hash.digest("hex"),
  };
}

/** Evaluates what the directory does not have yet, and saves every batch there. */
async function evaluateInto(directory: EvaluationDirectory, path: string, size: number, parts: EvaluateOptions, terminal: Terminal): Promise<Evaluation> {
  const clock = (): number => performance.now() / 1000;
  const started = clock();
  const { earlier } = directory;
  const total = parts.problems.length;
  let count = earlier.length;
  if (count > 0) terminal.line(`resumed after ${count} of ${total} problems`);
  terminal.status(`evaluating ${total} problems …`);
  const saved = async (signal: AbortSignal, batch: Parameters<EvaluationDirectory["append"]>[0]): Promise<void> => {
    await directory.append(batch);
    count += batch.length;
    const left = ((clock() - started) / (count - earlier.length)) * (total - count);
    terminal.status(`evaluated ${count} of ${total} problems, ${duration(left)} left`);
    if (signal.aborted && count < total) {
      throw new InterruptedError(`interrupted after ${count} of ${total} problems, which are saved. Continue with the same command and --out ${path} --resume`);
    }
  };
  return interruptible(terminal, clock, (signal) => evaluate({ ...parts, batches: { size, earlier, done: (batch) => saved(signal, batch) } }));
}

function figuresOf({ passAt1, standardError, majAtK, passAtK, abstentionRate, meanLength, problems, k }: Evaluation) {
  return { passAt1, standardError, majAtK, passAtK, abstentionRate, meanLength, problems, samples: k };
}
