import type { Config } from "../config.ts";
import { checkpointSteps } from "../run/index.ts";
import type { RunDirectory, RunStop } from "../run/index.ts";
import { collapseAlarm, describeAlarm, lastHealthy, WINDOW } from "../srt/collapse.ts";
import type { TrainState } from "./state.ts";

/**
 * Why a run should end at the step where it stands, and which step it should go back to; `null` to go on. An alarm
 * of collapse goes back to the newest checkpoint from before its signs; early stopping, also at the last step, to
 * the best validation.
 */
export async function stopOf(state: TrainState, config: Config, run: RunDirectory): Promise<RunStop | null> {
  const { step } = state;
  const alarm = config.stopOnCollapse ? collapseAlarm(state.signals) : null;
  if (alarm !== null) {
    const healthy = (await scheduledCheckpoints(config, run)).find((saved) => saved <= alarm.lastHealthy) ?? 0;
    return { reason: "collapse", step, restored: healthy, message: describeAlarm(alarm) };
  }
  const best = bestValidation(state);
  if (best === null) return null;
  const since = [...state.validations.keys()].filter((validated) => validated > best.step).length;
  const patient = config.patience === 0 || since < config.patience;
  if (patient && (step < config.steps || best.step === step)) return null;
  const message = `validation pass@1 was best at step ${best.step} (${best.passAt1.toFixed(3)})${patient ? "" : ` and has not risen in ${since} evaluations since`}`;
  return { reason: "early-stopping", step, restored: best.step, message };
}

/** Checkpoints that a later stop may go back to, and that must stay while newer ones come. */
export async function pinnedCheckpoints(state: TrainState, config: Config, run: RunDirectory): Promise<readonly number[]> {
  const scheduled = config.stopOnCollapse ? await scheduledCheckpoints(config, run) : [];
  const newestBefore = (step: number): number => scheduled.find((saved) => saved <= step) ?? 0;
  // A run that comes to rest again has a later step to go back to, but none of the last window yet.
  const recent = newestBefore(state.step - WINDOW);
  return [newestBefore(lastHealthy(state.signals)), ...scheduled.filter((saved) => saved >= recent), bestValidation(state)?.step ?? 0];
}

/** Steps between the checkpoints of a run: a stop at a collapse needs one from shortly before it. */
export function checkpointInterval({ checkpointEvery, stopOnCollapse }: Config): number {
  return stopOnCollapse ? Math.min(checkpointEvery, WINDOW) : checkpointEvery;
}

/** Those that are due by the config, newest first. One that an interruption has left is none: without it the run would end elsewhere. */
async function scheduledCheckpoints(config: Config, run: RunDirectory): Promise<readonly number[]> {
  return (await checkpointSteps(run)).filter((saved) => saved % checkpointInterval(config) === 0);
}

/** The validation with the largest pass@1, the earliest of equals; `null` before the first. */
export function bestValidation({ validations }: Pick<TrainState, "validations">) {
  return [...validations.values()].reduce<{ readonly step: number; readonly passAt1: number } | null>(
    (best, found) => (best === null || found.passAt1 > best.passAt1 ? found : best),
    null,
  );
}
