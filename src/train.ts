import { sampledPrompts, trainSources } from "./config.ts";
import type { Config } from "./config.ts";
import { assertDisjoint, problemsOfStagedStep } from "./data/index.ts";
import type { Stage } from "./data/index.ts";
import { CheckpointError, DataError, RunDirectoryError } from "./errors.ts";
import { checkContext, evaluate } from "./evaluate.ts";
import type { Evaluation } from "./evaluate.ts";
import type { Policy } from "./policy.ts";
import {
  checkpointPath, checkpointSteps, evaluationMetrics, modelCard, readSummary, recordSamples, rewindSamples, saveCheckpoint, saveModel,
  setAsideCheckpoint, stepMetrics, summarizeEvaluation, verifyCheckpoint, writeSummary,
} from "./run/index.ts";
import type { EvaluationMetrics, RunDirectory, RunSummary, StepMetrics } from "./run/index.ts";
import { adaptedCoefficient } from "./srt/kl.ts";
import { checkCapabilities } from "./train/capabilities.ts";
import { remember, rememberedVotes, voteFigures, votesOf } from "./train/memory.ts";
import type { StartVoters, VoteMemory } from "./train/memory.ts";
import { startTeacher, trainStep } from "./step.ts";
import type { StepSettings } from "./step.ts";
import type { Grader, LabelledProblem, Problem, Renderer, RewardSource, StepReport } from "./types.ts";
import { deriveSeed } from "./util/random.ts";

export interface TrainOptions {
  readonly config: Config;
  readonly policy: Policy;
  readonly renderer: Renderer;
  readonly grader: Grader;
  readonly rewardOf: RewardSource;
  readonly problems: readonly Problem[];
  /** Parts of `problems` that are trained on one after the other; all together when absent. */
  readonly stages?: readonly Stage[];
  /** Where there are none, nothing is evaluated. */
  readonly heldOut: readonly LabelledProblem[];
  /** True answers of training problems by id, for the metrics alone. */
  readonly truth?: ReadonlyMap<string, string>;
  /** The directory of a new run, or of an earlier one to continue. */
  readonly run: RunDirectory;
  readonly observer?: TrainObserver;
  /** Asks for a stop after the step that is running; its state is saved. */
  readonly signal: AbortSignal;
  /** Seconds on a clock that never goes back. */
  readonly clock: () => number;
}

/** Is told what happens, as it happens. */
export interface TrainObserver {
  /** The run continues after this step. */
  readonly resumed?: (step: number) => void;
  readonly evaluated?: (step: number, evaluation: Evaluation) => void;
  readonly stepped?: (report: StepReport, metrics: StepMetrics) => void;
  readonly checkpointed?: (step: number) => void;
  readonly warned?: (message: string) => void;
}

export interface TrainResult extends RunSummary {
  /** Stopped by the signal before the end; `after` is then the latest evaluation. */
  readonly interrupted: boolean;
}

/**
 * Trains for `config.steps` steps, or continues from the newest sound checkpoint of the run directory, and
 * records everything there. Interrupted or killed at any moment and continued, a run ends as if it had
 * not been: weights, samples and metrics (but for `timing`) are the same, bit for bit. A run that is
 * complete is not run again. Throws DataError for a held-out problem among the training problems or a prompt
 * that does not fit the context, UsageError for what the policy cannot do, CheckpointError when there are checkpoints but none that can be used,
 * RunDirectoryError when the disk refuses, and what the policy throws.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { config, policy, run, observer, signal } = options;
  const summary = await readSummary(run);
  if (summary !== null) {
    observer?.warned?.(`${run.path} is complete (${summary.steps} steps): there is nothing left to train.`);
    return { ...summary, interrupted: false };
  }
  checkProblems(options);
  const state = await restore(options);
  for (;;) {
    const { step } = state;
    const last = step >= config.steps;
    // After an interruption the evaluation waits for the resumption; only the first is never put off.
    const due = options.heldOut.length > 0 && (last || step % config.evaluateEvery === 0) && !state.evaluations.has(step);
    if (due && !(signal.aborted && step > 0)) await evaluateAt(step, options, state);
    if (step > state.saved && (last || signal.aborted || step % config.checkpointEvery === 0)) {
      await saveCheckpoint(run, step, { kept: config.checkpointsKept }, (directory) => policy.saveState(directory));
      state.saved = step;
      observer?.checkpointed?.(step);
    }
    if (signal.aborted) return { ...summaryOf(state), interrupted: true };
    if (last) break;
    await stepFrom(options, state);
  }
  const result = summaryOf(state);
  if (policy.description.capabilities.includes("export")) {
    const card = modelCard({ config, configText: run.configText, summary: result });
    await saveModel(run, card, (directory) => policy.exportModel(directory));
  }
  await writeSummary(run, result);
  return { ...result, interrupted: false };
}

/** Where a run stands. */
interface TrainState {
  /** Updates so far. */
  step: number;
  /** Step of the newest checkpoint. */
  saved: number;
  /** Weight of the KL penalty in the next step. */
  klCoefficient: number;
  readonly memory: VoteMemory;
  readonly evaluations: Map<number, EvaluationMetrics>;
  /** Seconds since the run began, without those between an interruption and its resumption. */
  readonly elapsed: () => number;
}

/** Loads the newest sound checkpoint and drops what was recorded after it: those steps are run again. */
async function restore({ config, heldOut, run, policy, observer, clock }: TrainOptions): Promise<TrainState> {
  const started = clock();
  const hadBegun = (await run.metrics.read()).some(({ step }) => step > 0);
  const step = await loadNewest(run, policy, observer);
  if (step > 0) observer?.resumed?.(step);
  else if (hadBegun) observer?.warned?.(`${run.path} has no checkpoint to continue from: the run starts again from step 0.`);
  const lines = await run.metrics.rewind(step);
  const memory = rememberedVotes(await run.votes.rewind(step));
  await rewindSamples(run, step);
  const evaluations = lines.flatMap((line) => (line.kind === "evaluation" ? [[line.step, line] as const] : []));
  if (step > 0 && heldOut.length > 0 && !evaluations.some(([at]) => at === 0)) {
    throw new RunDirectoryError(`${run.path}/metrics.jsonl lacks the evaluation of step 0; restore the file, or start a new run.`);
  }
  if (step === 0) await startTeacher(policy, stepSettings(config).teacher);
  const before = Math.max(0, ...lines.map(({ timing }) => timing.elapsed));
  const newest = lines.filter((line) => line.kind === "step").at(-1);
  const klCoefficient = newest === undefined ? config.klCoefficient : nextKlCoefficient(newest, config);
  return { step, saved: step, klCoefficient, memory, evaluations: new Map(evaluations), elapsed: () => before + clock() - started };
}

/**
 * Loads the newest sound checkpoint, takes newer ones out of use, and returns its step; 0 when there is none at
 * all. Where none of several is sound, the cause may lie elsewhere, as in another model under the same name:
 * then it throws CheckpointError and touches nothing.
 */
async function loadNewest(run: RunDirectory, policy: Policy, observer: TrainObserver | undefined): Promise<number> {
  const refused: { readonly step: number; readonly reason: string }[] = [];
  for (const step of await checkpointSteps(run)) {
    const reason = await loadOrRefuse(step, run, policy);
    if (reason !== null) {
      refused.push({ step, reason });
      continue;
    }
    for (const newer of refused) {
      observer?.warned?.(`The checkpoint of step ${newer.step} is refused: ${newer.reason}; that of step ${step} is used.`);
      await setAsideCheckpoint(run, newer.step);
    }
    return step;
  }
  if (refused.length === 0) return 0;
  const reasons = refused.map(({ step, reason }) => `step ${step}: ${reason}`).join("; ");
  throw new CheckpointError(
    `${run.path} can't be continued and was left as it is, since none of its checkpoints can be used (${reasons}); restore the model or a checkpoint, or start a new run with --out.`,
  );
}

/** Loads a checkpoint; why it cannot be used, or `null` when it was loaded. */
async function loadOrRefuse(step: number, run: RunDirectory, policy: Policy): Promise<string | null> {
  try {
    await verifyCheckpoint(run, step);
    await policy.loadState(checkpointPath(run, step));
    return null;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return error.message.replace(/\.$/, "");
  }
}

async function evaluateAt(step: number, options: TrainOptions, state: TrainState): Promise<void> {
  const { config, policy, renderer, grader, heldOut, run, observer, clock } = options;
  const started = clock();
  const evaluation = await evaluate({
    policy,
    renderer,
    grader,
    problems: heldOut,
    samples: config.evaluateSamples,
    temperature: config.evaluateTemperature,
    topP: 1,
    maxTokens: config.maxTokens,
    // The same at every step: what changes between two evaluations is the model.
    seed: deriveSeed(config.seed, "evaluate"),
  });
  const metrics = evaluationMetrics(step, evaluation, { seconds: clock() - started, elapsed: state.elapsed() });
  await run.metrics.append(metrics);
  state.evaluations.set(step, metrics);
  observer?.evaluated?.(step, evaluation);
}

async function stepFrom(options: TrainOptions, state: TrainState): Promise<void> {
  const { config, problems, stages = inOneStage(problems), grader, truth, run, observer } = options;
  const step = state.step + 1;
  const chosen_P = problemsOfStagedStep(problems, stages, step, sampledPrompts(config), config.seed);
  const { klCoefficient } = state;
  const settings = { ...stepSettings(config), klCoefficient, seed: deriveSeed(config.seed, "sample", step) };
  const report = await trainStep(step, chosen_P, options, settings);
  if (report.update?.skipped === true) {
    observer?.warned?.(`The gradient of step ${step} is not finite: its update was skipped, the weights are unchanged.`);
  }
  const votes = await votesOf(step, report.groups_P, state.memory, startVoters(options, step));
  const figures = voteFigures(votes, state.memory, grader.same);
  const metrics = stepMetrics(report, { elapsed: state.elapsed(), klCoefficient, ...figures, ...(truth && { truth }), same: grader.same });
  await run.votes.append(votes);
  await run.metrics.append(metrics);
  remember(state.memory, votes);
  if (step % config.recordSamplesEvery === 0) await recordSamples(run, report);
  state.step = step;
  state.klCoefficient = nextKlCoefficient(metrics, config);
  observer?.stepped?.(report, metrics);
}

function startVoters({ config, policy, renderer, grader }: TrainOptions, step: number): StartVoters {
  const { startVotes: count, temperature, topP, topK, maxTokens } = config;
  return { policy, renderer, grader, count, seed: deriveSeed(config.seed, "start votes", step), temperature, topP, topK, maxTokens };
}

/** The weight of the KL penalty after a step: the same, or adapted to what the step saw. */
function nextKlCoefficient({ kl, klCoefficient }: StepMetrics, { klTarget: target, klHorizon: horizon, promptsPerStep, samplesPerPrompt }: Config): number {
  return target === 0 ? klCoefficient : adaptedCoefficient(klCoefficient, kl, { target, horizon, samples: promptsPerStep * samplesPerPrompt });
}

/** The part of a config that a step needs. */
export function stepSettings(config: Config): StepSettings {
  const { learningRate, beta1, beta2, epsilon, weightDecay, maxGradientNorm, clipLow, clipHigh } = config;
  const dual = config.dualClip > 0 ? { dualClip: config.dualClip } : {};
  const loss = config.loss === "ppo" ? ({ kind: "ppo", clipLow, clipHigh, ...dual } as const) : ({ kind: "importance_sampling" } as const);
  const critic = config.algorithm === "gae" ? { critic: { coefficient: config.criticCoefficient, clip: config.criticClip } } : {};
  const teacher = { ...config.teacher, samples: config.teacher.samples === 0 ? config.samplesPerPrompt : config.teacher.samples };
  return { ...config, teacher, update: { loss, learningRate, beta1, beta2, epsilon, weightDecay, maxGradientNorm, ...critic } };
}

function summaryOf(state: TrainState): RunSummary {
  const [before, after] = [state.evaluations.get(0), [...state.evaluations.values()].at(-1)].map((figures) => (figures === undefined ? null : summarizeEvaluation(figures)));
  return { steps: state.step, seconds: state.elapsed(), before: before!, after: after! };
}

function inOneStage(problems: readonly Problem[]): readonly Stage[] {
  return [{ problems: problems.length, steps: Infinity }];
}

/**
 * Finds before the first step what would otherwise end the run at some later one. Throws DataError, and
 * UsageError for what the policy cannot do; see `train`, which calls it too. Callers use it to refuse bad data
 * before they create a run directory.
 */
export function checkProblems(
  { config, policy, renderer, problems, stages = inOneStage(problems), heldOut }: Pick<TrainOptions, "config" | "policy" | "renderer" | "problems" | "stages" | "heldOut">,
): void {
  checkCapabilities(config, policy);
  if (heldOut.length === 0 && config.heldOut !== "") throw new DataError(`\`held-out\` (${config.heldOut}) has no problems; evaluation needs at least one.`);
  const perStep = sampledPrompts(config);
  const sources = trainSources(config).map(({ source }) => source);
  for (const [index, { problems: count }] of stages.entries()) {
    if (count >= perStep) continue;
    const name = stages.length === 1 ? sources.join(", ") : sources[index]!;
    throw new DataError(`\`train\` (${name}) has ${count} problems, but a step takes ${perStep}; give more, or lower \`prompts-per-step\`.`);
  }
  assertDisjoint(problems, heldOut);
  checkContext([...problems, ...heldOut], { policy, renderer, maxTokens: config.maxTokens });
}
