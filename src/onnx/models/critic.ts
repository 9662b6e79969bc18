import type { GraphBuilder, Value } from "../graph/builder.ts";
import { addBias, linear } from "../graph/matmul.ts";
import { addConstant, clip, maximum, multiply, reshape, subtract } from "../graph/operations.ts";
import type { DecoderConfiguration } from "./configuration.ts";
import { createLayout } from "./parameters.ts";
import type { ParameterLayout, ParameterTensor } from "./parameters.ts";

/** The value head of a critic: a linear layer from the normalized hidden states to one number. */
export interface ValueHead {
  /** [1, width] */
  readonly weight: Value;
  /** [1] */
  readonly bias: Value;
}

const WEIGHT = "value_head.weight";
const BIAS = "value_head.bias";

function headLayout({ width }: DecoderConfiguration): ParameterLayout {
  const shapes: readonly (readonly [string, readonly number[]])[] = [[WEIGHT, [1, width]], [BIAS, [1]]];
  return createLayout(shapes.map((tensor) => ({ name: tensor[0], parts: [tensor] })));
}

/** The layout of what is trained, with the value head after it. */
export function withValueHead({ size, stored, graph }: ParameterLayout, config: DecoderConfiguration): ParameterLayout {
  const head = headLayout(config);
  const behind = (tensors: readonly ParameterTensor[]) => tensors.map((tensor) => ({ ...tensor, offset: size + tensor.offset }));
  return { size: size + head.size, stored: [...stored, ...behind(head.stored)], graph: [...graph, ...behind(head.graph)] };
}

/** Declares the value head of a configuration as parameters of the graph; `null` where it has no critic. */
export function declareValueHead(builder: GraphBuilder, config: DecoderConfiguration): ValueHead | null {
  if (!config.critic) return null;
  const [weight, bias] = headLayout(config).graph.map(({ name, shape }) => builder.parameter(name, shape)) as [Value, Value];
  return { weight, bias };
}

/** The value of each state, [tokens], from its hidden state, [tokens, width]. */
export function stateValues(builder: GraphBuilder, hidden: Value, { weight, bias }: ValueHead): Value {
  return reshape(builder, addBias(builder, linear(builder, hidden, weight), bias), [hidden.shape[0]!]);
}

/**
 * (v - R)^2 of each token, [tokens], or, where that is larger, the same of a value that is no further from the
 * old one than the clip: twice the loss of PPO's critic. Further inputs: `oldValues` and `returns`, both
 * [tokens], and the scalars `valueLow` and `valueHigh`, the least and the largest change of a value.
 */
export function squaredErrors(builder: GraphBuilder, values: Value): Value {
  const old = builder.input("oldValues", "float32", values.shape);
  const returns = builder.input("returns", "float32", values.shape);
  const change = clip(builder, subtract(builder, values, old), builder.input("valueLow", "float32", []), builder.input("valueHigh", "float32", []));
  const squared = (value: Value): Value => {
    const error = subtract(builder, value, returns);
    return multiply(builder, error, error);
  };
  return maximum(builder, squared(values), squared(addConstant(builder, change, old)));
}
