import { InferenceSession, Tensor } from "onnxruntime-node";
import { encodeModel } from "./graph/protobuf.ts";
import type { GraphDefinition } from "./graph/protobuf.ts";

export type Feeds = Readonly<Record<string, Tensor>>;

/** A compiled graph. */
export interface Session {
  /** Runs the graph; blocks the thread. The returned arrays belong to the caller. */
  readonly run: (feeds: Feeds) => Promise<(output: string) => Float32Array>;
  readonly close: () => Promise<void>;
}

/** Compiles a graph for the CPU with the given number of threads. */
export async function createSession(definition: GraphDefinition, threads: number): Promise<Session> {
  const session = await InferenceSession.create(encodeModel(definition), {
    executionProviders: ["cpu"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    // Batch and time differ from call to call: a memory plan per shape would only hold memory.
    enableMemPattern: false,
    logSeverityLevel: 3,
    extra: { session: { set_denormal_as_zero: "1" } },
  });
  return {
    run: async (feeds) => {
      const outputs = await session.run(feeds);
      return (output) => {
        const data = outputs[output]?.data;
        if (!(data instanceof Float32Array)) throw new Error(`internal: the graph has no float output ${output}`);
        return data;
      };
    },
    close: () => session.release(),
  };
}

/** A float tensor over the array itself: later changes of the array are seen by later runs. */
export function floatTensor(data: Float32Array, shape: readonly number[]): Tensor {
  return new Tensor("float32", data, shape);
}

/** An int64 tensor of non-negative integers below 2^31. */
export function integerTensor(values: ArrayLike<number>, shape: readonly number[]): Tensor {
  const data = new BigInt64Array(values.length);
  // Writing the low words is far faster than converting each number to a BigInt. ONNX Runtime, too, takes
  // memory as it is, and every machine that it ships for is little-endian.
  const words = new Int32Array(data.buffer);
  for (let index = 0; index < values.length; index++) words[2 * index] = values[index]!;
  return new Tensor("int64", data, shape);
}
