import type { Tensor } from "onnxruntime-node";
import type { ParameterLayout } from "./models/parameters.ts";
import { floatTensor } from "./session.ts";

/** One version of a model's weights: the flat array and the tensors that look into it. */
export interface Weights {
  readonly flat: Float32Array;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** Wraps a flat parameter array; the array is not copied. */
export function createWeights(flat: Float32Array, layout: ParameterLayout): Weights {
  if (flat.length !== layout.size) throw new RangeError(`${flat.length} parameters for a model of ${layout.size}`);
  const feeds = layout.graph.map(({ name, shape, offset, size }) => [name, floatTensor(flat.subarray(offset, offset + size), shape)] as const);
  return { flat, feeds: Object.fromEntries(feeds) };
}
