import type { GraphBuilder, Value } from "./builder.ts";
import { matmulNode } from "./matmul.ts";
import { flattenRows } from "./operations.ts";

/** The differentiable building blocks of decoder models. */

/** Softmax over the last dimension. */
export function softmax(builder: GraphBuilder, value: Value): Value {
  const output = builder.node("Softmax", [value], value.shape, { attributes: { axis: -1 } });
  builder.record({
    inputs: [value],
    outputs: [output],
    pullback: ([gradient]) => {
      // dx = p * (dy - sum(p * dy))
      const weighted = builder.node("Mul", [gradient!, output], value.shape);
      const total = sumRows(builder, weighted);
      const share = builder.node("Mul", [output, total], value.shape);
      return [{ dense: builder.node("Sub", [weighted, share], value.shape) }];
    },
  });
  return output;
}

function sumRows(builder: GraphBuilder, value: Value): Value {
  return builder.node("ReduceSum", [value, builder.constant([-1], [1])], [...value.shape.slice(0, -1), 1], { attributes: { keepdims: 1 } });
}

/** SiLU, x * sigmoid(x) (Elfwing et al. 2017). */
export function silu(builder: GraphBuilder, value: Value): Value {
  const output = builder.node("QuickGelu", [value], value.shape, { contributed: true, attributes: { alpha: { float: 1 } } });
  builder.record({
    inputs: [value],
    outputs: [output],
    pullback: ([gradient]) => {
      // d/dx x s(x) = s + y (1 - s) with y = x s
      const sigmoid = builder.node("Sigmoid", [value], value.shape);
      const rest = builder.node("Mul", [output, sigmoid], value.shape);
      const derivative = builder.node("Sub", [builder.node("Add", [sigmoid, output], value.shape), rest], value.shape);
      return [{ dense: builder.node("Mul", [gradient!, derivative], value.shape) }];
    },
  });
  return output;
}

/** RMSNorm (Zhang & Sennrich 2019): x / sqrt(mean(x^2) + epsilon) * gain, over the last dimension; gain [width]. */
export function rmsNorm(builder: GraphBuilder, value: Value, gain: Value, epsilon: number): Value {
  const reduced = [...value.shape.slice(0, -1), 1];
  const [output, inverse] = builder.nodes("SimplifiedLayerNormalization", [value, gain], [value.shape, reduced], {
    attributes: { axis: -1, epsilon: { float: epsilon }, stash_type: 1 },
  }) as [Value, Value];
  builder.record({
    inputs: [value, gain],
    outputs: [output],
    pullback: ([gradient]) => {
      // With n = x / rms: dgain = sum(dy n), dx = (dy gain - n mean(dy gain n)) / rms
      const normalized = builder.node("Mul", [value, inverse], value.shape);
      const product = builder.node("Mul", [gradient!, normalized], value.shape);
      const toGain = builder.node("ReduceSum", [flattenRows(builder, product), builder.constant([0], [1])], gain.shape, { attributes: { keepdims: 0 } });
      // mean(dy n gain) of each row is a product with the gain as a vector
      const width = gain.shape[0] as number;
      const column = builder.node("Reshape", [gain, builder.constant([width, 1], [2])], [width, 1]);
      const mean = matmulNode(builder, product, column, { scale: 1 / width });
      const scaled = builder.node("Mul", [gradient!, gain], value.shape);
      const centered = builder.node("Sub", [scaled, builder.node("Mul", [normalized, mean], value.shape)], value.shape);
      return [{ dense: builder.node("Mul", [centered, inverse], value.shape) }, { dense: toGain }];
    },
  });
  return output;
}

export interface RotaryTables {
  /** Cosines, `[position, headWidth / 2]`. */
  readonly cosine: Value;
  readonly sine: Value;
  /** -sine, for the reverse pass: the inverse of a rotation turns the other way. */
  readonly negativeSine: Value;
}

/**
 * Rotary position embedding (Su et al. 2021) of heads that lie side by side, [batch, time, heads * headWidth];
 * halves rotate against each other, as in Llama. Positions: [1], the first one, or [batch, time].
 */
export function rotary(builder: GraphBuilder, value: Value, positions: Value, tables: RotaryTables, heads: number): Value {
  const rotate = (operand: Value, sine: Value): Value =>
    builder.node("RotaryEmbedding", [operand, positions, tables.cosine, sine], operand.shape, {
      contributed: true,
      attributes: { interleaved: 0, num_heads: heads },
    });
  const output = rotate(value, tables.sine);
  builder.record({
    inputs: [value],
    outputs: [output],
    pullback: ([gradient]) => [{ dense: rotate(gradient!, tables.negativeSine) }],
  });
  return output;
}

/** Rows of a parameter table [rows, width] by id [...ids] to [...ids, width]; ids may repeat. */
export function lookUp(builder: GraphBuilder, table: Value, ids: Value): Value {
  const width = table.shape[1]!;
  const output = builder.node("Gather", [table, ids], [...ids.shape, width], { attributes: { axis: 0 } });
  builder.record({
    inputs: [table],
    outputs: [output],
    pullback: ([gradient]) => [{ rows: { ids, rows: flattenRows(builder, gradient!) } }],
  });
  return output;
}

/**
 * Chosen rows of [..., width], all leading dimensions counted as one, to [chosen, width]. No row may be
 * chosen twice: the reverse pass writes each into its place.
 */
export function selectRows(builder: GraphBuilder, value: Value, indices: Value): Value {
  const flat = flattenRows(builder, value);
  const output = builder.node("Gather", [flat, indices], [indices.shape[0]!, value.shape.at(-1)!], { attributes: { axis: 0 } });
  builder.record({
    inputs: [value],
    outputs: [output],
    pullback: ([gradient]) => {
      const shapeOf = (operand: Value): Value => builder.node("Shape", [operand], [operand.shape.length], { type: "int64" });
      const zeros = builder.node("ConstantOfShape", [shapeOf(flat)], flat.shape, { type: "float32" });
      const places = builder.node("Unsqueeze", [indices, builder.constant([1], [1])], [indices.shape[0]!, 1]);
      const scattered = builder.node("ScatterND", [zeros, places, gradient!], flat.shape);
      return [{ dense: builder.node("Reshape", [scattered, shapeOf(value)], value.shape) }];
    },
  });
  return output;
}

/**
 * Log-probability of each target under softmax(hidden @ table^T): hidden [rows, width], table
 * [vocabulary, width], targets [rows] to [rows]. The reverse pass needs no one-hot matrix:
 * with p the probabilities and g the gradient, dhidden = g (table[target] - p table) and
 * dtable = rows (target, g hidden) - p^T (g hidden).
 */
export function tokenLogprobs(builder: GraphBuilder, hidden: Value, table: Value, targets: Value): Value {
  const rows = targets.shape[0]!;
  const vocabulary = table.shape[0]!;
  const logits = matmulNode(builder, hidden, table, { transposeRight: true });
  const logprobs = builder.node("LogSoftmax", [logits], [rows, vocabulary], { attributes: { axis: -1 } });
  const axis = builder.constant([1], [1]);
  const places = builder.node("Unsqueeze", [targets, axis], [rows, 1]);
  const chosen = builder.node("GatherElements", [logprobs, places], [rows, 1], { attributes: { axis: 1 } });
  const output = builder.node("Squeeze", [chosen, axis], [rows]);
  builder.record({
    inputs: [hidden, table],
    outputs: [output],
    pullback: ([gradient]) => {
      const column = builder.node("Unsqueeze", [gradient!, axis], [rows, 1]);
      const probabilities = builder.node("Exp", [logprobs], [rows, vocabulary]);
      const targetRows = builder.node("Gather", [table, targets], hidden.shape, { attributes: { axis: 0 } });
      const difference = builder.node("Sub", [targetRows, matmulNode(builder, probabilities, table)], hidden.shape);
      const weighted = builder.node("Mul", [hidden, column], hidden.shape);
      return [
        { dense: builder.node("Mul", [difference, column], hidden.shape) },
        { product: { left: probabilities, right: weighted, scale: -1 }, rows: { ids: targets, rows: weighted } },
      ];
    },
  });
  return output;
}
