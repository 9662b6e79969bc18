import { describe, expect, it } from "vitest";
import { decodeRows, sequenceTokens } from "./memory.ts";
import type { DecoderConfiguration } from "./models/configuration.ts";

const shape = (changes: Partial<DecoderConfiguration>): DecoderConfiguration => ({
  vocabularySize: 112, width: 128, layers: 4, heads: 4, keyValueHeads: 2, headWidth: 32, feedForwardWidth: 384, normEpsilon: 1e-5, ropeTheta: 10_000,
  ropeScaling: null, attentionBias: false, queryKeyNorm: false, tiedEmbeddings: true, contextLength: 256, lora: null, critic: false, ...changes,
});
const smollm2 = shape({ vocabularySize: 49_152, width: 576, layers: 30, heads: 9, keyValueHeads: 3, headWidth: 64, feedForwardWidth: 1536, contextLength: 8192 });

describe("what is computed at once", () => {
  it("is bounded by the cache of the processor for small models", () => {
    expect(sequenceTokens(shape({}), 24)).toBe(3072);
    expect(decodeRows(shape({}), 64)).toBe(512);
  });

  it("shrinks with the model, and with long sequences, whose attention grows with the square", () => {
    // 30 * (4 * 576 + 2 * 12 * 64 + 9 * 128 + 4 * 1536) + 2 * 49152 = 432,384 floats, of which 1.8 GB hold 1,040
    expect(sequenceTokens(smollm2, 128)).toBe(1040);
    expect(sequenceTokens(smollm2, 2048)).toBeLessThan(sequenceTokens(smollm2, 128) / 2);
  });

  it("holds caches within 1.5 GB: 30 layers, keys and values of 192 floats", () => {
    const rows = decodeRows(smollm2, 1024);
    expect(rows * 1024 * 30 * 2 * 192 * 4).toBeLessThanOrEqual(1.5e9);
    expect((rows + 1) * 1024 * 30 * 2 * 192 * 4).toBeGreaterThan(1.5e9);
  });

  it("is never less than one", () => {
    expect(decodeRows(smollm2, 1e9)).toBe(1);
    expect(sequenceTokens(smollm2, 1e9)).toBe(1);
  });
});
