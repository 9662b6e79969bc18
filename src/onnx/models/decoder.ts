import type { GraphBuilder, Value } from "../graph/builder.ts";
import { lookUp, rmsNorm, rotary, silu } from "../graph/layers.ts";
import type { RotaryTables } from "../graph/layers.ts";
import { linear } from "../graph/matmul.ts";
import { add, multiply, split } from "../graph/operations.ts";
import type { DecoderConfiguration } from "./configuration.ts";
import { parameterLayout } from "./parameters.ts";

/** Mixes the values of earlier positions: queries [batch, time, heads * headWidth] to the same shape. */
export type Attention = (layer: number, queries: Value, keys: Value, values: Value) => Value;

/** The parameters of a decoder as inputs of one graph. */
export interface DecoderParameters {
  readonly all: readonly Value[];
  readonly get: (name: string) => Value;
  /** The output layer's table, [vocabulary, width]. */
  readonly head: Value;
}

/** Declares every parameter as an input of the graph. */
export function declareParameters(builder: GraphBuilder, config: DecoderConfiguration): DecoderParameters {
  const all = parameterLayout(config).graph.map(({ name, shape }) => builder.parameter(name, shape));
  const byName = new Map(all.map((value) => [value.name, value]));
  const get = (name: string): Value => {
    const value = byName.get(name);
    if (!value) throw new Error(`internal: the model has no parameter ${name}`);
    return value;
  };
  return { all, get, head: get(config.tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight") };
}

/**
 * A pre-norm decoder in the manner of Llama (Touvron et al. 2023): ids [batch, time] to the normalized
 * hidden states [batch, time, width]. `positions` as `rotary` takes them.
 */
export function decoder(
  builder: GraphBuilder,
  config: DecoderConfiguration,
  parameters: DecoderParameters,
  inputs: { readonly ids: Value; readonly positions: Value },
  attention: Attention,
): Value {
  const { heads, keyValueHeads, headWidth, feedForwardWidth, normEpsilon } = config;
  const tables = rotaryTables(builder, config);
  let hidden = lookUp(builder, parameters.get("model.embed_tokens.weight"), inputs.ids);
  for (let layer = 0; layer < config.layers; layer++) {
    const weight = (name: string): Value => parameters.get(`model.layers.${layer}.${name}`);
    const normalized = rmsNorm(builder, hidden, weight("input_layernorm.weight"), normEpsilon);
    const joint = linear(builder, normalized, weight("self_attn.qkv"));
    const [unrotated, values] = split(builder, joint, [(heads + keyValueHeads) * headWidth, keyValueHeads * headWidth]) as [Value, Value];
    const rotated = rotary(builder, unrotated, inputs.positions, tables, heads + keyValueHeads);
    const [queries, keys] = split(builder, rotated, [heads * headWidth, keyValueHeads * headWidth]) as [Value, Value];
    const mixed = attention(layer, queries, keys, values);
    hidden = add(builder, hidden, linear(builder, mixed, weight("self_attn.o_proj.weight")));

    const inner = rmsNorm(builder, hidden, weight("post_attention_layernorm.weight"), normEpsilon);
    const gateAndUp = linear(builder, inner, weight("mlp.gate_up"));
    const [gate, up] = split(builder, gateAndUp, [feedForwardWidth, feedForwardWidth]) as [Value, Value];
    const product = multiply(builder, silu(builder, gate), up);
    hidden = add(builder, hidden, linear(builder, product, weight("mlp.down_proj.weight")));
  }
  return rmsNorm(builder, hidden, parameters.get("model.norm.weight"), normEpsilon);
}

/** Angle of position m and pair i: m * theta^(-2i / headWidth) (Su et al. 2021, eq. 15). */
function rotaryTables(builder: GraphBuilder, { contextLength, headWidth, ropeTheta }: DecoderConfiguration): RotaryTables {
  const half = headWidth / 2;
  const angles = Float64Array.from({ length: contextLength * half }, (_, index) => {
    const position = Math.floor(index / half);
    return position * ropeTheta ** ((-2 * (index % half)) / headWidth);
  });
  const table = (entry: (angle: number) => number): Value => builder.constant(Float32Array.from(angles, entry), [contextLength, half]);
  return { cosine: table(Math.cos), sine: table(Math.sin), negativeSine: table((angle) => -Math.sin(angle)) };
}
