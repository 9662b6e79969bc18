import type { DecoderConfiguration } from "./models/configuration.ts";

/** How much is computed at once, so that activations and caches stay within a fixed share of memory. */

const ACTIVATION_BYTES = 1.8e9;
const CACHE_BYTES = 1.5e9;
const FLOAT_BYTES = 4;

/**
 * Padded tokens of one run over whole sequences of `time` positions. What the training graph holds of a token
 * until the reverse pass is, in each layer, the sums before and after the attention, both normalized; queries,
 * keys, values, the weights over them and what they mix; gate, up, SiLU and product; and at the end two rows
 * over the vocabulary. No more than 3,072: small models are fastest when a batch stays in the processor's cache.
 */
export function sequenceTokens({ layers, width, heads, keyValueHeads, headWidth, feedForwardWidth, vocabularySize }: DecoderConfiguration, time: number): number {
  const attention = 2 * (heads + keyValueHeads) * headWidth + heads * time;
  const floats = layers * (4 * width + attention + 4 * feedForwardWidth) + 2 * vocabularySize;
  return Math.min(3072, Math.max(1, Math.floor(ACTIVATION_BYTES / (floats * FLOAT_BYTES))));
}

/** Rows decoded together when the longest has `positions` positions; no more than 512. */
export function decodeRows({ layers, keyValueHeads, headWidth }: DecoderConfiguration, positions: number): number {
  const floats = layers * 2 * keyValueHeads * headWidth * positions;
  return Math.min(512, Math.max(1, Math.floor(CACHE_BYTES / (floats * FLOAT_BYTES))));
}
