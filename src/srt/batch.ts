import type { LossAggregation } from "../options.ts";
import type { Sample, TrainingRow, UpdateReport } from "../types.ts";
import { createRandom, deriveSeed, shuffled } from "../util/random.ts";
import { mean, sum } from "../util/statistics.ts";
import { strictZip } from "../util/strict-zip.ts";
import { tokenWeights } from "./loss-weights.ts";

export interface BatchOptions {
  readonly lossAggregation: LossAggregation;
  /** Whether the tokens of the final answer are left out of the loss. */
  readonly maskAnswer: boolean;
  /** Passes over the batch. */
  readonly epochs: number;
  /** Updates of each pass. */
  readonly miniBatches: number;
  readonly seed: number;
}

/** A sample that trains, and what a critic should have said of it, where there is one. */
export interface TrainedSample {
  readonly prompt: readonly number[];
  readonly sample: Sample;
  readonly advantages_T: Float32Array;
  readonly critic: TrainingRow["critic"] | undefined;
}

/**
 * The rows of each update of a step, `[update][row]`: as many passes as epochs, each in an order of its own and
 * cut into mini-batches of nearly the same size. Rows without a token that counts are left out, and the loss
 * is a mean over each mini-batch.
 */
export function updateBatches(samples: readonly TrainedSample[], { seed, epochs, miniBatches, ...options }: BatchOptions): readonly (readonly TrainingRow[])[] {
  const counting = samples.filter((one) => countedTokens(one, options) > 0);
  if (counting.length === 0) return [];
  // The only pass in one piece keeps the order of the samples.
  if (epochs === 1 && miniBatches === 1) return [rowsOf(counting, options)];
  const parts = Math.min(miniBatches, counting.length);
  return Array.from({ length: epochs }, (_, epoch) => shuffled(counting, createRandom(deriveSeed(seed, "mini-batches", epoch)))).flatMap((order) =>
    Array.from({ length: parts }, (_, part) => rowsOf(order.slice(Math.round((part * order.length) / parts), Math.round(((part + 1) * order.length) / parts)), options)),
  );
}

type RowOptions = Pick<BatchOptions, "lossAggregation" | "maskAnswer">;

function rowsOf(samples: readonly TrainedSample[], options: RowOptions): readonly TrainingRow[] {
  const weights = tokenWeights(samples.map((one) => countedTokens(one, options)), options.lossAggregation);
  return strictZip(samples, weights).map(([{ prompt, sample, advantages_T, critic }, weight]) => {
    const weights_T = new Float32Array(sample.tokens.length).fill(weight);
    if (options.maskAnswer) weights_T.fill(0, sample.answerSpan.start, sample.answerSpan.end);
    return { prompt, completion: sample.tokens, logprobs: sample.logprobs, advantages: advantages_T, weights: weights_T, ...(critic && { critic }) };
  });
}

function countedTokens({ sample: { tokens, answerSpan } }: TrainedSample, { maskAnswer }: RowOptions): number {
  return tokens.length - (maskAnswer ? answerSpan.end - answerSpan.start : 0);
}

/** The reports of several updates as one: losses and norms are means over those that were made, token counts sums. */
export function combinedReport(reports: readonly UpdateReport[]): UpdateReport {
  const tokens = sum(reports.map((report) => report.tokens));
  const made = reports.filter(({ skipped }) => !skipped);
  const counted = made.length === 0 ? reports : made;
  return {
    loss: mean(counted.map(({ loss }) => loss)),
    gradientNorm: mean(counted.map(({ gradientNorm }) => gradientNorm)),
    skipped: made.length < reports.length,
    clipFraction: tokens === 0 ? 0 : sum(reports.map((report) => report.clipFraction * report.tokens)) / tokens,
    tokens,
  };
}
