import type { GraphBuilder, Value } from "../graph/builder.ts";
import { lookUp, rmsNorm, rotary, silu } from "../graph/layers.ts";
import { addBias, linear } from "../graph/matmul.ts";
import { add, multiply, reshape, split } from "../graph/operations.ts";
import type { DecoderConfiguration } from "./configuration.ts";
import { declareValueHead } from "./critic.ts";
import type { ValueHead } from "./critic.ts";
import { declareAdapters } from "./lora.ts";
import type { Adapt } from "./lora.ts";
import { parameterLayout } from "./parameters.ts";
import { declareRotary } from "./rotary.ts";

/** Mixes the values of earlier positions: queries [batch, time, heads * headWidth] to the same shape. */
export type Attention = (layer: number, queries: Value, keys: Value, values: Value) => Value;

/** The parameters of a decoder as inputs of one graph. */
export interface DecoderParameters {
  /** Those with a gradient: the adapters where there are any, otherwise all; and the value head. */
  readonly trained: readonly Value[];
  readonly get: (name: string) => Value;
  /** The output layer's table, [vocabulary, width]. */
  readonly head: Value;
  /** Of the critic, where there is one. */
  readonly valueHead: ValueHead | null;
  readonly adapt: Adapt;
}

/** Declares every parameter and adapter as an input of the graph. */
export function declareParameters(builder: GraphBuilder, config: DecoderConfiguration): DecoderParameters {
  const adapters = declareAdapters(builder, config);
  const declare = config.lora ? (name: string, shape: readonly number[]) => builder.input(name, "float32", shape) : builder.parameter;
  const all = parameterLayout(config).graph.map(({ name, shape }) => declare(name, shape));
  const byName = new Map(all.map((value) => [value.name, value]));
  const get = (name: string): Value => {
    const value = byName.get(name);
    if (!value) throw new Error(`internal: the model has no parameter ${name}`);
    return value;
  };
  const head = get(config.tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight");
  const valueHead = declareValueHead(builder, config);
  const policy = config.lora ? adapters.all : all;
  return { trained: valueHead ? [...policy, valueHead.weight, valueHead.bias] : policy, get, head, valueHead, adapt: adapters.adapt };
}

/**
 * A pre-norm decoder in the manner of Llama (Touvron et al. 2023) and Qwen: ids [batch, time] to the
 * normalized hidden states [batch, time, width]. `positions` as `rotary` takes them.
 */
export function decoder(
  builder: GraphBuilder,
  config: DecoderConfiguration,
  parameters: DecoderParameters,
  inputs: { readonly ids: Value; readonly positions: Value },
  attention: Attention,
): Value {
  const { feedForwardWidth, normEpsilon } = config;
  const rotate = rotation(builder, config, inputs.positions);
  let hidden = lookUp(builder, parameters.get("model.embed_tokens.weight"), inputs.ids);
  for (let layer = 0; layer < config.layers; layer++) {
    const prefix = `model.layers.${layer}.`;
    const weight = (name: string): Value => parameters.get(prefix + name);
    const adapt: Adapt = (module, input, output) => parameters.adapt(prefix + module, input, output);
    const normalized = rmsNorm(builder, hidden, weight("input_layernorm.weight"), normEpsilon);
    const { queries, keys, values } = queriesKeysValues(builder, config, normalized, { weight, adapt }, rotate);
    const mixed = attention(layer, queries, keys, values);
    hidden = add(builder, hidden, adapt("self_attn.o_proj", mixed, linear(builder, mixed, weight("self_attn.o_proj.weight"))));

    const inner = rmsNorm(builder, hidden, weight("post_attention_layernorm.weight"), normEpsilon);
    const gateAndUp = linear(builder, inner, weight("mlp.gate_up"));
    const [gate, up] = split(builder, gateAndUp, [feedForwardWidth, feedForwardWidth]) as [Value, Value];
    const product = multiply(builder, silu(builder, adapt("mlp.gate_proj", inner, gate)), adapt("mlp.up_proj", inner, up));
    hidden = add(builder, hidden, adapt("mlp.down_proj", product, linear(builder, product, weight("mlp.down_proj.weight"))));
  }
  return rmsNorm(builder, hidden, parameters.get("model.norm.weight"), normEpsilon);
}

/** Turns heads that lie side by side, [batch, time, heads * headWidth], by their positions. */
type Rotation = (value: Value, heads: number) => Value;

function rotation(builder: GraphBuilder, config: DecoderConfiguration, positions: Value): Rotation {
  const tables = declareRotary(builder, config);
  return (value, heads) => rotary(builder, value, positions, tables, heads);
}

/** What a layer's attention takes, each [batch, time, heads * headWidth]; queries and keys rotated. */
function queriesKeysValues(
  builder: GraphBuilder,
  config: DecoderConfiguration,
  normalized: Value,
  { weight, adapt }: { readonly weight: (name: string) => Value; readonly adapt: Adapt },
  rotate: Rotation,
): { readonly queries: Value; readonly keys: Value; readonly values: Value } {
  const { heads, keyValueHeads, headWidth } = config;
  const product = linear(builder, normalized, weight("self_attn.qkv"));
  const joint = config.attentionBias ? addBias(builder, product, weight("self_attn.qkv_bias")) : product;
  const [queryWidth, keyWidth] = [heads * headWidth, keyValueHeads * headWidth];
  if (!config.queryKeyNorm && !config.lora) {
    // Queries and keys are turned together: one operation instead of two.
    const [unrotated, values] = split(builder, joint, [queryWidth + keyWidth, keyWidth]) as [Value, Value];
    const [queries, keys] = split(builder, rotate(unrotated, heads + keyValueHeads), [queryWidth, keyWidth]) as [Value, Value];
    return { queries, keys, values };
  }
  const [queries, keys, values] = split(builder, joint, [queryWidth, keyWidth, keyWidth]) as [Value, Value, Value];
  const turned = (letter: "q" | "k", value: Value, count: number): Value => {
    const adapted = adapt(`self_attn.${letter}_proj`, normalized, value);
    if (!config.queryKeyNorm) return rotate(adapted, count);
    const byHead = reshape(builder, adapted, [...value.shape.slice(0, -1), count, headWidth]);
    return rotate(reshape(builder, rmsNorm(builder, byHead, weight(`self_attn.${letter}_norm.weight`), config.normEpsilon), value.shape), count);
  };
  return {
    queries: turned("q", queries, heads),
    keys: turned("k", keys, keyValueHeads),
    values: adapt("self_attn.v_proj", normalized, values),
  };
}
