import type { DecoderConfiguration } from "./models/configuration.ts";

/** How much is computed at once, so that activations and caches stay within a fixed share of memory. */

const ACTIVATION_BYTES = 1.5e9;
const CACHE_BYTES = 1.5e9;
const FLOAT_BYTES = 4;

/**
 * Padded tokens of one run over whole sequences of `time` positions. What the training graph holds of a token
 * until the reverse pass is, in floats, about 8 times the width, 4 times the feed-forward width and the scores
 * and weights of its attention in each layer, and two rows over the vocabulary. No more than 3,072: small
 * models are fastest when a batch stays in the processor's cache.
 */
export function sequenceTokens({ layers, width, heads, feedForwardWidth, vocabularySize }: DecoderConfiguration, time: number): number {
  const floats = layers * (8 * width + 4 * feedForwardWidth + 3 * heads * time) + 2 * vocabularySize;
  return Math.min(3072, Math.max(1, Math.floor(ACTIVATION_BYTES / (floats * FLOAT_BYTES))));
}

/** Rows decoded together when the longest has `positions` positions; no more than 512. */
export function decodeRows({ layers, keyValueHeads, headWidth }: DecoderConfiguration, positions: number): number {
  const floats = layers * 2 * keyValueHeads * headWidth * positions;
  return Math.min(512, Math.max(1, Math.floor(CACHE_BYTES / (floats * FLOAT_BYTES))));
}
