import { PolicyError } from "../errors.ts";
import type { Loss, UpdateOptions } from "../policy.ts";
import type { TrainingRow, UpdateReport } from "../types.ts";
import { sum } from "../util/statistics.ts";
import { strictZip } from "../util/strict-zip.ts";
import { completionLogprobs, datumOf } from "./datums.ts";
import { lossAt } from "./loss.ts";
import type { AdamParameters, RemoteModel, Trained } from "./model.ts";
import type { ServerTraits } from "./server.ts";
import type { Datum, LossInput } from "./wire.ts";

/**
 * One optimizer step from all rows. The loss is the port's on every server: weights are in the advantages, a server's
 * mean is undone, and a loss that servers lack is sent as its slope at the logprobs of now. The report is
 * computed here, from the logprobs that the server returns. Rows that are not finite are not sent.
 */
export async function updateModel(model: RemoteModel, rows: readonly TrainingRow[], options: UpdateOptions, traits: ServerTraits): Promise<UpdateReport> {
  const some = rows.filter(({ completion }) => completion.length > 0);
  const skipped = { loss: NaN, gradientNorm: NaN, skipped: true, clipFraction: 0, tokens: sum(some.map(({ completion }) => completion.length)) };
  if (some.length === 0) return { ...skipped, loss: 0, gradientNorm: 0, skipped: false };
  if (!some.every((row) => isFinite(row, options.loss))) return skipped;
  if (servesAsIs(options.loss, some, traits)) {
    const trained = await model.train(datumsOf(some, options.loss, traits), serverLoss(options.loss), adamOf(options), traits);
    return report(lossAt(options.loss, some, completionLogprobs(some, trained.outputs)), trained);
  }
  const logprobs = await model.logprobs(some);
  const now = lossAt(options.loss, some, logprobs);
  // At a ratio of 1, importance sampling has the slope -A.
  const linear = strictZip(some, strictZip(logprobs, now.slopes)).map(([row, [logprobs_T, slopes_T]]) => ({ ...row, logprobs: logprobs_T, advantages: slopes_T.map((slope) => -slope), weights: slopes_T.map(() => 1) }));
  if (!linear.every((row) => isFinite(row, LINEAR))) return { ...skipped, loss: now.loss };
  return report(now, await model.train(datumsOf(linear, LINEAR, traits), serverLoss(LINEAR), adamOf(options), traits));
}

const LINEAR: Loss = { kind: "importance_sampling" };

/** Throws PolicyError where a server found no finite gradient and does not say that it skipped it: its optimizer has it already. */
function report({ loss, clipFraction, tokens }: Omit<UpdateReport, "gradientNorm" | "skipped">, { gradientNorm, skipped }: Pick<Trained, "gradientNorm" | "skipped">): UpdateReport {
  if (skipped) return { loss, gradientNorm, skipped, clipFraction, tokens };
  if (gradientNorm === Infinity) throw new PolicyError("The training server stepped along a gradient that is not finite; continue the run from its last checkpoint, with a lower learning rate.");
  return { loss, gradientNorm, skipped: false, clipFraction, tokens };
}

/** Whether a server's own loss is the port's when the weights are in the advantages. */
function servesAsIs(loss: Loss, rows: readonly TrainingRow[], { reduction }: ServerTraits): boolean {
  // A mean divides by the weights, which are the loss's own here.
  if (loss.kind === "cross_entropy") return reduction === "sum";
  // The smaller of two products is the larger one under a negative weight.
  return loss.kind === "importance_sampling" || (loss.dualClip === undefined && rows.every(({ weights }) => every(weights, (weight) => weight >= 0)));
}

/** Each row as a datum. Under a mean over datums of means over tokens, each counts as often as both divide it. */
function datumsOf(rows: readonly TrainingRow[], loss: Loss, { reduction }: ServerTraits): readonly Datum[] {
  return rows.map((row) => {
    if (loss.kind === "cross_entropy") return datumOf(row, { weights: row.weights });
    const divided = reduction === "mean" ? row.completion.length * rows.length : 1;
    const advantages = row.completion.map((_, t) => row.advantages[t]! * row.weights[t]! * divided);
    return datumOf(row, { logprobs: row.logprobs, advantages, weights: advantages.map(() => 1) });
  });
}

function serverLoss(loss: Loss): Omit<LossInput, "data"> {
  if (loss.kind !== "ppo") return { loss_fn: loss.kind };
  return { loss_fn: "ppo", loss_fn_config: { clip_low_threshold: 1 - loss.clipLow, clip_high_threshold: 1 + loss.clipHigh } };
}

function adamOf({ learningRate, beta1, beta2, epsilon, weightDecay, maxGradientNorm }: UpdateOptions): AdamParameters {
  return { learning_rate: learningRate, beta1, beta2, eps: epsilon, weight_decay: weightDecay, grad_clip_norm: Number.isFinite(maxGradientNorm) ? maxGradientNorm : 0 };
}

/** JSON has no other numbers. */
function isFinite(row: TrainingRow, loss: Loss): boolean {
  const read = loss.kind === "cross_entropy" ? [row.weights] : [row.weights, row.logprobs, row.advantages];
  return read.every((values) => every(values, Number.isFinite));
}

function every(values: ArrayLike<number>, holds: (value: number) => boolean): boolean {
  for (let index = 0; index < values.length; index++) if (!holds(values[index]!)) return false;
  return true;
}
