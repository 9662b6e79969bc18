import { createHash } from "node:crypto";
import type { Config } from "../config.ts";
import { configKeys } from "../config/index.ts";
import type { Settings } from "../config/index.ts";
import type { OpenedSource, PartlyLabelledProblem } from "../data/index.ts";
import { DataError, UsageError } from "../errors.ts";
import { checkContext } from "../evaluate.ts";
import type { SamplingOptions } from "../evaluate.ts";
import { createGrader, RULES_OF_READING } from "../grading/index.ts";
import { loadRenderer } from "../render/index.ts";
import type { Grader } from "../types.ts";
import type { ConfigFlag } from "./config-options.ts";
import { hubFor } from "./download-progress.ts";
import { createPolicy } from "./engine.ts";
import type { JournalSettings } from "./journal.ts";
import { localModel, weightsFingerprint } from "./model.ts";
import type { LoadTools } from "./problems.ts";
import { settledConfig } from "./settled-config.ts";
import { warn } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";

/** Completions sampled together: enough to keep an engine busy, few enough to lose little when killed. */
const BATCH_COMPLETIONS = 256;

/** Problems of a batch, for so many completions of each. */
export function problemsPerBatch(samples: number): number {
  return Math.ceil(BATCH_COMPLETIONS / samples);
}

/** What a command asks a fixed model. */
export interface Asked<P extends PartlyLabelledProblem> {
  /** What the questions come from, by a config. */
  readonly dataOf: (config: Config) => string;
  readonly load: (tools: LoadTools) => Promise<readonly P[]>;
  /** Completions per question. */
  readonly samples: number;
  readonly temperature: number;
  readonly topK: number;
}

/** A loaded model with the questions that it is asked. */
export interface FixedModel<P extends PartlyLabelledProblem> extends SamplingOptions {
  readonly grader: Grader;
  readonly problems: readonly P[];
  readonly batchSize: number;
  /** All that the answers depend on. */
  readonly settings: JournalSettings;
}

/** Keys of a run's config that every command with a fixed model takes, under their own names, beside those of sections. */
const COMMON_KEYS: readonly string[] = ["model", "data-dir", "max-prompt-tokens", "template", "chat", "stop-at", "answers", "top-p", "max-tokens", "seed"];

/** The flags of a command with a fixed model: the common keys, and those that have another name there. */
export function fixedModelFlags(renamed: Readonly<Record<string, string>>): readonly ConfigFlag[] {
  return configKeys.flatMap((key) => {
    const name = COMMON_KEYS.includes(key.name) || /^(engine|fields)\./.test(key.name) ? key.name : renamed[key.name];
    return name === undefined ? [] : [{ name, key }];
  });
}

/** Throws UsageError unless --data (the config's `key`) names questions, and --problems says how many where they are generated. */
export function requireData(settings: Settings, key: "train" | "held-out"): void {
  const data = settings.get(key)?.value;
  if (typeof data !== "string") throw new UsageError("no questions were given: name them with --data (a preset, a file, hub:OWNER/NAME or task:FAMILY/LEVEL)");
  if (data.startsWith("task:") && !settings.has(`${key}-problems`)) {
    throw new UsageError(`--data ${data} is a task, which generates as many questions as it is asked for: give a number with --problems`);
  }
}

/** Loads the model and the questions, uses them, and releases the model. Throws what loading throws, DataError when there is nothing to ask. */
export async function withFixedModel<P extends PartlyLabelledProblem>(config: Config, asked: Asked<P>, terminal: Terminal, use: (model: FixedModel<P>) => Promise<void>): Promise<void> {
  terminal.status("loading the model …");
  try {
    const hub = hubFor(terminal);
    const { name, folder } = await localModel(config.model, hub, { weights: config.engine.kind === "onnx" });
    const renderer = await loadRenderer(folder, config);
    const sources: OpenedSource[] = [];
    const opened = (source: OpenedSource): void => void sources.push(source);
    const problems = await asked.load({ renderer, hub, opened, warn: (message) => warn(terminal, message) });
    if (problems.length === 0) throw new DataError(`${asked.dataOf(config)} has no problems to ask.`);
    const policy = await createPolicy(untrained(config), folder, (message) => warn(terminal, message));
    try {
      const { topP, maxTokens, seed } = config;
      const { samples, temperature, topK } = asked;
      const parts = { policy, renderer, grader: createGrader({ rules: RULES_OF_READING[config.answers] }), problems, samples, temperature, topP, topK, maxTokens, seed };
      checkContext(problems, parts);
      const batchSize = problemsPerBatch(samples);
      const settled = settledConfig(config, { model: name, sources, problems });
      const settings = { ...settingsToCompare(settled, asked, problems, batchSize), "SHA-256 of the weights": await weightsFingerprint(folder) };
      await use({ ...parts, batchSize, settings });
    } finally {
      await policy.close();
    }
  } finally {
    terminal.status("");
  }
}

/** A training server samples through adapters: before they are trained they change nothing. */
function untrained(config: Config): Config {
  return config.engine.kind === "tinker" ? { ...config, lora: { ...config.lora, rank: 1 } } : config;
}

function settingsToCompare(config: Config, { dataOf, samples, temperature, topK }: Asked<PartlyLabelledProblem>, problems: readonly PartlyLabelledProblem[], batchSize: number): JournalSettings {
  const hash = createHash("sha256");
  for (const { id, prompt, answer } of problems) hash.update(JSON.stringify([id, prompt, answer]));
  const { model, topP, maxTokens, template, chat, stopAt, answers, seed } = config;
  return {
    model,
    data: dataOf(config),
    problems: problems.length,
    samples,
    temperature,
    "top-p": topP,
    ...(topK === 0 ? {} : { "top-k": topK }),
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
