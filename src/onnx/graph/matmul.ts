import type { GraphBuilder, Product, Value } from "./builder.ts";
import { flattenRows } from "./operations.ts";

export interface MatmulOptions {
  readonly transposeLeft?: boolean;
  readonly transposeRight?: boolean;
  /** Factor on the product. */
  readonly scale?: number;
}

/** `scale * left @ right` over the last two dimensions, without a pullback. */
export function matmulNode(builder: GraphBuilder, left: Value, right: Value, options: MatmulOptions = {}): Value {
  const { transposeLeft = false, transposeRight = false, scale = 1 } = options;
  const rows = left.shape.at(transposeLeft ? -1 : -2)!;
  const columns = right.shape.at(transposeRight ? -2 : -1)!;
  return builder.node("FusedMatMul", [left, right], [...left.shape.slice(0, -2), rows, columns], {
    contributed: true,
    attributes: { transA: Number(transposeLeft), transB: Number(transposeRight), alpha: { float: scale } },
  });
}

/** `sum + scale * left^T @ right`, without a pullback; one operation, so that no second matrix of that size is needed. */
export function addProduct(builder: GraphBuilder, { left, right, scale = 1 }: Product, sum: Value | null): Value {
  const operands = sum ? [left, right, sum] : [left, right];
  return builder.node("Gemm", operands, [left.shape[1]!, right.shape[1]!], { attributes: { transA: 1, alpha: { float: scale } } });
}

/** Linear layer without bias: [..., in] by a weight [out, in] (the layout of PyTorch) to [..., out], times `scale`. */
export function linear(builder: GraphBuilder, value: Value, weight: Value, scale = 1): Value {
  const output = matmulNode(builder, value, weight, { transposeRight: true, scale });
  builder.record({
    inputs: [value, weight],
    outputs: [output],
    pullback: ([gradient], needed) => [
      needed[0] ? { dense: matmulNode(builder, gradient!, weight, { scale }) } : undefined,
      needed[1] ? { product: { left: flattenRows(builder, gradient!), right: flattenRows(builder, value), scale } } : undefined,
    ],
  });
  return output;
}

/**
 * Product of matrices that share their leading dimensions: `scale * left @ right`, or with
 * `transposeRight` `scale * left @ right^T`.
 */
export function batchMatmul(builder: GraphBuilder, left: Value, right: Value, options: Omit<MatmulOptions, "transposeLeft"> = {}): Value {
  const { transposeRight = false, scale = 1 } = options;
  const output = matmulNode(builder, left, right, options);
  builder.record({
    inputs: [left, right],
    outputs: [output],
    pullback: ([gradient], needed) => [
      needed[0] ? { dense: matmulNode(builder, gradient!, right, { transposeRight: !transposeRight, scale }) } : undefined,
      needed[1]
        ? {
            dense: transposeRight
              ? matmulNode(builder, gradient!, left, { transposeLeft: true, scale })
              : matmulNode(builder, left, gradient!, { transposeLeft: true, scale }),
          }
        : undefined,
    ],
  });
  return output;
}

/** [..., width] plus a parameter vector [width]. */
export function addBias(builder: GraphBuilder, value: Value, bias: Value): Value {
  const output = builder.node("Add", [value, bias], value.shape);
  builder.record({
    inputs: [value, bias],
    outputs: [output],
    pullback: ([gradient]) => [
      { dense: gradient! },
      { dense: builder.node("ReduceSum", [flattenRows(builder, gradient!), builder.constant([0], [1])], bias.shape, { attributes: { keepdims: 0 } }) },
    ],
  });
  return output;
}
