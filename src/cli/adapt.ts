import { readFile } from "node:fs/promises";
import { join, resolve as absolute } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import type { Config } from "../config.ts";
import { configKeys, formatConfig, resolveConfig } from "../config/index.ts";
import type { ConfigKey, Settings } from "../config/index.ts";
import type { PartlyLabelledProblem } from "../data/index.ts";
import { CheckpointError, RunDirectoryError, UsageError } from "../errors.ts";
import { CURRENT, REFERENCE } from "../policy.ts";
import { checkpointPath, checkpointSteps, createRunDirectory, describeEnvironment, verifyCheckpoint } from "../run/index.ts";
import type { Inputs } from "../run/index.ts";
import { explained } from "../run/explain.ts";
import { writeFileAtomically } from "../util/atomic-write.ts";
import { deriveSeed } from "../util/random.ts";
import { adaptedAnswers, sampleVotes, samplesPerQuestion, summarizeAdaptation } from "../voting/index.ts";
import type { SampledAnswers } from "../voting/index.ts";
import { adaptationLines } from "./adaptation-report.ts";
import { addConfigOptions, settingsOf } from "./config-options.ts";
import { hubFor } from "./download-progress.ts";
import { problemsPerBatch } from "./fixed-model.ts";
import { timestamped } from "./format.ts";
import { openJournal, runInBatches } from "./journal.ts";
import { createOutput, jsonOption, writeJsonLines } from "./output.ts";
import type { Output } from "./output.ts";
import { loadProbe, loadTrainingQuestions } from "./problems.ts";
import type { Terminal } from "./terminal.ts";
import { firstFlag, resume } from "./train.ts";
import { runTraining } from "./training.ts";
import type { Trained, TrainingCommand } from "./training.ts";

interface AdaptFlags {
  readonly maxVotes?: string;
  readonly out?: string;
  readonly resume?: string;
  readonly json?: boolean;
}

/** Defaults that differ from those of a run: small enough for an evening on two cores. */
const DEFAULTS: Readonly<Record<string, number>> = {
  steps: 60,
  "prompts-per-step": 8,
  "samples-per-prompt": 16,
  "max-tokens": 512,
  "learning-rate": 5e-6,
  "evaluate-samples": 16,
  "checkpoint-every": 10,
};
const MAX_VOTES = 1024;
const ADAPT: TrainingCommand = { name: "adapt", finish: answerQuestions };
/** What a run of this command keeps of its flags that are no keys of the config. */
const ADAPTATION = "adaptation.json";
const adaptationSchema = z.object({ maxVotes: z.int().positive() });
const FLAGS = configKeys.filter(({ name }) => name !== "train").map((key) => ({ name: key.name, key: withDefault(key) }));

function withDefault(key: ConfigKey): ConfigKey {
  return { ...key, default: DEFAULTS[key.name] ?? key.default };
}

/** `selftrain adapt QUESTIONS.jsonl --model M [--key value …] [--out DIR]`, or `selftrain adapt --resume DIR`. */
export function addAdaptCommand(program: Command): void {
  const command = program
    .command("adapt")
    .description("Test-time training: train by SRT on the very questions that are to be answered, and answer them by vote, before and after.")
    .usage("QUESTIONS.jsonl --model M [--key value …] [--out DIR] [--json]\n       selftrain adapt --resume DIR [--json]")
    .argument("[QUESTIONS]", "the questions, which need no answers: a file, or any source that `train` can be (docs/data.md)")
    .option("--max-votes <number>", `most samples per question of the vote that uses no training (default: ${MAX_VOTES}); it takes as many as training did`)
    .option("--out <DIR>", "directory of the run, which must not exist yet (default: runs/adapt- and the time)")
    .option("--resume <DIR>", "continue the run in this directory where it was interrupted")
    .addOption(jsonOption());
  addConfigOptions(command, FLAGS, "Config keys, with the defaults that they have here:").action(async (questions: string | undefined, flags: AdaptFlags) => {
    const output = createOutput(flags.json === true);
    const settings = settingsOf(flags as Readonly<Record<string, unknown>>, FLAGS);
    if (flags.resume !== undefined) {
      const other = questions ?? (flags.out !== undefined ? "--out" : flags.maxVotes !== undefined ? "--max-votes" : firstFlag(settings));
      // Another run would be trained to its end before it turned out to be one.
      if (other === undefined) await readMaxVotes(flags.resume);
      return resume(flags.resume, other, output, { command: ADAPT });
    }
    if (questions === undefined) throw new UsageError("no questions were given: name a QUESTIONS.jsonl, or a run to continue with --resume DIR");
    return start(questions, settings, flags, output);
  });
}

async function start(questions: string, settings: Settings, { maxVotes = String(MAX_VOTES), out }: AdaptFlags, output: Output): Promise<void> {
  if (!/^[1-9]\d*$/.test(maxVotes)) throw new UsageError(`flag --max-votes: \`${maxVotes}\`; expected a whole number of at least 1`);
  const config = await configOf(questions, settings, output.terminal);
  const directory = out ?? join("runs", timestamped("adapt", new Date()));
  const openRun = async (settled: Config, inputs: Inputs<string>) => {
    const run = await createRunDirectory(directory, { configText: formatConfig(settled), environment: await describeEnvironment(process.argv, inputs) });
    const file = join(directory, ADAPTATION);
    try {
      await explained(`${file} could not be written`, "free or choose another place with --out", () => writeFileAtomically(file, `${JSON.stringify({ maxVotes: Number(maxVotes) })}\n`));
      return run;
    } catch (error) {
      await run.close();
      throw error;
    }
  };
  await runTraining(config, openRun, output, ADAPT);
}

/** The config of the flags over the defaults; a step takes all questions where there are fewer than its default. */
async function configOf(questions: string, given: Settings, terminal: Terminal): Promise<Config> {
  const settings = new Map([...Object.entries(DEFAULTS).map(([name, value]) => [name, { value, from: "adapt" }] as const), ["train", { value: questions, from: "adapt" }] as const, ...given]);
  if (questions.startsWith("task:") && !given.has("train-problems")) {
    throw new UsageError(`${questions} is a task, which generates as many questions as it is asked for: give a number with --train-problems`);
  }
  if (given.has("prompts-per-step")) return resolveConfig(settings, "adapt");
  const config = resolveConfig(new Map(settings).set("prompts-per-step", { value: 1, from: "adapt" }), "adapt");
  const { length } = await loadTrainingQuestions(config, { renderer: { encodePrompt: () => [] }, hub: hubFor(terminal), warn: () => undefined });
  return { ...config, promptsPerStep: Math.max(1, Math.min(Math.floor(length * config.keepFraction), DEFAULTS["prompts-per-step"]!)) };
}

/** Votes with the model as it was and as it is, writes answers.jsonl, and compares them. */
async function answerQuestions(trained: Trained, { terminal, result }: Output): Promise<void> {
  const { config, renderer, grader, run, outcome } = trained;
  const maxVotes = await readMaxVotes(run.path);
  // Read again with their answers, which training keeps apart.
  const tools = { renderer, hub: hubFor(terminal), warn: () => undefined };
  const questions = await loadTrainingQuestions(config, tools);
  const { length: probed } = await loadProbe(config, [], tools);
  await loadTrained(trained);
  const taken = samplesPerQuestion({ ...config, steps: outcome.stopped?.step ?? outcome.steps }, { questions: questions.length, probed });
  const votes = Math.max(1, Math.min(taken, maxVotes));
  const k = config.evaluateSamples;
  const before = await votesOf("before", questions, Math.max(k, votes), trained, terminal);
  const after = await votesOf("after", questions, k, trained, terminal);
  const answers = adaptedAnswers(questions, { before, after, k, votes }, grader);
  const file = join(run.path, "answers.jsonl");
  await writeJsonLines(file, answers);
  const summary = summarizeAdaptation(answers, grader.same);
  for (const line of [...adaptationLines(answers, summary, { ...outcome, taken }), "", `The answers are in ${file}`]) terminal.line(line);
  result({ runDirectory: absolute(run.path), steps: outcome.steps, seconds: outcome.seconds, samplesTaken: taken, ...summary });
}

/** Loads what the run has trained: a run that was complete when it was continued has trained nothing in this process. */
async function loadTrained({ run, policy, outcome }: Trained): Promise<void> {
  const newest = (await checkpointSteps(run)).find((step) => step === outcome.steps);
  if (newest === undefined) throw new CheckpointError(`${run.path} is trained, but its checkpoint of step ${outcome.steps} is gone, so it can't answer; restore it, or start a new run.`);
  await verifyCheckpoint(run, newest);
  await policy.loadState(checkpointPath(run, newest));
}

const votesSchema = z.object({ id: z.string(), answers: z.array(z.string().nullable()) });

/** Samples answers with the model as it was or as it is; batch by batch into a file of the run, so that a killed vote can go on. */
async function votesOf(name: "before" | "after", questions: readonly PartlyLabelledProblem[], samples: number, trained: Trained, terminal: Terminal): Promise<readonly SampledAnswers[]> {
  const { config, policy, renderer, grader, run } = trained;
  const { evaluateTemperature: temperature, topP, maxTokens } = config;
  const sampling = { policy, renderer, grader, samples, temperature, topP, maxTokens, seed: deriveSeed(config.seed, "votes", name), weights: name === "before" ? REFERENCE : CURRENT };
  const fromRow = (row: unknown, index: number): SampledAnswers | null => {
    const votes = votesSchema.safeParse(row).data;
    return votes !== undefined && votes.id === questions[index]?.id && votes.answers.length === samples ? votes : null;
  };
  const journal = await openJournal({ file: join(run.path, `votes-${name}.jsonl`), total: questions.length, batchSize: problemsPerBatch(samples), toRow: (votes) => votes, fromRow });
  try {
    const words = { doing: `voting ${name} adapting:`, done: `voted ${name} adapting on`, advice: `Continue with: npx selftrain adapt --resume ${run.path}` };
    return await runInBatches(journal, words, terminal, (batches) => sampleVotes(questions, sampling, batches));
  } finally {
    await journal.close();
  }
}

async function readMaxVotes(runPath: string): Promise<number> {
  const file = join(runPath, ADAPTATION);
  try {
    return adaptationSchema.parse(JSON.parse(await readFile(file, "utf8"))).maxVotes;
  } catch (cause) {
    throw new RunDirectoryError(`${file} is missing or damaged, so this is no run that \`selftrain adapt\` can continue; start a new one.`, { cause });
  }
}
