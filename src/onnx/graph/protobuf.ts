import { PbfWriter } from "pbf";

/** Element types that our graphs use, by the numbers of onnx.proto3's `TensorProto.DataType`. */
const ELEMENT_TYPES = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;
export type ElementType = keyof typeof ELEMENT_TYPES;

/** A fixed length, or the name of one that is known only when the graph runs. */
export type Dimension = number | string;

export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Dimension[];
}

/** An attribute of a node: integers are numbers, floats are wrapped so that 1.0 stays a float. */
export type Attribute = number | readonly number[] | { readonly float: number };

export interface Node {
  readonly operator: string;
  /** Empty for the standard ONNX operators. */
  readonly domain: "" | "com.microsoft";
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Constant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

export interface GraphDefinition {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly constants: readonly Constant[];
  readonly nodes: readonly Node[];
}

const IR_VERSION = 10;
const OPERATOR_SETS = [
  { domain: "", version: 21 },
  { domain: "com.microsoft", version: 1 },
];

/** Serializes a graph as an ONNX `ModelProto` (field numbers: onnx.proto3 of ONNX 1.16). */
export function encodeModel(graph: GraphDefinition): Uint8Array {
  const model = new PbfWriter();
  model.writeVarintField(1, IR_VERSION);
  model.writeStringField(2, "selftrain");
  model.writeMessage(7, writeGraph, graph);
  for (const set of OPERATOR_SETS) model.writeMessage(8, writeOperatorSet, set);
  return model.finish();
}

function writeOperatorSet({ domain, version }: (typeof OPERATOR_SETS)[number], out: PbfWriter): void {
  out.writeStringField(1, domain);
  out.writeVarintField(2, version);
}

function writeGraph(graph: GraphDefinition, out: PbfWriter): void {
  for (const node of graph.nodes) out.writeMessage(1, writeNode, node);
  out.writeStringField(2, "graph");
  for (const constant of graph.constants) out.writeMessage(5, writeTensor, constant);
  for (const input of graph.inputs) out.writeMessage(11, writeValueInfo, input);
  for (const output of graph.outputs) out.writeMessage(12, writeValueInfo, output);
}

function writeNode(node: Node, out: PbfWriter): void {
  for (const input of node.inputs) out.writeStringField(1, input);
  for (const output of node.outputs) out.writeStringField(2, output);
  out.writeStringField(4, node.operator);
  for (const entry of Object.entries(node.attributes)) out.writeMessage(5, writeAttribute, entry);
  out.writeStringField(7, node.domain);
}

const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INTEGER = 2;
const ATTRIBUTE_INTEGERS = 7;

function writeAttribute([name, value]: [string, Attribute], out: PbfWriter): void {
  out.writeStringField(1, name);
  if (typeof value === "number") {
    out.writeVarintField(3, value);
    out.writeVarintField(20, ATTRIBUTE_INTEGER);
  } else if ("float" in value) {
    out.writeFloatField(2, value.float);
    out.writeVarintField(20, ATTRIBUTE_FLOAT);
  } else {
    for (const item of value) out.writeVarintField(8, item);
    out.writeVarintField(20, ATTRIBUTE_INTEGERS);
  }
}

function writeTensor({ name, shape, data }: Constant, out: PbfWriter): void {
  for (const length of shape) out.writeVarintField(1, length);
  out.writeVarintField(2, data instanceof Float32Array ? ELEMENT_TYPES.float32 : ELEMENT_TYPES.int64);
  out.writeStringField(8, name);
  out.writeBytesField(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

function writeValueInfo({ name, type, shape }: ValueInfo, out: PbfWriter): void {
  out.writeStringField(1, name);
  out.writeMessage(2, writeType, { type, shape });
}

type TensorType = Pick<ValueInfo, "type" | "shape">;

function writeType(type: TensorType, out: PbfWriter): void {
  out.writeMessage(1, writeTensorType, type);
}

function writeTensorType({ type, shape }: TensorType, out: PbfWriter): void {
  out.writeVarintField(1, ELEMENT_TYPES[type]);
  out.writeMessage(2, writeShape, shape);
}

function writeShape(shape: readonly Dimension[], out: PbfWriter): void {
  for (const dimension of shape) out.writeMessage(1, writeDimension, dimension);
}

function writeDimension(dimension: Dimension, out: PbfWriter): void {
  if (typeof dimension === "number") out.writeVarintField(1, dimension);
  else out.writeStringField(2, dimension);
}
