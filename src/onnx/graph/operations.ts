import type { GraphBuilder, Value } from "./builder.ts";
import type { Dimension } from "./protobuf.ts";

/**
 * General differentiable operations. Each traces its ONNX nodes and records its pullback.
 * Shapes are given in brackets; `…` stands for any leading dimensions.
 */

/** Elementwise sum of two tensors of one shape. */
export function add(builder: GraphBuilder, left: Value, right: Value): Value {
  const output = builder.node("Add", [left, right], left.shape);
  builder.record({ inputs: [left, right], outputs: [output], pullback: ([gradient]) => [{ dense: gradient! }, { dense: gradient! }] });
  return output;
}

/** `value + offset` with an offset that broadcasts and gets no gradient. */
export function addConstant(builder: GraphBuilder, value: Value, offset: Value): Value {
  const output = builder.node("Add", [value, offset], value.shape);
  builder.record({ inputs: [value], outputs: [output], pullback: ([gradient]) => [{ dense: gradient! }] });
  return output;
}

/** Elementwise difference of two tensors of one shape. */
export function subtract(builder: GraphBuilder, left: Value, right: Value): Value {
  const output = builder.node("Sub", [left, right], left.shape);
  builder.record({
    inputs: [left, right],
    outputs: [output],
    pullback: ([gradient], needed) => [
      { dense: gradient! },
      needed[1] ? { dense: builder.node("Neg", [gradient!], right.shape) } : undefined,
    ],
  });
  return output;
}

/** Elementwise product of two tensors of one shape. */
export function multiply(builder: GraphBuilder, left: Value, right: Value): Value {
  const output = builder.node("Mul", [left, right], left.shape);
  builder.record({
    inputs: [left, right],
    outputs: [output],
    pullback: ([gradient], needed) => [
      needed[0] ? { dense: builder.node("Mul", [gradient!, right], left.shape) } : undefined,
      needed[1] ? { dense: builder.node("Mul", [gradient!, left], right.shape) } : undefined,
    ],
  });
  return output;
}

/** Elementwise negation. */
export function negate(builder: GraphBuilder, value: Value): Value {
  const output = builder.node("Neg", [value], value.shape);
  builder.record({
    inputs: [value],
    outputs: [output],
    pullback: ([gradient]) => [{ dense: builder.node("Neg", [gradient!], value.shape) }],
  });
  return output;
}

/** Elementwise exponential. */
export function exponential(builder: GraphBuilder, value: Value): Value {
  const output = builder.node("Exp", [value], value.shape);
  builder.record({
    inputs: [value],
    outputs: [output],
    pullback: ([gradient]) => [{ dense: builder.node("Mul", [gradient!, output], value.shape) }],
  });
  return output;
}

/** Elementwise minimum of two tensors of one shape; where they are equal the left one gets the gradient. */
export function minimum(builder: GraphBuilder, left: Value, right: Value): Value {
  const output = builder.node("Min", [left, right], left.shape);
  builder.record({
    inputs: [left, right],
    outputs: [output],
    pullback: ([gradient]) => {
      const leftIsSmaller = asFloat(builder, builder.node("LessOrEqual", [left, right], left.shape, { type: "bool" }));
      const toLeft = builder.node("Mul", [gradient!, leftIsSmaller], left.shape);
      return [{ dense: toLeft }, { dense: builder.node("Sub", [gradient!, toLeft], left.shape) }];
    },
  });
  return output;
}

/** Elementwise maximum of two tensors of one shape; where they are equal the left one gets the gradient. */
export function maximum(builder: GraphBuilder, left: Value, right: Value): Value {
  const output = builder.node("Max", [left, right], left.shape);
  builder.record({
    inputs: [left, right],
    outputs: [output],
    pullback: ([gradient]) => {
      const rightIsLarger = asFloat(builder, builder.node("Greater", [right, left], left.shape, { type: "bool" }));
      const toRight = builder.node("Mul", [gradient!, rightIsLarger], left.shape);
      return [{ dense: builder.node("Sub", [gradient!, toRight], left.shape) }, { dense: toRight }];
    },
  });
  return output;
}

/** Elementwise limit to [low, high], both scalars without gradient; values outside get no gradient. */
export function clip(builder: GraphBuilder, value: Value, low: Value, high: Value): Value {
  const output = builder.node("Clip", [value, low, high], value.shape);
  builder.record({
    inputs: [value],
    outputs: [output],
    pullback: ([gradient]) => {
      const inside = asFloat(builder, builder.node("Equal", [value, output], value.shape, { type: "bool" }));
      return [{ dense: builder.node("Mul", [gradient!, inside], value.shape) }];
    },
  });
  return output;
}

function asFloat(builder: GraphBuilder, value: Value): Value {
  return builder.node("Cast", [value], value.shape, { type: "float32", attributes: { to: 1 } });
}

/** Sum of all elements, a scalar. */
export function sumAll(builder: GraphBuilder, value: Value): Value {
  const output = builder.node("ReduceSum", [value], [], { attributes: { keepdims: 0 } });
  builder.record({
    inputs: [value],
    outputs: [output],
    pullback: ([gradient]) => {
      const shape = builder.node("Shape", [value], [value.shape.length], { type: "int64" });
      return [{ dense: builder.node("Expand", [gradient!, shape], value.shape) }];
    },
  });
  return output;
}

/**
 * The same elements in another shape. Named dimensions must either stand at the same place in both shapes
 * or be the only one that is left to be inferred.
 */
export function reshape(builder: GraphBuilder, value: Value, shape: readonly Dimension[]): Value {
  const output = reshapeNode(builder, value, shape);
  builder.record({
    inputs: [value],
    outputs: [output],
    pullback: ([gradient]) => [{ dense: reshapeNode(builder, gradient!, value.shape) }],
  });
  return output;
}

function reshapeNode(builder: GraphBuilder, value: Value, shape: readonly Dimension[]): Value {
  const target = shape.map((dimension, index) => {
    if (typeof dimension === "number") return dimension;
    return dimension === value.shape[index] ? 0 : -1;
  });
  return builder.node("Reshape", [value, builder.constant(target, [target.length])], shape);
}

/** All leading dimensions as one: […, width] -> [rows, width]. Not recorded on the tape. */
export function flattenRows(builder: GraphBuilder, value: Value): Value {
  if (value.shape.length === 2) return value;
  const width = value.shape.at(-1) as number;
  return builder.node("Reshape", [value, builder.constant([-1, width], [2])], ["rows", width]);
}

/** Dimensions in another order. */
export function transpose(builder: GraphBuilder, value: Value, order: readonly number[]): Value {
  const output = transposeNode(builder, value, order);
  const inverse = order.map((_, index) => order.indexOf(index));
  builder.record({
    inputs: [value],
    outputs: [output],
    pullback: ([gradient]) => [{ dense: transposeNode(builder, gradient!, inverse) }],
  });
  return output;
}

function transposeNode(builder: GraphBuilder, value: Value, order: readonly number[]): Value {
  const shape = order.map((index) => value.shape[index]!);
  return builder.node("Transpose", [value], shape, { attributes: { perm: order } });
}

/** Cuts the last dimension into pieces of the given widths. */
export function split(builder: GraphBuilder, value: Value, widths: readonly number[]): readonly Value[] {
  const shapes = widths.map((width) => [...value.shape.slice(0, -1), width]);
  const outputs = builder.nodes("Split", [value, builder.constant(widths, [widths.length])], shapes, { attributes: { axis: -1 } });
  builder.record({
    inputs: [value],
    outputs,
    pullback: (gradients) => {
      if (gradients.includes(undefined)) throw new Error("internal: every piece of a split must lead to the loss");
      return [{ dense: builder.node("Concat", gradients as Value[], value.shape, { attributes: { axis: -1 } }) }];
    },
  });
  return outputs;
}
