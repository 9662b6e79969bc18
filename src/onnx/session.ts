import { InferenceSession, Tensor } from "onnxruntime-node";
import { encodeModel } from "./graph/protobuf.ts";
import type { GraphDefinition } from "./graph/protobuf.ts";

export type Feeds = Readonly<Record<string, Tensor>>;

/** A compiled graph. */
export interface Session {
  /**
   * Runs the graph; blocks the thread. Outputs named in `places` are written into the arrays of those tensors,
   * which may at the same time be inputs of the operations that give them. The other outputs are returned;
   * their arrays belong to the caller.
   */
  readonly run: (feeds: Feeds, places?: Feeds) => Promise<(output: string) => Float32Array>;
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
    // Each session has threads of its own. Left spinning when it has run, they take a core from the next one, and from this thread.
    extra: { session: { set_denormal_as_zero: "1", force_spinning_stop: "1" } },
  });
  const names = definition.outputs.map(({ name }) => name);
  const nowhere = createDiscard();
  return {
    run: async (feeds, places = {}) => {
      const outputs = await session.run(feeds, Object.fromEntries(names.map((name) => [name, places[name] ?? null])));
      // The binding copies even what it wrote in place.
      for (const name of Object.keys(places)) nowhere.discard(outputs[name]!.data as Float32Array);
      return (output) => {
        const data = outputs[output]?.data;
        if (!(data instanceof Float32Array)) throw new Error(`internal: the graph has no float output ${output}`);
        return data;
      };
    },
    close: () => {
      nowhere.close();
      return session.release();
    },
  };
}

/**
 * Frees arrays at once, by sending them to a port that nobody holds the other end of. Left to the garbage
 * collector, a copy of a model's gradients stays in memory for another run or two.
 */
function createDiscard(): { readonly discard: (array: Float32Array) => void; readonly close: () => void } {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  return { discard: ({ buffer }) => port1.postMessage(null, [buffer as ArrayBuffer]), close: () => port1.close() };
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
