import { isStaged, trainSources } from "../config.ts";
import type { Config } from "../config.ts";
import { apportion, assertDistinct, assertSameQuestions, describeRepeats, describeShared, largestMixture, loadLabelledProblems, loadPartlyLabelledProblems } from "../data/index.ts";
import type { LoadOptions, OpenedSource, PartlyLabelledProblem, Stage } from "../data/index.ts";
import type { HubAccess } from "../hub/index.ts";
import type { RewardName } from "../options.ts";
import { loadTask } from "../tasks/index.ts";
import type { LabelledProblem, Problem, Renderer } from "../types.ts";
import { deriveSeed } from "../util/random.ts";
import { strictZip } from "../util/strict-zip.ts";

/** The questions of a run. */
export interface RunProblems {
  /** Without answers, whatever the data holds. */
  readonly training: readonly Problem[];
  /** Parts of the training questions that follow each other; questions may occur in several. */
  readonly stages: readonly Stage[];
  /** None where the config names none. */
  readonly heldOut: readonly LabelledProblem[];
  /** Those that early stopping watches; none where the config names none. */
  readonly validation: readonly LabelledProblem[];
  /** Those of the probe, without answers; none where the config names none. */
  readonly probe: readonly Problem[];
  /** True answers of the training questions by id, of those that have one. For rewards that say so, and for metrics. */
  readonly truth: ReadonlyMap<string, string>;
  /** Where they come from; tasks, which are made here, are not among these. */
  readonly sources: readonly OpenedSource[];
}

/** Rewards that cannot do without the true answer of any question. */
const NEED_EVERY_ANSWER: ReadonlySet<RewardName> = new Set(["ground-truth", "wrong-label"]);

export interface LoadTools {
  readonly renderer: Pick<Renderer, "encodePrompt">;
  /** Is told what was left out, and what is odd. */
  readonly warn: (message: string) => void;
  readonly hub: HubAccess;
  /** Is told where rows come from. */
  readonly opened?: (source: OpenedSource) => void;
}

/**
 * The questions that a config names. Those with prompts of more than `max-prompt-tokens` are left out, with
 * a warning. Throws UsageError and DataError as the loaders do.
 */
export async function loadRunProblems(config: Config, tools: LoadTools): Promise<RunProblems> {
  const sources: OpenedSource[] = [];
  const opened = (source: OpenedSource): void => void sources.push(source);
  const load = NEED_EVERY_ANSWER.has(config.reward) ? loadLabelledProblems : loadPartlyLabelledProblems;
  const { problems, stages } = await loadTraining(config, load, { ...tools, opened });
  const heldOut = config.heldOut === "" ? [] : await loadHeldOut(config, { ...tools, opened });
  const validation = await loadValidation(config, heldOut, { ...tools, opened });
  const probe = await loadProbe(config, [...heldOut, ...validation], { ...tools, opened });
  // Stages may share questions, which are no repeats.
  const different = [...new Map(problems.map((problem) => [problem.id, problem])).values()];
  for (const odd of [describeRepeats(different, "training"), describeShared(different, heldOut)]) if (odd !== null) tools.warn(odd);
  return {
    training: problems.map(withoutAnswer),
    stages,
    heldOut,
    validation,
    probe: probe.map(withoutAnswer),
    truth: new Map(problems.flatMap(({ id, answer }) => (answer === undefined ? [] : [[id, answer] as const]))),
    sources,
  };
}

/**
 * The training questions that a config names, once each and with their answers where they are known: for uses that
 * measure. Long prompts are left out as in `loadRunProblems`.
 */
export async function loadTrainingQuestions(config: Config, tools: LoadTools): Promise<readonly PartlyLabelledProblem[]> {
  const { problems } = await loadTraining(config, loadPartlyLabelledProblems, tools);
  return [...new Map(problems.map((problem) => [problem.id, problem])).values()];
}

/** The labelled questions that the key `held-out` names, as `loadRunProblems` loads them. */
export async function loadHeldOut(config: Config, tools: LoadTools): Promise<readonly LabelledProblem[]> {
  const { heldOut: source, heldOutProblems: limit, seed } = config;
  const problems = isTask(source) ? loadTask(source, { split: "held-out", problems: limit, seed }) : await loadLabelledFile("held-out", source, limit, config, tools);
  return withinTokens(problems, source, config, tools);
}

/** The labelled questions that the key `validation` names; of a task, others than the held-out ones. */
async function loadValidation(config: Config, heldOut: readonly LabelledProblem[], tools: LoadTools): Promise<readonly LabelledProblem[]> {
  const { validation: source, validationProblems: limit, seed } = config;
  if (source === "") return [];
  if (!isTask(source)) return withinTokens(await loadLabelledFile("validation", source, limit, config, tools), source, config, tools);
  return withinTokens(otherHeldOut(source, limit, heldOut, deriveSeed(seed, "validation")), source, config, tools);
}

/** The questions that the key `probe.source` names; of a task, others than those that measure. */
export async function loadProbe(config: Config, measuring: readonly LabelledProblem[], tools: LoadTools): Promise<readonly PartlyLabelledProblem[]> {
  const { probe: { source, problems: limit }, seed } = config;
  if (source === "") return [];
  const problems = isTask(source) ? otherHeldOut(source, limit, measuring, deriveSeed(seed, "probe")) : await loadPartlyLabelledProblems(source, loadOptions(config, "train", limit, tools));
  assertDistinct(problems);
  return withinTokens(problems, source, config, tools);
}

/** Questions of a task's held-out part, but those that are taken. */
function otherHeldOut(source: string, limit: number, takenBy: readonly Problem[], seed: number): readonly LabelledProblem[] {
  const family = source.slice(0, source.indexOf("/"));
  const taken = new Set(takenBy.filter((problem) => problem.source.startsWith(family)).map(({ id }) => id));
  return loadTask(source, { split: "held-out", problems: limit + taken.size, seed }).filter(({ id }) => !taken.has(id)).slice(0, limit);
}

async function loadLabelledFile(kind: "held-out" | "validation", source: string, limit: number, config: Config, tools: LoadTools): Promise<readonly LabelledProblem[]> {
  const problems = await loadLabelledProblems(source, loadOptions(config, "held-out", limit, tools));
  const repeats = describeRepeats(problems, kind);
  if (repeats !== null) tools.warn(repeats);
  return problems;
}

type LoadFile = (source: string, options: LoadOptions) => Promise<readonly PartlyLabelledProblem[]>;

/** All sources: whole ones, or in the proportions of their weights, from the start of each; in stages, or together in one. */
async function loadTraining(config: Config, load: LoadFile, tools: LoadTools): Promise<{ readonly problems: readonly PartlyLabelledProblem[]; readonly stages: readonly Stage[] }> {
  const sources = trainSources(config);
  const weights = sources.map(({ weight }) => weight ?? 1);
  const total = config.trainProblems;
  const limits = total > 0 ? apportion(weights, total) : null;
  const parts: (readonly PartlyLabelledProblem[])[] = [];
  for (const [index, { source }] of sources.entries()) {
    const limit = limits?.[index] ?? 0;
    const part = total > 0 && limit === 0 ? [] : await loadTrainingSource(source, limit, config, load, tools);
    parts.push(withinTokens(part, source, config, tools));
  }
  const weighted = limits === null && sources.some(({ weight }) => weight !== null);
  const counts = weighted ? largestMixture(parts.map(({ length }) => length), weights) : null;
  const problems = parts.flatMap((part, index) => part.slice(0, counts?.[index]));
  if (isStaged(config)) {
    assertSameQuestions(problems);
    return { problems, stages: strictZip(parts, sources).map(([part, { steps }]) => ({ problems: part.length, steps: steps ?? Infinity })) };
  }
  assertDistinct(problems);
  return { problems, stages: [{ problems: problems.length, steps: Infinity }] };
}

async function loadTrainingSource(source: string, limit: number, config: Config, load: LoadFile, tools: LoadTools): Promise<readonly PartlyLabelledProblem[]> {
  if (isTask(source)) return loadTask(source, { split: "train", problems: limit, seed: config.seed });
  return load(source, loadOptions(config, "train", limit, tools));
}

function loadOptions({ fields, dataDir }: Config, role: LoadOptions["role"], limit: number, { warn, hub, opened }: LoadTools): LoadOptions {
  return { fields, limit, role, dataDir, hub, warn, ...(opened === undefined ? {} : { opened }) };
}

function withoutAnswer({ id, prompt, source, template, paraphrase }: PartlyLabelledProblem): Problem {
  return { id, prompt, source, ...(template !== undefined && { template }), ...(paraphrase !== undefined && { paraphrase }) };
}

function withinTokens<P extends Problem>(problems: readonly P[], name: string, { maxPromptTokens }: Config, { renderer, warn }: LoadTools): readonly P[] {
  const kept = problems.filter(({ prompt, template }) => renderer.encodePrompt(prompt, template).length <= maxPromptTokens);
  const left = problems.length - kept.length;
  if (left > 0) warn(`${left} of ${problems.length} questions of ${name} have prompts of more than ${maxPromptTokens} tokens (\`max-prompt-tokens\`) and are left out.`);
  return kept;
}

function isTask(source: string): boolean {
  return source.startsWith("task:");
}
