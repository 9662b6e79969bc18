import { createSession, floatTensor } from "../src/onnx/session.ts";

const SIZE = 1024;

/** The machine's rate in float32 matrix multiplication, in GFLOP/s: the best of several products of 1024 x 1024. */
export async function matrixRate(threads: number): Promise<number> {
  const shape = [SIZE, SIZE];
  const session = await createSession(
    {
      inputs: ["a", "b"].map((name) => ({ name, type: "float32", shape })),
      // Only the largest element is fetched: copying the product out would be timed as well.
      outputs: [{ name: "largest", type: "float32", shape: [] }],
      constants: [],
      nodes: [
        { operator: "MatMul", domain: "", inputs: ["a", "b"], outputs: ["product"], attributes: {} },
        { operator: "ReduceMax", domain: "", inputs: ["product"], outputs: ["largest"], attributes: { keepdims: 0 } },
      ],
    },
    threads,
  );
  const operand = () => floatTensor(Float32Array.from({ length: SIZE * SIZE }, (_, index) => Math.sin(index)), shape);
  const feeds = { a: operand(), b: operand() };
  const seconds = await bestSeconds(12, () => session.run(feeds));
  await session.close();
  return (2 * SIZE ** 3) / seconds / 1e9;
}

/** Shortest time of several runs after one that is not counted, in seconds. */
export async function bestSeconds(runs: number, work: () => Promise<unknown>): Promise<number> {
  await work();
  let best = Infinity;
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    await work();
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}
