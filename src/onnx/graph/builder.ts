import type { Attribute, Constant, Dimension, ElementType, GraphDefinition, Node, ValueInfo } from "./protobuf.ts";

/** A tensor of the graph being traced. */
export type Value = ValueInfo;

/** Gradient of a table whose rows were looked up: row `rows[i]` belongs to table row `ids[i]`; ids may repeat. */
export interface RowGradient {
  readonly ids: Value;
  readonly rows: Value;
}

/** `scale * left^T @ right` of two matrices with as many rows, still to be computed. */
export interface Product {
  readonly left: Value;
  readonly right: Value;
  readonly scale?: number;
}

/** What a pullback says of one input: a dense gradient, one left as a product, single rows of a table, or nothing. */
export interface Cotangent {
  readonly dense?: Value;
  readonly product?: Product;
  readonly rows?: RowGradient;
}

/**
 * Gradients of an operation's inputs from those of its outputs (`undefined` where nothing depends on an
 * output). `needed[i]` says whether input i leads to a parameter; others may be left undefined.
 */
export type Pullback = (gradients: readonly (Value | undefined)[], needed: readonly boolean[]) => readonly (Cotangent | undefined)[];

/** One differentiable operation, in the order of tracing. */
export interface TapeEntry {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly pullback: Pullback;
}

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** The operator is one of ONNX Runtime's own (`com.microsoft`). */
  readonly contributed?: boolean;
}

/** Traces a computation: every call appends to the graph and hands back the values it produced. */
export interface GraphBuilder {
  readonly input: (name: string, type: ElementType, shape: readonly Dimension[]) => Value;
  /** A float input whose gradient can be asked for. */
  readonly parameter: (name: string, shape: readonly number[]) => Value;
  readonly constant: (data: Float32Array | readonly number[], shape: readonly number[]) => Value;
  /** One node with one output, of the first input's type unless said otherwise. */
  readonly node: (operator: string, inputs: readonly (Value | null)[], shape: readonly Dimension[], options?: NodeOptions & { readonly type?: ElementType }) => Value;
  /** One node with several outputs of type float32. */
  readonly nodes: (operator: string, inputs: readonly (Value | null)[], shapes: readonly (readonly Dimension[])[], options?: NodeOptions) => readonly Value[];
  /** Records how to differentiate what was just traced. */
  readonly record: (entry: TapeEntry) => void;
  readonly tape: () => readonly TapeEntry[];
  readonly isParameter: (value: Value) => boolean;
  /** Gives a value a name of its own among the graph's outputs. */
  readonly output: (name: string, value: Value) => void;
  readonly finish: () => GraphDefinition;
}

export function createGraphBuilder(): GraphBuilder {
  const inputs: ValueInfo[] = [];
  const outputs: ValueInfo[] = [];
  const constants: Constant[] = [];
  const nodes: Node[] = [];
  const tape: TapeEntry[] = [];
  const parameters = new Set<string>();
  let count = 0;
  const fresh = (): string => `v${count++}`;

  const input = (name: string, type: ElementType, shape: readonly Dimension[]): Value => {
    const value = { name, type, shape };
    inputs.push(value);
    return value;
  };
  const append: GraphBuilder["nodes"] = (operator, operands, shapes, options = {}) => {
    const values = shapes.map((shape): Value => ({ name: fresh(), type: "float32", shape }));
    const { attributes = {}, contributed = false } = options;
    nodes.push({
      operator,
      domain: contributed ? "com.microsoft" : "",
      inputs: operands.map((operand) => operand?.name ?? ""),
      outputs: values.map(({ name }) => name),
      attributes,
    });
    return values;
  };

  return {
    input,
    parameter: (name, shape) => {
      parameters.add(name);
      return input(name, "float32", shape);
    },
    constant: (data, shape) => {
      const tensor = data instanceof Float32Array ? data : BigInt64Array.from(data, BigInt);
      const value: Value = { name: fresh(), type: data instanceof Float32Array ? "float32" : "int64", shape };
      constants.push({ name: value.name, shape, data: tensor });
      return value;
    },
    nodes: append,
    node: (operator, operands, shape, options = {}) => {
      const [value] = append(operator, operands, [shape], options);
      return { ...value!, type: options.type ?? operands[0]?.type ?? "float32" };
    },
    record: (entry) => void tape.push(entry),
    tape: () => tape,
    isParameter: (value) => parameters.has(value.name),
    output: (name, value) => {
      nodes.push({ operator: "Identity", domain: "", inputs: [value.name], outputs: [name], attributes: {} });
      outputs.push({ ...value, name });
    },
    finish: () => withoutUnused({ inputs, outputs, constants, nodes }),
  };
}

/** Drops what no output depends on: pullbacks trace gradients that nobody asks for, and they would be computed. */
function withoutUnused({ inputs, outputs, constants, nodes }: GraphDefinition): GraphDefinition {
  const used = new Set(outputs.map(({ name }) => name));
  const kept = [...nodes].reverse().filter((node) => {
    if (!node.outputs.some((name) => used.has(name))) return false;
    for (const name of node.inputs) used.add(name);
    return true;
  });
  return { inputs, outputs, constants: constants.filter(({ name }) => used.has(name)), nodes: kept.reverse() };
}
