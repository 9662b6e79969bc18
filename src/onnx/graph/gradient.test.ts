import { describe, expect, it } from "vitest";
import { createRandom } from "../../util/random.ts";
import { createSession, floatTensor, integerTensor } from "../session.ts";
import { createGraphBuilder } from "./builder.ts";
import type { GraphBuilder, Value } from "./builder.ts";
import { gradients } from "./gradient.ts";
import { lookUp, rmsNorm, rotary, selectRows, silu, softmax, tokenLogprobs } from "./layers.ts";
import { addBias, batchMatmul, linear } from "./matmul.ts";
import { add, addConstant, clip, exponential, maximum, minimum, multiply, negate, reshape, split, subtract, sumAll, transpose } from "./operations.ts";

type Trace = (builder: GraphBuilder, ...parameters: Value[]) => Value;

/** Largest difference between the traced gradient and central differences, over every element of every parameter. */
async function worstError(shapes: readonly (readonly number[])[], trace: Trace, spread = 1): Promise<number> {
  const builder = createGraphBuilder();
  const parameters = shapes.map((shape, index) => builder.parameter(`p${index}`, shape));
  const output = trace(builder, ...parameters);
  // A random weight on each output element, so that no error cancels in the sum.
  const random = createRandom(7);
  const outputSize = size(output.shape as number[]);
  const weights = builder.constant(Float32Array.from({ length: outputSize }, () => random.normal()), output.shape as number[]);
  const weighted = builder.node("Mul", [output, weights], output.shape);
  builder.record({ inputs: [output], outputs: [weighted], pullback: ([g]) => [{ dense: builder.node("Mul", [g!, weights], output.shape) }] });
  const loss = sumAll(builder, weighted);
  const found = gradients(builder, loss, parameters);
  builder.output("loss", loss);
  found.forEach(({ dense, rows }, index) => {
    if (dense) builder.output(`dense${index}`, dense);
    rows.forEach((row, place) => builder.output(`rows${index}.${place}`, row.rows));
  });

  const values = shapes.map((shape) => Float32Array.from({ length: size(shape) }, () => spread * random.normal()));
  const session = await createSession(builder.finish(), 2);
  const run = () => session.run({ ...IDS, ...Object.fromEntries(values.map((data, index) => [`p${index}`, floatTensor(data, shapes[index]!)])) });
  const analytic = await run();
  const gradientOf = (index: number): Float32Array => {
    const total = found[index]!.dense ? Float32Array.from(analytic(`dense${index}`)) : new Float32Array(values[index]!.length);
    found[index]!.rows.forEach((_, place) => {
      const rows = analytic(`rows${index}.${place}`);
      const width = rows.length / REPEATED.length;
      REPEATED.forEach((id, row) => {
        for (let column = 0; column < width; column++) total[id * width + column]! += rows[row * width + column]!;
      });
    });
    return total;
  };
  let worst = 0;
  for (const [index, data] of values.entries()) {
    const gradient = gradientOf(index);
    for (let element = 0; element < data.length; element++) {
      const original = data[element]!;
      const at = async (value: number): Promise<number> => {
        data[element] = value;
        return (await run())("loss")[0]!;
      };
      const step = 1e-2;
      const numeric = ((await at(original + step)) - (await at(original - step))) / (2 * step);
      data[element] = original;
      worst = Math.max(worst, Math.abs(numeric - gradient[element]!) / Math.max(1, Math.abs(numeric)));
    }
  }
  await session.close();
  return worst;
}

const size = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

/** Ids that repeat, for look-ups and targets: gradients of one row must add up. */
const REPEATED = [2, 0, 2, 2, 1];
const IDS = { ids: integerTensor(REPEATED, [5]) };
const declareIds = (builder: GraphBuilder): Value => builder.input("ids", "int64", [5]);
/** Graphs without ids take the input all the same. */
const withIds = (trace: Trace): Trace => (builder, ...parameters) => {
  const ids = declareIds(builder);
  builder.output("unused", builder.node("Cast", [ids], [5], { type: "float32", attributes: { to: 1 } }));
  return trace(builder, ...parameters);
};

const cases: Record<string, [shapes: number[][], trace: Trace, spread?: number]> = {
  add: [[[2, 3], [2, 3]], withIds((b, x, y) => add(b, x, y))],
  "add, one tensor twice": [[[2, 3]], withIds((b, x) => add(b, x, x))],
  addConstant: [[[2, 3]], withIds((b, x) => addConstant(b, x, b.constant(Float32Array.of(1, 2, 3), [3])))],
  subtract: [[[2, 3], [2, 3]], withIds((b, x, y) => subtract(b, x, y))],
  multiply: [[[2, 3], [2, 3]], withIds((b, x, y) => multiply(b, x, y))],
  "multiply, a square": [[[2, 3]], withIds((b, x) => multiply(b, x, x))],
  negate: [[[4]], withIds((b, x) => negate(b, x))],
  exponential: [[[4]], withIds((b, x) => exponential(b, x))],
  minimum: [[[8], [8]], withIds((b, x, y) => minimum(b, x, y)), 3],
  maximum: [[[8], [8]], withIds((b, x, y) => maximum(b, x, y)), 3],
  clip: [[[12]], withIds((b, x) => clip(b, x, b.constant(Float32Array.of(-0.5), []), b.constant(Float32Array.of(0.7), [])))],
  reshape: [[[2, 6]], withIds((b, x) => reshape(b, x, [2, 3, 2]))],
  transpose: [[[2, 3, 2]], withIds((b, x) => transpose(b, x, [2, 0, 1]))],
  split: [
    [[2, 6]],
    withIds((b, x) => {
      const [first, second, third] = split(b, x, [2, 2, 2]) as [Value, Value, Value];
      return multiply(b, multiply(b, first, third), second);
    }),
  ],
  softmax: [[[3, 4]], withIds((b, x) => softmax(b, x))],
  silu: [[[9]], withIds((b, x) => silu(b, x)), 2],
  linear: [[[2, 3, 4], [5, 4]], withIds((b, x, w) => linear(b, x, w))],
  "linear, scaled": [[[2, 3, 4], [5, 4]], withIds((b, x, w) => linear(b, x, w, 0.3))],
  addBias: [[[2, 3, 4], [4]], withIds((b, x, v) => addBias(b, x, v))],
  "batchMatmul a b": [[[2, 3, 4], [2, 4, 2]], withIds((b, x, y) => batchMatmul(b, x, y))],
  "batchMatmul a b^T, scaled": [[[2, 3, 4], [2, 5, 4]], withIds((b, x, y) => batchMatmul(b, x, y, { transposeRight: true, scale: 0.3 }))],
  rmsNorm: [[[2, 2, 6], [6]], withIds((b, x, g) => rmsNorm(b, x, g, 1e-5))],
  rotary: [
    [[1, 3, 8]],
    withIds((b, x) => {
      const angles = [0, 0, 1, 0.1, 2, 0.2];
      const table = (entry: (angle: number) => number) => b.constant(Float32Array.from(angles, entry), [3, 2]);
      const tables = { cosine: table(Math.cos), sine: table(Math.sin), negativeSine: table((angle) => -Math.sin(angle)) };
      return rotary(b, x, b.constant([0], [1]), tables, 2);
    }),
  ],
  "lookUp with repeated ids": [[[3, 4]], (b, table) => lookUp(b, table, declareIds(b))],
  selectRows: [[[2, 3, 2]], withIds((b, x) => selectRows(b, x, b.constant([4, 0, 3], [3])))],
  "tokenLogprobs with repeated targets": [[[5, 4], [3, 4]], (b, hidden, table) => tokenLogprobs(b, hidden, table, declareIds(b))],
};

describe("gradients agree with central differences", () => {
  for (const [name, [shapes, trace, spread]] of Object.entries(cases)) {
    it(name, async () => {
      expect(await worstError(shapes, trace, spread)).toBeLessThan(2e-3);
    });
  }
});

it("computes no gradient that nobody asked for", () => {
  const builder = createGraphBuilder();
  const value = builder.parameter("value", [2, 4]);
  // The pullback traces a gradient of the gain, too.
  const loss = sumAll(builder, rmsNorm(builder, value, builder.input("gain", "float32", [4]), 1e-5));
  builder.output("gradient", gradients(builder, loss, [value])[0]!.dense!);
  const { nodes, outputs } = builder.finish();
  const read = new Set([...nodes.flatMap(({ inputs }) => inputs), ...outputs.map(({ name }) => name)]);
  expect(nodes.filter((node) => !node.outputs.some((name) => read.has(name)))).toEqual([]);
  expect(nodes.length).toBeGreaterThan(3);
});

it("finds a planted error", async () => {
  const wrong: Trace = withIds((b, x) => {
    const output = b.node("Exp", [x], x.shape);
    b.record({ inputs: [x], outputs: [output], pullback: ([gradient]) => [{ dense: gradient! }] });
    return output;
  });
  expect(await worstError([[4]], wrong)).toBeGreaterThan(0.1);
});

it("puts the gradients of the last layer last, which lets ONNX Runtime compute them first", () => {
  const builder = createGraphBuilder();
  const parameters = ["first", "second"].map((name) => builder.parameter(name, [2, 2]));
  const hidden = linear(builder, builder.input("x", "float32", [3, 2]), parameters[0]!);
  const found = gradients(builder, sumAll(builder, linear(builder, hidden, parameters[1]!)), parameters);
  found.forEach(({ dense }, index) => builder.output(`gradient${index}`, dense!));
  const { nodes } = builder.finish();
  const producer = (name: string) => nodes.findIndex(({ outputs }) => outputs.includes(name));
  const [first, second] = found.map(({ dense }) => producer(dense!.name));
  expect(first).toBeGreaterThanOrEqual(0);
  expect(second).toBeGreaterThan(first!);
});
