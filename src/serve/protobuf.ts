import { PbfReader, PbfWriter } from "pbf";
import type { LossOutput, SampleResult } from "../tinker/wire.ts";
import { Refusal } from "./refusal.ts";

/**
 * The part of the API that newer Python SDKs send and want in Protocol Buffers: requests to `forward_backward` and the
 * results of passes and samples. Field numbers are those of the SDK's `tinker_public.proto`; arrays are little-endian.
 */
export const PROTOBUF = "application/x-protobuf";

/** `tinker_public.DType`. */
const FLOAT32 = 1;
const INT64 = 2;
const INT32 = 3;

interface Message {
  readonly model_id: string;
  readonly seq_id: number;
  readonly forward_backward_input: { readonly data: readonly object[]; readonly loss_fn: string; readonly loss_fn_config: Readonly<Record<string, number>> };
  /** A pass without gradients. */
  readonly forward_only: boolean;
}

/** A `ForwardBackwardRequest` in the shape that JSON has, not checked further. Throws Refusal: 400 when it is none, 422 for sparse arrays. */
export function decodePass(body: Uint8Array): Message {
  try {
    const { data, loss_fn, loss_fn_config, ...rest } = new PbfReader(body).readFields(readRequest, { model_id: "", seq_id: 0, data: [], loss_fn: "", loss_fn_config: {}, forward_only: false });
    return { ...rest, forward_backward_input: { data, loss_fn, loss_fn_config } };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, "the body is no valid ForwardBackwardRequest.");
  }
}

interface RequestFields {
  model_id: string;
  seq_id: number;
  readonly data: object[];
  loss_fn: string;
  readonly loss_fn_config: Record<string, number>;
  forward_only: boolean;
}

function readRequest(tag: number, request: RequestFields, reader: PbfReader): void {
  if (tag === 1) request.model_id = reader.readString();
  else if (tag === 2) request.seq_id = reader.readVarint(true);
  else if (tag === 3) request.data.push(reader.readMessage(readDatum, { model_input: { chunks: [] }, loss_fn_inputs: {} }));
  else if (tag === 4) request.loss_fn = reader.readString();
  else if (tag === 5) {
    const { key, value } = reader.readMessage(readEntry((entry) => entry.readDouble()), { key: "", value: 0 });
    request.loss_fn_config[key] = value;
  } else if (tag === 6) request.forward_only = reader.readBoolean();
}

interface DatumFields {
  readonly model_input: { readonly chunks: object[] };
  readonly loss_fn_inputs: Record<string, object>;
}

function readDatum(tag: number, datum: DatumFields, reader: PbfReader): void {
  if (tag === 1) datum.model_input.chunks.push(reader.readMessage(readChunk, { type: "unknown", tokens: [] }));
  else if (tag === 2) {
    const { key, value } = reader.readMessage(readEntry((entry) => entry.readMessage(readTensor, { bytes: new Uint8Array(), dtype: 0 })), { key: "", value: { bytes: new Uint8Array(), dtype: 0 } });
    datum.loss_fn_inputs[key] = tensorOf(key, value);
  }
}

/** Fields of an entry of a map, whose value is read by `read`. */
function readEntry<T>(read: (reader: PbfReader) => T): (tag: number, entry: { key: string; value: T }, reader: PbfReader) => void {
  return (tag, entry, reader) => {
    if (tag === 1) entry.key = reader.readString();
    else if (tag === 2) entry.value = read(reader);
  };
}

/** Fields 2 and 3 are images and sound. */
function readChunk(tag: number, chunk: { type: string; tokens: number[] }, reader: PbfReader): void {
  if (tag === 1) {
    chunk.type = "encoded_text";
    reader.readMessage((field, _, text) => {
      if (field === 1) chunk.tokens = Array.from(new Int32Array(aligned(text.readBytes())));
    }, chunk);
  } else if (tag === 2) chunk.type = "image";
  else if (tag === 3) chunk.type = "dmel";
}

interface TensorFields {
  bytes: Uint8Array;
  dtype: number;
}

function readTensor(tag: number, tensor: TensorFields, reader: PbfReader): void {
  if (tag === 1) tensor.bytes = reader.readBytes();
  else if (tag === 2) throw new Refusal(422, "this server takes no sparse arrays; send dense ones.");
  else if (tag === 3) tensor.dtype = reader.readVarint();
}

function tensorOf(name: string, { bytes, dtype }: TensorFields): object {
  const buffer = aligned(bytes);
  if (dtype === FLOAT32) return { dtype: "float32", data: Array.from(new Float32Array(buffer)) };
  if (dtype === INT64) return { dtype: "int64", data: Array.from(new BigInt64Array(buffer), Number) };
  if (dtype === INT32) return { dtype: "int64", data: Array.from(new Int32Array(buffer)) };
  throw new Refusal(422, `the array ${name} has numbers of a kind that is not known here; expected float32, int32 or int64.`);
}

/** The bytes at the start of a memory of their own, as typed arrays need them. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer;
}

/** The result of an operation as a message, or `null` for one that has none. */
export function encodeResult(result: object): Uint8Array<ArrayBuffer> | null {
  const writer = new PbfWriter();
  if ("sequences" in result) writeSamples(result as SampleResult, writer);
  else if ("loss_fn_outputs" in result) writeLossOutput(result as LossOutput, writer);
  else return null;
  return writer.finish() as Uint8Array<ArrayBuffer>;
}

function writeSamples({ sequences, prompt_logprobs }: SampleResult, writer: PbfWriter): void {
  for (const sequence of sequences) {
    writer.writeMessage(1, ({ stop_reason, tokens, logprobs }, out) => {
      out.writeVarintField(1, stop_reason === "stop" ? 0 : 1);
      out.writeBytesField(2, bytesOf(Int32Array.from(tokens)));
      if (logprobs) out.writeBytesField(3, bytesOf(Float32Array.from(logprobs)));
    }, sequence);
  }
  if (prompt_logprobs) writer.writeBytesField(2, bytesOf(Float32Array.from(prompt_logprobs, (logprob) => logprob ?? Number.NaN)));
}

function writeLossOutput({ loss_fn_output_type, loss_fn_outputs, metrics }: LossOutput, writer: PbfWriter): void {
  const arrays = loss_fn_outputs.map(({ logprobs }) => logprobs.data);
  writer.writeStringField(1, loss_fn_output_type ?? "");
  writer.writeMessage(2, (_, record) => {
    record.writeMessage(2, (_field, entry) => {
      entry.writeStringField(1, "logprobs");
      entry.writeMessage(2, (_tensor, tensor) => {
        tensor.writeBytesField(1, bytesOf(Float32Array.from(arrays.flat())));
        tensor.writeBytesField(2, bytesOf(offsetsOf(arrays.map(({ length }) => length))));
        tensor.writeVarintField(3, FLOAT32);
      }, null);
    }, null);
    record.writeVarintField(3, loss_fn_outputs.length);
  }, null);
  for (const metric of Object.entries(metrics ?? {})) {
    writer.writeMessage(3, ([key, value], entry) => {
      entry.writeStringField(1, key);
      entry.writeDoubleField(2, value);
    }, metric);
  }
}

/** Where each array of floats begins, in bytes, and where the last one ends. */
function offsetsOf(lengths: readonly number[]): BigInt64Array {
  let end = 0;
  return BigInt64Array.from([0, ...lengths.map((length) => (end += length * Float32Array.BYTES_PER_ELEMENT))], BigInt);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Int32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
