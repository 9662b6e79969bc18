import { sampledPrompts, trainSources } from "./config.ts";
import type { Config } from "./config.ts";
import { assertDisjoint, problemsOfStagedStep } from "./data/index.ts";
import type { Stage } from "./data/index.ts";
import { CheckpointError, DataError } from "./errors.ts";
import { checkContext, evaluate } from "./evaluate.ts";
import type { Evaluation, ProblemResult } from "./evaluate.ts";
import type { Policy } from "./policy.ts";
import { checkpointPath, evaluationMetrics, modelCard, readSummary, recordSamples, saveCheckpoint, saveModel, stepMetrics, summarizeEvaluation, verifyCheckpoint, withTensorBoard, writeSummary } from "./run/index.ts";
import type { AnswersLine, EvaluationMetrics, RunDirectory, RunStop, RunSummary, StepMetrics } from "./run/index.ts";
import { trainStep } from "./step.ts";
import { checkCapabilities } from "./train/capabilities.ts";
import { remember, signalsOf, voteFigures, votesOf } from "./train/memory.ts";
import type { ProbeOptions, StartVoters } from "./train/memory.ts";
import { nextKlCoefficient, stepSettings } from "./train/settings.ts";
import { restore } from "./train/state.ts";
import type { TrainState } from "./train/state.ts";
import { bestValidation, checkpointInterval, pinnedCheckpoints, stopOf } from "./train/stopping.ts";
import type { Grader, LabelledProblem, Problem, Renderer, RewardSource, StepReport } from "./types.ts";
import { deriveSeed } from "./util/random.ts";

export { stepSettings } from "./train/settings.ts";

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
  /** Labelled problems that early stopping watches; none when absent. */
  readonly validation?: readonly LabelledProblem[];
  /** Problems on which the run watches whether it still gives the first model's answers; none when absent. */
  readonly probe?: readonly Problem[];
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
 * that does not fit the context, UsageError for what the policy cannot do, CheckpointError when there are
 * checkpoints but none that can be used, RunDirectoryError when the disk refuses, and what the policy throws.
 */
export async function train(given: TrainOptions): Promise<TrainResult> {
  const options = given.config.tensorboard ? { ...given, run: { ...given.run, metrics: withTensorBoard(given.run.metrics, given.run.path) } } : given;
  const { config, policy, run, observer, signal } = options;
  const summary = await readSummary(run);
  if (summary !== null) {
    observer?.warned?.(`${run.path} is complete (${summary.steps} steps): there is nothing left to train.`);
    return { ...summary, interrupted: false };
  }
  checkProblems(options);
  const state = await restore(options);
  let stop: RunStop | null = null;
  for (;;) {
    const last = state.step >= config.steps;
    // After an interruption the evaluation waits for the resumption; only the first is never put off.
    const due = last || state.step % config.evaluateEvery === 0;
    if (due && !(signal.aborted && state.step > 0)) await evaluateAt(state.step, options, state);
    await checkpointIfDue(options, state, last || signal.aborted);
    if (signal.aborted) return { ...summaryOf(state, null), interrupted: true };
    stop = await stopOf(state, config, run);
    if (stop !== null || last) break;
    await stepFrom(options, state);
  }
  if (stop !== null) await goBack(stop, options, state);
  const result = summaryOf(state, stop);
  if (policy.description.capabilities.includes("export")) {
    const card = modelCard({ config, configText: run.configText, summary: result });
    await saveModel(run, card, (directory) => policy.exportModel(directory));
  }
  await writeSummary(run, result);
  return { ...result, interrupted: false };
}

/** Evaluates on the held-out problems and on those that early stopping watches, where there are any and it is not done. */
async function evaluateAt(step: number, options: TrainOptions, state: TrainState): Promise<void> {
  const { heldOut, validation = [], observer } = options;
  if (heldOut.length > 0 && !state.evaluations.has(step)) {
    const evaluation = await evaluateOn(heldOut, "evaluation", step, options, state);
    observer?.evaluated?.(step, evaluation);
  }
  if (validation.length > 0 && !state.validations.has(step)) await evaluateOn(validation, "validation", step, options, state);
}

async function evaluateOn(problems: readonly LabelledProblem[], kind: EvaluationMetrics["kind"], step: number, options: TrainOptions, state: TrainState): Promise<Evaluation> {
  const { config, policy, renderer, grader, run, clock } = options;
  const { evaluateSamples: samples, evaluateTemperature: temperature, maxTokens } = config;
  const started = clock();
  // The same seed at every step: what changes between two evaluations is the model.
  const seed = deriveSeed(config.seed, "evaluate");
  const evaluation = await evaluate({ policy, renderer, grader, problems, samples, temperature, topP: 1, maxTokens, seed });
  const metrics = evaluationMetrics(step, evaluation, { seconds: clock() - started, elapsed: state.elapsed() }, kind);
  await run.evaluations.append({ kind, step, problems: evaluation.results.map(answered) });
  await run.metrics.append(metrics);
  (kind === "evaluation" ? state.evaluations : state.validations).set(step, metrics);
  return evaluation;
}

function answered({ problem, samples, vote, majorityCorrect }: ProblemResult): AnswersLine["problems"][number] {
  return [problem.id, samples.filter(({ correct }) => correct).length, vote.majority?.answer ?? null, majorityCorrect];
}

/** Saves the state where the config asks for it, at the end, and wherever a stop may want to come back to. */
async function checkpointIfDue({ config, policy, run, observer }: TrainOptions, state: TrainState, last: boolean): Promise<void> {
  const { step } = state;
  const isBest = bestValidation(state)?.step === step;
  const first = step === 0 && config.stopOnCollapse;
  const due = last ? step > 0 : step > 0 && step % checkpointInterval(config) === 0;
  if (step <= state.saved || !(due || isBest || first)) return;
  const pinned = await pinnedCheckpoints(state, config, run);
  await saveCheckpoint(run, step, { kept: config.checkpointsKept, pinned }, (directory) => policy.saveState(directory));
  state.saved = step;
  observer?.checkpointed?.(step);
}

/** Loads the weights of an earlier step, which become the run's result. */
async function goBack({ message, restored, reason }: RunStop, options: TrainOptions, state: TrainState): Promise<void> {
  const { policy, run, observer } = options;
  observer?.warned?.(`${reason === "collapse" ? "Stopped, the run is collapsing" : "Stopped"}: ${message}. The weights are those of step ${restored}.`);
  await verifyCheckpoint(run, restored).catch((error: unknown) => {
    throw error instanceof CheckpointError ? new CheckpointError(`${error.message.replace(/\.$/, "")}; the run wants to end with it: restore it, or delete it to let the run be trained again from the one before.`, { cause: error }) : error;
  });
  await policy.loadState(checkpointPath(run, restored));
  state.step = restored;
  await evaluateAt(restored, options, state);
}

async function stepFrom(options: TrainOptions, state: TrainState): Promise<void> {
  const { config, problems, stages = inOneStage(problems), grader, truth, run, observer } = options;
  const step = state.step + 1;
  const chosen_P = problemsOfStagedStep(problems, stages, step, sampledPrompts(config), config.seed);
  const { klCoefficient } = state;
  const settings = { ...stepSettings(config), klCoefficient, seed: deriveSeed(config.seed, "sample", step) };
  const report = await trainStep(step, chosen_P, options, settings);
  if (report.update?.skipped === true) {
    observer?.warned?.(`A gradient of step ${step} is not finite: that update was skipped.`);
  }
  const votes = await votesOf(step, report.groups_P, state.memory, startVoters(options, step), probeAt(step, options));
  const figures = voteFigures(votes, state.memory, grader.same);
  remember(state.memory, votes);
  const startSupport = state.memory.probe?.step === step ? state.memory.probe.support : null;
  const metrics = stepMetrics(report, { elapsed: state.elapsed(), klCoefficient, ...figures, startSupport, ...(truth && { truth }), same: grader.same });
  await run.votes.append(votes);
  await run.metrics.append(metrics);
  state.signals.push(signalsOf(votes, metrics, state.memory, grader.same));
  if (step % config.recordSamplesEvery === 0) await recordSamples(run, report, { decode: options.renderer.decode, ...(truth && { truth }) });
  state.step = step;
  state.klCoefficient = nextKlCoefficient(metrics, config);
  observer?.stepped?.(report, metrics);
}

function startVoters({ config, policy, renderer, grader }: TrainOptions, step: number): StartVoters {
  const { startVotes: count, temperature, topP, topK, maxTokens } = config;
  return { policy, renderer, grader, count, seed: deriveSeed(config.seed, "start votes", step), temperature, topP, topK, maxTokens };
}

/** The probe that is due after a step: the first step has one, so that a run that falls at once is seen to fall. */
function probeAt(step: number, { config, probe: problems = [] }: TrainOptions): ProbeOptions | null {
  const { samples, every } = config.probe;
  if (problems.length === 0 || !(step === 1 || step % every === 0)) return null;
  return { problems, samples, seed: deriveSeed(config.seed, "probe") };
}

function summaryOf(state: TrainState, stop: RunStop | null): RunSummary {
  const { evaluations, step } = state;
  const figures = [evaluations.get(0), evaluations.get(step) ?? [...evaluations.values()].at(-1)];
  const [before, after] = figures.map((found) => (found === undefined ? null : summarizeEvaluation(found)));
  return { steps: step, seconds: state.elapsed(), before: before!, after: after!, ...(stop !== null && { stopped: stop }) };
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
  { config, policy, renderer, problems, stages = inOneStage(problems), heldOut, validation = [], probe = [] }: Pick<TrainOptions, "config" | "policy" | "renderer" | "problems" | "stages" | "heldOut" | "validation" | "probe">,
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
  const bare = config.crossLabels ? problems.find(({ paraphrase }) => paraphrase === undefined) : undefined;
  if (bare !== undefined) {
    throw new DataError(`The problem \`${bare.id}\` of ${bare.source} has no \`paraphrase\`, which \`cross-labels\` needs; give every question one, or set \`cross-labels\` to false.`);
  }
  assertDisjoint(problems, heldOut);
  assertDisjoint(problems, validation, "validation");
  assertDisjoint(heldOut, validation, "validation", "held-out");
  checkContext([...problems, ...heldOut, ...validation, ...probe], { policy, renderer, maxTokens: config.maxTokens });
}
