import type { GraphBuilder, Value } from "../graph/builder.ts";
import { softmax } from "../graph/layers.ts";
import { batchMatmul } from "../graph/matmul.ts";
import { addConstant, reshape, transpose } from "../graph/operations.ts";
import type { DecoderConfiguration } from "./configuration.ts";
import type { Attention } from "./decoder.ts";

/**
 * Grouped-query attention (Ainslie et al. 2023). The query heads that share a key/value head are stacked
 * along time, [batch, keyValueHeads, group * time, headWidth], so that keys and values are never repeated.
 */

export interface KeysAndValues {
  /** [batch, keyValueHeads, time, headWidth] */
  readonly keys: Value;
  readonly values: Value;
}

/**
 * Attention of whole sequences. `mask` is [1, 1, group * time, time], added to the scores: 0 where a
 * position may look, very negative where not. Rows are padded at the end, so the causal mask also hides
 * the padding. `observe` sees each layer's keys and values.
 */
export function sequenceAttention(
  builder: GraphBuilder,
  config: DecoderConfiguration,
  mask: Value,
  observe: (layer: number, cache: KeysAndValues) => void = () => undefined,
): Attention {
  const { heads, keyValueHeads, headWidth } = config;
  const group = heads / keyValueHeads;
  return (layer, queries, keys, values) => {
    const [batch, time] = [queries.shape[0]!, queries.shape[1]!];
    const byHead = (value: Value): Value =>
      transpose(builder, reshape(builder, value, [batch, time, keyValueHeads, headWidth]), [0, 2, 1, 3]);
    const grouped = transpose(builder, reshape(builder, queries, [batch, time, keyValueHeads, group, headWidth]), [0, 2, 3, 1, 4]);
    const stacked = reshape(builder, grouped, [batch, keyValueHeads, "groupTime", headWidth]);
    const cache = { keys: byHead(keys), values: byHead(values) };
    observe(layer, cache);
    const scores = batchMatmul(builder, stacked, cache.keys, { transposeRight: true, scale: headWidth ** -0.5 });
    const weights = softmax(builder, addConstant(builder, scores, mask));
    const mixed = reshape(builder, batchMatmul(builder, weights, cache.values), [batch, keyValueHeads, group, time, headWidth]);
    return reshape(builder, transpose(builder, mixed, [0, 3, 1, 2, 4]), [batch, time, heads * headWidth]);
  };
}

/**
 * Attention of one new position, [batch, 1, …], over a cache of earlier ones, [batch, keyValueHeads, past,
 * headWidth], and over itself. The new keys and values are not joined to the cache in the graph: that
 * would copy the whole cache at every token. `mask` is [batch, 1, 1, past + 1].
 */
export function cachedAttention(builder: GraphBuilder, config: DecoderConfiguration, mask: Value, cache: readonly KeysAndValues[]): Attention {
  const { heads, keyValueHeads, headWidth } = config;
  const group = heads / keyValueHeads;
  const scale = headWidth ** -0.5;
  return (layer, queries, keys, values) => {
    const batch = queries.shape[0]!;
    const past = cache[layer]!;
    const grouped = reshape(builder, queries, [batch, keyValueHeads, group, headWidth]);
    const newKey = reshape(builder, keys, [batch, keyValueHeads, 1, headWidth]);
    const newValue = reshape(builder, values, [batch, keyValueHeads, 1, headWidth]);
    const ofPast = batchMatmul(builder, grouped, past.keys, { transposeRight: true, scale });
    const ofItself = batchMatmul(builder, grouped, newKey, { transposeRight: true, scale });
    const scoreShape = [batch, keyValueHeads, group, "past + 1"];
    const scores = builder.node("Concat", [ofPast, ofItself], scoreShape, { attributes: { axis: -1 } });
    const weights = softmax(builder, builder.node("Add", [scores, mask], scoreShape));
    const last = (value: Value, start: number, end: number, length: string | number): Value =>
      builder.node("Slice", [value, builder.constant([start], [1]), builder.constant([end], [1]), builder.constant([-1], [1])], [batch, keyValueHeads, group, length]);
    const fromPast = batchMatmul(builder, last(weights, 0, -1, "past"), past.values);
    const fromItself = builder.node("Mul", [last(weights, -1, Number.MAX_SAFE_INTEGER, 1), newValue], [batch, keyValueHeads, group, headWidth]);
    const mixed = builder.node("Add", [fromPast, fromItself], [batch, keyValueHeads, group, headWidth]);
    return reshape(builder, mixed, [batch, 1, heads * headWidth]);
  };
}
