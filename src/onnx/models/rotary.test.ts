import { expect, it } from "vitest";
import { parseConfiguration } from "./configuration.ts";
import { createRotaryFeeds, rotaryFrequencies } from "./rotary.ts";

const model = {
  architectures: ["LlamaForCausalLM"], vocab_size: 8, hidden_size: 8, intermediate_size: 8, num_hidden_layers: 1, num_attention_heads: 1,
  max_position_embeddings: 64, rope_theta: 10_000,
};
const configuration = (changes: object) => parseConfiguration({ ...model, ...changes }, "config.json");

it("turns pair i of a head by theta^(-2i / width) per position", () => {
  rotaryFrequencies(configuration({})).forEach((frequency, pair) => expect(frequency).toBeCloseTo([1, 0.1, 0.01, 0.001][pair]!, 12));
});

it("keeps fast pairs, slows slow ones by the factor and mixes between, as Llama 3.1 does", () => {
  // In 100 positions the pairs turn 100 f / 2 pi = 15.9, 1.59, 0.159 and 0.0159 times.
  const rope_scaling = { rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 100 };
  const [fast, middle, ...slow] = rotaryFrequencies(configuration({ rope_scaling }));
  expect(fast).toBeCloseTo(1, 12);
  const kept = (10 / (2 * Math.PI) - 1) / 3;
  expect(middle).toBeCloseTo(0.1 * kept + (0.1 / 8) * (1 - kept), 12);
  expect(slow.map((frequency) => frequency * 8)).toEqual([expect.closeTo(0.01, 12), expect.closeTo(0.001, 12)]);
});

it("makes tables as long as they are asked for, the same at every length", () => {
  const feeds = createRotaryFeeds(configuration({}));
  const short = feeds(3)["cosine"]!;
  const long = feeds(200)["cosine"]!;
  expect(long.dims[0]).toBeGreaterThanOrEqual(200);
  expect(long.data.slice(0, short.data.length)).toEqual(short.data);
  expect((long.data as Float32Array)[4 * 5 + 1]).toBeCloseTo(Math.cos(0.5), 6);
});
