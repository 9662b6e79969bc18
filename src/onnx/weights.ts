import type { ParameterLayout } from "./models/parameters.ts";
import { floatTensor } from "./session.ts";
import type { Feeds } from "./session.ts";

/** One version of a model's weights: the flat array of what is trained, and the inputs of the graphs. */
export interface Weights {
  readonly flat: Float32Array;
  /** Tensors that look into the array, and those of what is frozen. */
  readonly feeds: Feeds;
}

/** Wraps a flat parameter array; the array is not copied. `frozen` are inputs that every version shares. */
export function createWeights(flat: Float32Array, layout: ParameterLayout, frozen: Feeds = {}): Weights {
  if (flat.length !== layout.size) throw new RangeError(`${flat.length} parameters for a model of ${layout.size}`);
  const feeds = layout.graph.map(({ name, shape, offset, size }) => [name, floatTensor(flat.subarray(offset, offset + size), shape)] as const);
  return { flat, feeds: { ...frozen, ...Object.fromEntries(feeds) } };
}
