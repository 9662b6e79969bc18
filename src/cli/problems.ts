import { trainSources } from "../config.ts";
import type { Config } from "../config.ts";
import { apportion, assertDistinct, describeRepeats, describeShared, largestMixture, loadLabelledProblems, loadPartlyLabelledProblems } from "../data/index.ts";
import type { HubOptions, LoadOptions, PartlyLabelledProblem } from "../data/index.ts";
import type { RewardName } from "../options.ts";
import { loadTask } from "../tasks/index.ts";
import type { LabelledProblem, Problem, Renderer } from "../types.ts";

/** The questions of a run. */
export interface RunProblems {
  /** Without answers, whatever the data holds. */
  readonly training: readonly Problem[];
  readonly heldOut: readonly LabelledProblem[];
  /** True answers of the training questions by id, of those that have one. For rewards that say so, and for metrics. */
  readonly truth: ReadonlyMap<string, string>;
}

/** Rewards that cannot do without the true answer of any question. */
const NEED_EVERY_ANSWER: ReadonlySet<RewardName> = new Set(["ground-truth", "wrong-label"]);

export interface LoadTools {
  readonly renderer: Pick<Renderer, "encodePrompt">;
  /** Is told what was left out, and what is odd. */
  readonly warn: (message: string) => void;
}

/**
 * The questions that a config names. Those with prompts of more than `max-prompt-tokens` are left out, with
 * a warning. Throws UsageError and DataError as the loaders do.
 */
export async function loadRunProblems(config: Config, tools: LoadTools): Promise<RunProblems> {
  const loaded = await loadTraining(config, tools);
  const heldOut = await loadHeldOut(config, tools);
  for (const odd of [describeRepeats(loaded, "training"), describeShared(loaded, heldOut)]) if (odd !== null) tools.warn(odd);
  return {
    training: loaded.map(({ id, prompt, source, paraphrase }) => ({ id, prompt, source, ...(paraphrase !== undefined && { paraphrase }) })),
    heldOut,
    truth: new Map(loaded.flatMap(({ id, answer }) => (answer === undefined ? [] : [[id, answer] as const]))),
  };
}

/** The labelled questions that the key `held-out` names, as `loadRunProblems` loads them. */
export async function loadHeldOut(config: Config, tools: LoadTools): Promise<readonly LabelledProblem[]> {
  const { heldOut: source, heldOutProblems: limit, seed } = config;
  const problems = isTask(source)
    ? loadTask(source, { split: "held-out", problems: limit, seed })
    : await loadLabelledProblems(source, loadOptions(config, "held-out", limit, tools));
  const repeats = describeRepeats(problems, "held-out");
  if (repeats !== null) tools.warn(repeats);
  return withinTokens(problems, source, config, tools);
}

/** All sources together: whole ones, or in the proportions of their weights, from the start of each. */
async function loadTraining(config: Config, tools: LoadTools): Promise<readonly PartlyLabelledProblem[]> {
  const sources = trainSources(config);
  const weights = sources.map(({ weight }) => weight ?? 1);
  const total = config.trainProblems;
  const limits = total > 0 ? apportion(weights, total) : null;
  const parts: (readonly PartlyLabelledProblem[])[] = [];
  for (const [index, { source }] of sources.entries()) {
    const limit = limits?.[index] ?? 0;
    const part = total > 0 && limit === 0 ? [] : await loadTrainingSource(source, limit, config, tools);
    parts.push(withinTokens(part, source, config, tools));
  }
  const weighted = limits === null && sources.some(({ weight }) => weight !== null);
  const counts = weighted ? largestMixture(parts.map(({ length }) => length), weights) : null;
  const problems = parts.flatMap((part, index) => part.slice(0, counts?.[index]));
  assertDistinct(problems);
  return problems;
}

async function loadTrainingSource(source: string, limit: number, config: Config, tools: LoadTools): Promise<readonly PartlyLabelledProblem[]> {
  if (isTask(source)) return loadTask(source, { split: "train", problems: limit, seed: config.seed });
  const load = NEED_EVERY_ANSWER.has(config.reward) ? loadLabelledProblems : loadPartlyLabelledProblems;
  return load(source, loadOptions(config, "train", limit, tools));
}

function loadOptions({ fields, dataDir }: Config, role: LoadOptions["role"], limit: number, { warn }: LoadTools): LoadOptions {
  return { fields, limit, role, dataDir, hub: hubOptions(process.env), warn };
}

/** How the hub is reached, by the variables that its own tools read. */
export function hubOptions({ HF_TOKEN, HF_ENDPOINT }: Readonly<Record<string, string | undefined>>): HubOptions {
  return { ...(HF_TOKEN === undefined ? {} : { accessToken: HF_TOKEN }), ...(HF_ENDPOINT === undefined ? {} : { hubUrl: HF_ENDPOINT }) };
}

function withinTokens<P extends Problem>(problems: readonly P[], name: string, { maxPromptTokens }: Config, { renderer, warn }: LoadTools): readonly P[] {
  const kept = problems.filter(({ prompt }) => renderer.encodePrompt(prompt).length <= maxPromptTokens);
  const left = problems.length - kept.length;
  if (left > 0) warn(`${left} of ${problems.length} questions of ${name} have prompts of more than ${maxPromptTokens} tokens (\`max-prompt-tokens\`) and are left out.`);
  return kept;
}

function isTask(source: string): boolean {
  return source.startsWith("task:");
}
