import type { Loss } from "../../policy.ts";
import { strictZip } from "../../util/strict-zip.ts";
import { createGraphBuilder } from "../graph/builder.ts";
import type { GraphBuilder, Value } from "../graph/builder.ts";
import { gradients } from "../graph/gradient.ts";
import { selectRows, tokenLogprobs } from "../graph/layers.ts";
import { matmulNode } from "../graph/matmul.ts";
import { add, clip, exponential, maximum, minimum, multiply, negate, subtract, sumAll } from "../graph/operations.ts";
import type { GraphDefinition } from "../graph/protobuf.ts";
import { cachedAttention, sequenceAttention } from "./attention.ts";
import type { KeysAndValues } from "./attention.ts";
import type { DecoderConfiguration } from "./configuration.ts";
import { squaredErrors, stateValues } from "./critic.ts";
import { declareParameters, decoder } from "./decoder.ts";
import type { DecoderParameters } from "./decoder.ts";

/** Names of the training graph's inputs for the gradients of earlier micro-batches, and of its outputs with its own added. */
export const sumName = (parameter: string): string => `sum:${parameter}`;
export const gradientName = (parameter: string): string => `gradient:${parameter}`;
const ROW_GRADIENT = "rows";

export interface TrainingGraph {
  readonly definition: GraphDefinition;
  /** Parameters with a dense gradient, an input named by `sumName` and an output by `gradientName`. */
  readonly denseGradients: readonly string[];
  /** Gradients of tables that arrive row by row: the rows of an output belong to the ids of an input. */
  readonly rowGradients: readonly { readonly parameter: string; readonly ids: string; readonly output: string }[];
  /** Whether the loss is also a critic's, with inputs of its own. */
  readonly critic: boolean;
}

interface SequenceInputs {
  readonly ids: Value;
  readonly mask: Value;
  readonly selected: Value;
  readonly targets: Value;
}

/** Inputs: ids [batch, time], mask, selected [tokens] (places of batch * time), targets [tokens]. */
function sequenceInputs(builder: GraphBuilder): SequenceInputs {
  return {
    ids: builder.input("ids", "int64", ["batch", "time"]),
    mask: builder.input("mask", "float32", [1, 1, "groupTime", "time"]),
    selected: builder.input("selected", "int64", ["tokens"]),
    targets: builder.input("targets", "int64", ["tokens"]),
  };
}

/** The normalized hidden states that chosen tokens follow on, [tokens, width], and those tokens, [tokens]. */
function statesBefore(builder: GraphBuilder, config: DecoderConfiguration, parameters: DecoderParameters): { readonly hidden: Value; readonly targets: Value } {
  const { ids, mask, selected, targets } = sequenceInputs(builder);
  const positions = builder.constant([0], [1]);
  const hidden = decoder(builder, config, parameters, { ids, positions }, sequenceAttention(builder, config, mask));
  return { hidden: selectRows(builder, hidden, selected), targets };
}

/** Log-probabilities of chosen tokens of whole sequences, output `logprobs` [tokens]. */
export function logprobsGraph(config: DecoderConfiguration): GraphDefinition {
  const builder = createGraphBuilder();
  const parameters = declareParameters(builder, config);
  const { hidden, targets } = statesBefore(builder, config, parameters);
  builder.output("logprobs", tokenLogprobs(builder, hidden, parameters.head, targets));
  return builder.finish();
}

/** The critic's values before chosen tokens of whole sequences, output `values` [tokens]. */
export function valuesGraph(config: DecoderConfiguration): GraphDefinition {
  const builder = createGraphBuilder();
  const parameters = declareParameters(builder, config);
  const { hidden } = statesBefore(builder, config, parameters);
  builder.output("values", stateValues(builder, hidden, parameters.valueHead!));
  return builder.finish();
}

/**
 * Loss and gradients of one micro-batch: the weighted sum of token losses. Further inputs, all [tokens]:
 * `behaviour` logprobs, `advantages`, `weights`; for ppo also `floors`, the least that a token's surrogate counts
 * as, and the scalars `low` and `high`; with a critic `criticWeights` of the squared errors, whose sum is added to the loss,
 * and what `squaredErrors` takes. For each trained parameter the sum of earlier gradients. Outputs: `loss`,
 * `logprobs`, the sums with the gradients added, and the row gradients.
 */
export function trainingGraph(config: DecoderConfiguration, loss: Loss["kind"]): TrainingGraph {
  const builder = createGraphBuilder();
  const parameters = declareParameters(builder, config);
  const { hidden, targets } = statesBefore(builder, config, parameters);
  const logprobs = tokenLogprobs(builder, hidden, parameters.head, targets);
  const weighted = (losses: Value, weights: string): Value => sumAll(builder, multiply(builder, losses, builder.input(weights, "float32", ["tokens"])));
  const ofPolicy = weighted(tokenLosses(builder, logprobs, loss), "weights");
  const { valueHead } = parameters;
  const total = valueHead ? add(builder, ofPolicy, weighted(squaredErrors(builder, stateValues(builder, hidden, valueHead)), "criticWeights")) : ofPolicy;
  const found = gradients(builder, total, parameters.trained, ({ name, shape }) => builder.input(sumName(name), "float32", shape));

  builder.output("loss", total);
  builder.output("logprobs", logprobs);
  const denseGradients: string[] = [];
  const rowGradients: TrainingGraph["rowGradients"][number][] = [];
  strictZip(parameters.trained, found).forEach(([{ name }, { dense, rows }]) => {
    if (dense) {
      builder.output(gradientName(name), dense);
      denseGradients.push(name);
    }
    for (const row of rows) {
      const output = `${ROW_GRADIENT}${rowGradients.length}`;
      builder.output(output, row.rows);
      rowGradients.push({ parameter: name, ids: row.ids.name, output });
    }
  });
  return { definition: builder.finish(), denseGradients, rowGradients, critic: valueHead !== null };
}

/** Loss of each token, [tokens]; formulas at `Loss` in the policy port. */
function tokenLosses(builder: GraphBuilder, logprobs: Value, loss: Loss["kind"]): Value {
  if (loss === "cross_entropy") return negate(builder, logprobs);
  const behaviour = builder.input("behaviour", "float32", ["tokens"]);
  const advantages = builder.input("advantages", "float32", ["tokens"]);
  const ratio = exponential(builder, subtract(builder, logprobs, behaviour));
  const surrogate = multiply(builder, ratio, advantages);
  if (loss === "importance_sampling") return negate(builder, surrogate);
  const limited = clip(builder, ratio, builder.input("low", "float32", []), builder.input("high", "float32", []));
  const pessimistic = minimum(builder, surrogate, multiply(builder, limited, advantages));
  return negate(builder, maximum(builder, pessimistic, builder.input("floors", "float32", ["tokens"])));
}

/** Keys, values and next-token probabilities of whole prompts: outputs `keys0`, `values0`, … and `probabilities` [batch, vocabulary]. */
export function prefillGraph(config: DecoderConfiguration): GraphDefinition {
  const builder = createGraphBuilder();
  const parameters = declareParameters(builder, config);
  const ids = builder.input("ids", "int64", ["batch", "time"]);
  const mask = builder.input("mask", "float32", [1, 1, "groupTime", "time"]);
  const selected = builder.input("selected", "int64", ["batch"]);
  const attention = sequenceAttention(builder, config, mask, (layer, { keys, values }) => {
    builder.output(`keys${layer}`, keys);
    builder.output(`values${layer}`, values);
  });
  const hidden = decoder(builder, config, parameters, { ids, positions: builder.constant([0], [1]) }, attention);
  builder.output("probabilities", nextTokenProbabilities(builder, selectRows(builder, hidden, selected), parameters.head));
  return builder.finish();
}

/**
 * One more token for each row: ids and positions [batch, 1], mask [batch, 1, 1, past + 1], and the cache
 * `keys0`, `values0`, … [batch, keyValueHeads, past, headWidth]. Outputs: `probabilities` [batch,
 * vocabulary] and `fresh` [batch, 1, layers * 2 * keyValueHeads * headWidth], the new keys and values of
 * each layer.
 */
export function decodeGraph(config: DecoderConfiguration): GraphDefinition {
  const builder = createGraphBuilder();
  const parameters = declareParameters(builder, config);
  const ids = builder.input("ids", "int64", ["batch", 1]);
  const positions = builder.input("positions", "int64", ["batch", 1]);
  const mask = builder.input("mask", "float32", ["batch", 1, 1, "past + 1"]);
  const cacheShape = ["batch", config.keyValueHeads, "past", config.headWidth];
  const cache = Array.from({ length: config.layers }, (_, layer): KeysAndValues => ({
    keys: builder.input(`keys${layer}`, "float32", cacheShape),
    values: builder.input(`values${layer}`, "float32", cacheShape),
  }));
  const fresh: Value[] = [];
  const attend = cachedAttention(builder, config, mask, cache);
  const hidden = decoder(builder, config, parameters, { ids, positions }, (layer, queries, keys, values) => {
    fresh.push(keys, values);
    return attend(layer, queries, keys, values);
  });
  const freshWidth = config.layers * 2 * config.keyValueHeads * config.headWidth;
  builder.output("fresh", builder.node("Concat", fresh, ["batch", 1, freshWidth], { attributes: { axis: -1 } }));
  const flat = builder.node("Reshape", [hidden, builder.constant([-1, config.width], [2])], ["batch", config.width]);
  builder.output("probabilities", nextTokenProbabilities(builder, flat, parameters.head));
  return builder.finish();
}

function nextTokenProbabilities(builder: GraphBuilder, hidden: Value, table: Value): Value {
  const logits = matmulNode(builder, hidden, table, { transposeRight: true });
  return builder.node("Softmax", [logits], logits.shape, { attributes: { axis: -1 } });
}
