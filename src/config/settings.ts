import { configSchema, isStaged, sampledPrompts, trainSources } from "../config.ts";
import type { Config } from "../config.ts";
import { UsageError } from "../errors.ts";
import { nearest } from "../util/nearest.ts";
import { sum } from "../util/statistics.ts";
import { configKey, configKeys } from "./keys.ts";
import type { ConfigKey } from "./keys.ts";
import { nested } from "./names.ts";

/** A value that a person gave, and where: a file's name, or `a flag`. */
export interface Setting {
  readonly value: unknown;
  readonly from: string;
}

/** What a person gave, by key name (kebab-case, dotted). Later sources override earlier ones key by key. */
export type Settings = ReadonlyMap<string, Setting>;

/**
 * The complete config of some settings, every default filled in. `file` is named where a key is missing.
 * Throws UsageError: one sentence about the first unknown, wrong or missing key, or about keys that
 * contradict each other.
 */
export function resolveConfig(settings: Settings, file: string): Config {
  for (const [name, { from }] of settings) {
    if (configKey(name) === undefined) throw unknownKey(name, from);
  }
  const given = configKeys.filter(({ name }) => settings.has(name));
  const parsed = configSchema.safeParse(nested(given.map((key) => [key, settings.get(key.name)!.value])));
  if (parsed.success) return consistent(parsed.data);
  // Issues come in an order of zod's own, and may lie within a list; people read the schema's keys.
  const key = configKeys.find(({ path }) => parsed.error.issues.some((issue) => path.every((property, depth) => issue.path[depth] === property)));
  if (key === undefined) throw parsed.error;
  const setting = settings.get(key.name);
  if (setting === undefined) throw new UsageError(`${file}: \`${key.name}\` is missing. ${key.description}`);
  throw new UsageError(`${setting.from}: \`${key.name}\` is ${shown(setting.value)}; expected ${key.expected}.`);
}

/** Settings of flags: text by key name. Numbers and booleans are read as such; what is neither stays text and is refused later. */
export function flagSettings(flags: Readonly<Record<string, string>>): Settings {
  return new Map(Object.entries(flags).map(([name, text]) => [name, { value: flagValue(text, configKey(name)?.type), from: `flag --${name}` }]));
}

function flagValue(text: string, type: ConfigKey["type"] | undefined): unknown {
  if (type === "number" && text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

function unknownKey(name: string, from: string): UsageError {
  const meant = nearest(name, configKeys.map((key) => key.name));
  const advice = meant === undefined ? "`selftrain train --help` lists every key" : `did you mean \`${meant}\`?`;
  return new UsageError(`unknown key \`${name}\` in ${from}; ${advice}`);
}

/** Refuses what no single key shows to be wrong. */
function consistent(config: Config): Config {
  const sources = [
    ...trainSources(config).map(({ source }) => ["train", source, "train-problems", config.trainProblems] as const),
    ["held-out", config.heldOut, "held-out-problems", config.heldOutProblems],
    ["validation", config.validation, "validation-problems", config.validationProblems],
    ["probe.source", config.probe.source, "probe.problems", config.probe.problems],
  ] as const;
  for (const [key, spec, countKey, count] of sources) {
    if (spec.startsWith("task:") && count === 0) {
      throw new UsageError(`\`${countKey}\` is 0, but \`${key}\` is the task \`${spec}\`, which generates as many questions as it is asked for: give a number.`);
    }
  }
  if (isStaged(config)) checkStages(config);
  const clash = CLASHES.find(({ holds }) => holds(config));
  if (clash !== undefined) throw new UsageError(clash.sentence);
  if (config.stopOnCollapse && config.startVotes === 0) {
    throw new UsageError("`stop-on-collapse` is true, but `start-votes` is 0: its best signs compare with the votes of the first model; give it some votes, e.g. 16.");
  }
  if (config.probe.source !== "" && config.startVotes === 0) {
    throw new UsageError("`probe.source` asks for a probe, but `start-votes` is 0: it compares with the votes of the first model; give it some votes, e.g. 16.");
  }
  const perStep = sampledPrompts(config);
  if (config.trainProblems > 0 && config.trainProblems < perStep) {
    const asked = perStep === config.promptsPerStep ? `\`prompts-per-step\` is ${perStep}` : `\`prompts-per-step\` and \`keep-fraction\` ask for ${perStep} questions`;
    throw new UsageError(
      `${asked}, but \`train-problems\` is only ${config.trainProblems}: a step takes each question at most once.`,
    );
  }
  return config;
}

/** Refuses stages whose steps leave open when one ends and the next begins. */
function checkStages(config: Config): void {
  const sources = trainSources(config);
  if (sources.some(({ weight }) => weight !== null)) {
    throw new UsageError("`train` has sources with `weight` and sources with `steps`; they are either mixed, by weights, or trained on one after the other, by steps");
  }
  const [last, ...earlier] = [...sources].reverse();
  const open = earlier.find(({ steps }) => steps === null);
  if (open !== undefined) throw new UsageError(`\`train\` has stages, but \`${open.source}\` has no \`steps\`; every stage but the last needs them`);
  if (last!.steps !== null) throw new UsageError(`\`train\`: the last stage, \`${last!.source}\`, has \`steps\`, but it takes all that are left of the run's \`steps\`; leave them out`);
  const before = sum(earlier.map(({ steps }) => steps!));
  if (before >= config.steps) throw new UsageError(`\`steps\` is ${config.steps}, but the stages of \`train\` before the last take ${before} of them; give more`);
}

function shown(value: unknown): string {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return `\`${value}\``;
  return Array.isArray(value) ? "a list" : value === null ? "empty" : "of another kind";
}

/** Keys that would be ignored, or mean something else, beside the value of another. */
const CLASHES: readonly { readonly holds: (config: Config) => boolean; readonly sentence: string }[] = [
  { holds: ({ engine }) => engine.kind === "tinker" && engine.url === "", sentence: "`engine.kind` is `tinker`, but `engine.url` is not given: name the training server, http://127.0.0.1:8000 say." },
  { holds: ({ engine }) => engine.kind !== "tinker" && engine.url !== "", sentence: "`engine.url` names a training server, but `engine.kind` is `onnx`, which has none; set `engine.kind: tinker`, or leave the address out." },
  {
    holds: ({ crossLabels, reward }) => crossLabels && reward !== "majority" && reward !== "share",
    sentence: "`cross-labels` judges each wording by the vote on the other, but `reward` is not by votes alone; use the reward `majority` or `share`, or set `cross-labels` to false.",
  },
  {
    holds: ({ crossLabels, teacher }) => crossLabels && teacher.kind !== "none",
    sentence: "`cross-labels` and `teacher.kind` both say who votes; set one of them back (`cross-labels: false` or `teacher.kind: none`).",
  },
  { holds: ({ patience, validation }) => patience > 0 && validation === "", sentence: "`patience` counts validations, but `validation` names no questions; name some, or set `patience` to 0." },
  { holds: ({ dualClip }) => dualClip > 0 && dualClip <= 1, sentence: "`dual-clip` is at most 1, which would leave negative advantages without a gradient; give more than 1 (usual: 3), or 0 for no such limit." },
  { holds: ({ klTarget, klCoefficient }) => klTarget > 0 && klCoefficient === 0, sentence: "`kl-target` adapts the coefficient of the KL penalty, but `kl-coefficient` is 0 and would stay so; give it a value to begin with." },
];
