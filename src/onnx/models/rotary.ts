import type { GraphBuilder } from "../graph/builder.ts";
import type { RotaryTables } from "../graph/layers.ts";
import { floatTensor } from "../session.ts";
import type { Feeds } from "../session.ts";
import type { DecoderConfiguration, RopeScaling } from "./configuration.ts";

/** Tables of a number of positions, `[positions, headWidth / 2]`, as inputs of a graph. */
export type RotaryFeeds = (positions: number) => Feeds;

/** Declares the tables of cosines and sines as inputs of the graph. */
export function declareRotary(builder: GraphBuilder, { headWidth }: DecoderConfiguration): RotaryTables {
  const shape = ["positions", headWidth / 2];
  const cosine = builder.input("cosine", "float32", shape);
  const sine = builder.input("sine", "float32", shape);
  return { cosine, sine, negativeSine: builder.node("Neg", [sine], shape) };
}

/** Makes the tables of as many positions as were ever asked for, so that a long context costs nothing unused. */
export function createRotaryFeeds(config: DecoderConfiguration): RotaryFeeds {
  const frequencies = rotaryFrequencies(config);
  let made = 0;
  let feeds: Feeds = {};
  return (positions) => {
    if (positions > made) {
      made = Math.max(64, 2 ** Math.ceil(Math.log2(positions)));
      const table = (entry: (angle: number) => number) =>
        Float32Array.from({ length: made * frequencies.length }, (_, index) => entry(Math.floor(index / frequencies.length) * frequencies[index % frequencies.length]!));
      const shape = [made, frequencies.length];
      feeds = { cosine: floatTensor(table(Math.cos), shape), sine: floatTensor(table(Math.sin), shape) };
    }
    return feeds;
  };
}

/**
 * Radians per position of each pair of a head, `[headWidth / 2]`: theta^(-2i / headWidth) (Su et al. 2021,
 * eq. 15), the slow ones stretched as the model's config says.
 */
export function rotaryFrequencies({ headWidth, ropeTheta, ropeScaling }: DecoderConfiguration): readonly number[] {
  const frequencies = Array.from({ length: headWidth / 2 }, (_, pair) => ropeTheta ** ((-2 * pair) / headWidth));
  return ropeScaling ? frequencies.map((frequency) => stretched(frequency, ropeScaling)) : frequencies;
}

/**
 * Llama 3.1's rule: rotations that turn less than `lowFrequencyFactor` times in the original context are
 * slowed by `factor`, those that turn more than `highFrequencyFactor` times are kept, and between the two
 * the speeds are mixed linearly.
 */
function stretched(frequency: number, { factor, lowFrequencyFactor, highFrequencyFactor, originalContextLength }: RopeScaling): number {
  const turns = (originalContextLength * frequency) / (2 * Math.PI);
  const kept = Math.min(1, Math.max(0, (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor)));
  return frequency * (kept + (1 - kept) / factor);
}
