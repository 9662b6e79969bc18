import type { Config } from "../config.ts";
import { CheckpointError, RunDirectoryError } from "../errors.ts";
import type { Policy } from "../policy.ts";
import { checkpointPath, checkpointSteps, rewindSamples, setAsideCheckpoint, verifyCheckpoint } from "../run/index.ts";
import type { EvaluationMetrics, MetricsLine, RunDirectory } from "../run/index.ts";
import type { Signals } from "../srt/collapse.ts";
import { startTeacher } from "../step.ts";
import type { Grader, LabelledProblem } from "../types.ts";
import { emptyMemory, remember, signalsOf } from "./memory.ts";
import type { VoteMemory } from "./memory.ts";
import { nextKlCoefficient, stepSettings } from "./settings.ts";

/** Where a run stands. */
export interface TrainState {
  /** Updates so far. */
  step: number;
  /** Step of the newest checkpoint; -1 without one. */
  saved: number;
  /** Weight of the KL penalty in the next step. */
  klCoefficient: number;
  readonly memory: VoteMemory;
  /** What each step so far says of the run's health. */
  readonly signals: Signals[];
  /** On the held-out problems, and on those that early stopping watches, by step. */
  readonly evaluations: Map<number, EvaluationMetrics>;
  readonly validations: Map<number, EvaluationMetrics>;
  /** Seconds since the run began, without those between an interruption and its resumption. */
  readonly elapsed: () => number;
}

export interface RestoreOptions {
  readonly config: Config;
  readonly policy: Policy;
  readonly grader: Grader;
  readonly heldOut: readonly LabelledProblem[];
  readonly run: RunDirectory;
  readonly observer?: { readonly resumed?: (step: number) => void; readonly warned?: (message: string) => void };
  readonly clock: () => number;
}

/** Loads the newest sound checkpoint and drops what was recorded after it: those steps are run again. */
export async function restore({ config, heldOut, grader, run, policy, observer, clock }: RestoreOptions): Promise<TrainState> {
  const started = clock();
  const hadBegun = (await run.metrics.read()).some(({ step }) => step > 0);
  const saved = await loadNewest(run, policy, observer?.warned);
  const step = Math.max(0, saved);
  if (step > 0) observer?.resumed?.(step);
  else if (hadBegun) observer?.warned?.(`${run.path} has no checkpoint to continue from: the run starts again from step 0.`);
  const lines = await run.metrics.rewind(step);
  const votes = await run.votes.rewind(step);
  await run.evaluations.rewind(step);
  await rewindSamples(run, step);
  const evaluations = byStep(lines, "evaluation");
  if (step > 0 && heldOut.length > 0 && !evaluations.has(0)) {
    throw new RunDirectoryError(`${run.path}/metrics.jsonl lacks the evaluation of step 0; restore the file, or start a new run.`);
  }
  if (step === 0) await startTeacher(policy, stepSettings(config).teacher);
  const before = Math.max(0, ...lines.map(({ timing }) => timing.elapsed));
  const steps = lines.flatMap((line) => (line.kind === "step" ? [line] : []));
  const newest = steps.at(-1);
  const klCoefficient = newest === undefined ? config.klCoefficient : nextKlCoefficient(newest, config);
  const memory = emptyMemory();
  const signals = votes.map((line, index) => {
    remember(memory, line);
    return signalsOf(line, steps[index]!, memory, grader.same);
  });
  const validations = byStep(lines, "validation");
  return { step, saved, klCoefficient, memory, signals, evaluations, validations, elapsed: () => before + clock() - started };
}

function byStep(lines: readonly MetricsLine[], kind: EvaluationMetrics["kind"]): Map<number, EvaluationMetrics> {
  return new Map(lines.flatMap((line) => (line.kind === "evaluation" || line.kind === "validation" ? [line] : [])).filter((line) => line.kind === kind).map((line) => [line.step, line]));
}

/**
 * Loads the newest sound checkpoint, takes newer ones out of use, and returns its step; -1 when there is none at
 * all. Where none of several is sound, the cause may lie elsewhere, as in another model under the same name:
 * then it throws CheckpointError and touches nothing.
 */
async function loadNewest(run: RunDirectory, policy: Policy, warned: ((message: string) => void) | undefined): Promise<number> {
  const refused: { readonly step: number; readonly reason: string }[] = [];
  for (const step of await checkpointSteps(run)) {
    const reason = await loadOrRefuse(step, run, policy);
    if (reason !== null) {
      refused.push({ step, reason });
      continue;
    }
    for (const newer of refused) {
      warned?.(`The checkpoint of step ${newer.step} is refused: ${newer.reason}; that of step ${step} is used.`);
      await setAsideCheckpoint(run, newer.step);
    }
    return step;
  }
  if (refused.length === 0) return -1;
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
