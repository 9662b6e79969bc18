import type { CriticOptions, ForwardBackwardReport, Loss, Objective, ScoredSequence } from "../policy.ts";
import type { TrainingRow } from "../types.ts";
import { causalMask, microBatches } from "./batches.ts";
import type { MicroBatch, TokenBudget } from "./batches.ts";
import { gradientName, sumName } from "./models/graphs.ts";
import type { TrainingGraph } from "./models/graphs.ts";
import type { ParameterLayout, ParameterTensor } from "./models/parameters.ts";
import type { RotaryFeeds } from "./models/rotary.ts";
import { floatTensor, integerTensor } from "./session.ts";
import type { Feeds, Session } from "./session.ts";
import { createWeights } from "./weights.ts";
import type { Weights } from "./weights.ts";

export interface GradientParts {
  readonly session: Session;
  readonly graph: TrainingGraph;
  readonly layout: ParameterLayout;
  readonly weights: Weights;
  readonly rotary: RotaryFeeds;
  /** Query heads per key/value head. */
  readonly group: number;
  readonly tokenBudget: TokenBudget;
}

/** Adds the gradient of the rows' loss to `into`, `[parameters]`, micro-batch by micro-batch. */
export async function accumulateGradient(
  rows: readonly (TrainingRow & ScoredSequence)[],
  { loss, critic }: Objective,
  parts: GradientParts,
  into: Float32Array,
): Promise<ForwardBackwardReport> {
  const logprobs = rows.map(({ completion }) => new Float32Array(completion.length));
  const totals = { loss: 0, clipped: 0, tokens: 0 };
  const { sums, places } = gradientTensors(parts, into);
  for (const batch of microBatches(rows, parts.tokenBudget)) {
    const aligned = alignedWithTargets(batch, rows);
    const ofCritic = parts.graph.critic ? criticFeeds(batch, rows, critic) : {};
    const outputs = await parts.session.run({ ...parts.weights.feeds, ...sequenceFeeds(batch, parts), ...lossFeeds(aligned, loss), ...ofCritic, ...sums }, places);
    addRowGradients(outputs, batch, parts, into);
    totals.loss += outputs("loss")[0]!;
    totals.tokens += batch.targets.length;
    totals.clipped += loss.kind === "ppo" ? countClipped(outputs("logprobs"), aligned, loss) : 0;
    toRows(outputs("logprobs"), batch, logprobs);
  }
  return { logprobs, loss: totals.loss, tokens: totals.tokens, clipFraction: totals.tokens === 0 ? 0 : totals.clipped / totals.tokens };
}

/** Puts one number for each completion token of a micro-batch into the arrays of its rows. */
export function toRows(numbers: Float32Array, { rows }: MicroBatch, into: readonly Float32Array[]): void {
  let place = 0;
  for (const row of rows) into[row]!.set(numbers.subarray(place, (place += into[row]!.length)));
}

/** The inputs that name the sequences of a micro-batch, for the training and the logprobs graph. */
export function sequenceFeeds({ ids, time, rows, selected, targets }: MicroBatch, { group, rotary }: Pick<GradientParts, "group" | "rotary">): Feeds {
  return {
    ...rotary(time),
    ids: integerTensor(ids, [rows.length, time]),
    mask: floatTensor(causalMask(time, group), [1, 1, group * time, time]),
    selected: integerTensor(selected, [selected.length]),
    targets: integerTensor(targets, [targets.length]),
  };
}

interface Aligned {
  readonly behaviour: Float32Array;
  readonly advantages: Float32Array;
  readonly weights: Float32Array;
}

function alignedWithTargets(batch: MicroBatch, rows: readonly TrainingRow[]): Aligned {
  const length = batch.targets.length;
  const aligned = { behaviour: new Float32Array(length), advantages: new Float32Array(length), weights: new Float32Array(length) };
  let place = 0;
  for (const index of batch.rows) {
    const row = rows[index]!;
    aligned.behaviour.set(row.logprobs, place);
    aligned.advantages.set(row.advantages, place);
    aligned.weights.set(row.weights, place);
    place += row.completion.length;
  }
  return aligned;
}

function lossFeeds({ behaviour, advantages, weights }: Aligned, loss: Loss): Feeds {
  const shape = [weights.length];
  const always = { weights: floatTensor(weights, shape) };
  if (loss.kind === "cross_entropy") return always;
  const surrogate = { ...always, behaviour: floatTensor(behaviour, shape), advantages: floatTensor(advantages, shape) };
  if (loss.kind === "importance_sampling") return surrogate;
  const { dualClip } = loss;
  return {
    ...surrogate,
    floors: floatTensor(advantages.map((advantage) => (dualClip !== undefined && advantage < 0 ? dualClip * advantage : -Infinity)), shape),
    low: floatTensor(Float32Array.of(1 - loss.clipLow), []),
    high: floatTensor(Float32Array.of(1 + loss.clipHigh), []),
  };
}

/** What the critic's loss takes. Rows without `critic` weigh nothing, and none does without the critic's options. */
function criticFeeds(batch: MicroBatch, rows: readonly TrainingRow[], { coefficient, clip }: CriticOptions = { coefficient: 0, clip: 0 }): Feeds {
  const length = batch.targets.length;
  const feeds = { oldValues: new Float32Array(length), returns: new Float32Array(length), criticWeights: new Float32Array(length) };
  let place = 0;
  for (const index of batch.rows) {
    const { critic, weights, completion } = rows[index]!;
    if (critic) {
      feeds.oldValues.set(critic.values, place);
      feeds.returns.set(critic.returns, place);
      feeds.criticWeights.set(Float32Array.from(weights, (weight) => (coefficient / 2) * weight), place);
    }
    place += completion.length;
  }
  const tensors = Object.entries(feeds).map(([name, data]) => [name, floatTensor(data, [length])] as const);
  return { ...Object.fromEntries(tensors), valueLow: floatTensor(Float32Array.of(-clip), []), valueHigh: floatTensor(Float32Array.of(clip), []) };
}

/** The dense part of `into` as inputs and, in the same memory, as outputs of the training graph. */
function gradientTensors({ graph, layout }: GradientParts, into: Float32Array): { readonly sums: Feeds; readonly places: Feeds } {
  const { feeds } = createWeights(into, layout);
  const named = (nameOf: (parameter: string) => string): Feeds => Object.fromEntries(graph.denseGradients.map((parameter) => [nameOf(parameter), feeds[parameter]!]));
  return { sums: named(sumName), places: named(gradientName) };
}

function addRowGradients(outputs: (name: string) => Float32Array, batch: MicroBatch, { graph, layout }: GradientParts, into: Float32Array): void {
  const tensors = new Map<string, ParameterTensor>(layout.graph.map((tensor) => [tensor.name, tensor]));
  for (const { parameter, ids, output } of graph.rowGradients) {
    const { offset, shape } = tensors.get(parameter)!;
    addRows(into, offset, shape[1]!, ids === "ids" ? batch.ids : batch.targets, outputs(output));
  }
}

/** Adds row i of `rows` to row ids[i] of the table at `offset`. */
function addRows(into: Float32Array, offset: number, width: number, ids: Int32Array, rows: Float32Array): void {
  for (let row = 0; row < ids.length; row++) {
    const target = offset + ids[row]! * width;
    const source = row * width;
    for (let column = 0; column < width; column++) into[target + column]! += rows[source + column]!;
  }
}

function countClipped(logprobs: Float32Array, { behaviour, advantages }: Aligned, { clipLow, clipHigh, dualClip = Infinity }: Extract<Loss, { kind: "ppo" }>): number {
  let clipped = 0;
  for (let index = 0; index < logprobs.length; index++) {
    const ratio = Math.exp(logprobs[index]! - behaviour[index]!);
    const advantage = advantages[index]!;
    if ((advantage > 0 && ratio > 1 + clipHigh) || (advantage < 0 && (ratio < 1 - clipLow || ratio > dualClip))) clipped++;
  }
  return clipped;
}
