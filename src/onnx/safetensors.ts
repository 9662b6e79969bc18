import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { z } from "zod";
import type { SaveDtype } from "../options.ts";
import { FLOAT_BYTES, toBfloat16, widen } from "./float-formats.ts";

/** A tensor to be written. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Its numbers, asked for when they are written: what is computed for a file need not be in memory all at once. */
  readonly values: () => Float32Array;
}

/** An open safetensors file; tensors are read when asked for. */
export interface TensorFile {
  readonly metadata: Readonly<Record<string, string>>;
  /** Shapes by name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Reads a tensor as 32-bit floats into `target`, whose length is the tensor's size. */
  readonly read: (name: string, target: Float32Array) => Promise<void>;
  readonly close: () => Promise<void>;
}

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
type Entry = z.output<typeof entrySchema>;
const metadataSchema = z.record(z.string(), z.string());

const PREFIX = 8;
/** Format limit of the header (huggingface/safetensors README). */
const LONGEST_HEADER = 100_000_000;

/**
 * Writes a safetensors file (format: huggingface/safetensors README): the header's length as a
 * little-endian uint64, the header as JSON padded to 8 bytes, the data. The file is on disk on return.
 */
export async function writeSafetensors(path: string, tensors: readonly NamedTensor[], metadata: Readonly<Record<string, string>>, dtype: SaveDtype = "float32"): Promise<void> {
  const format = dtype === "float32" ? "F32" : "BF16";
  let offset = 0;
  const entries = tensors.map(({ name, shape }) => {
    const start = offset;
    offset += shape.reduce((product, dimension) => product * dimension, FLOAT_BYTES[format]!);
    return [name, { dtype: format, shape, data_offsets: [start, offset] }] as const;
  });
  const json = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) });
  const text = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8), "utf8");
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeBigUInt64LE(BigInt(text.length));
  const file = await open(path, "w");
  try {
    await file.writeFile(Buffer.concat([prefix, text]));
    for (const { values } of tensors) {
      const data = format === "F32" ? values() : toBfloat16(values());
      await file.writeFile(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Opens a safetensors file and checks its header against its size. `fail` makes the error for what is wrong
 * with the contents; what the system refuses is thrown as it is.
 */
export async function openSafetensors(path: string, fail: (problem: string) => Error): Promise<TensorFile> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const prefix = await readBytes(file, 0, Math.min(PREFIX, size));
    const length = prefix.length < PREFIX ? Number.NaN : Number(prefix.readBigUInt64LE());
    if (!(length <= Math.min(size - PREFIX, LONGEST_HEADER))) throw fail(`${path} is no complete safetensors file: ${size} bytes are fewer than its header says.`);
    const { metadata, entries } = parseHeader(path, (await readBytes(file, PREFIX, length)).toString("utf8"), fail);
    const start = PREFIX + length;
    for (const [name, entry] of entries) checkEntry(path, name, entry, size - start, fail);
    return {
      metadata,
      shapes: new Map([...entries].map(([name, { shape }]) => [name, shape])),
      read: async (name, target) => {
        const { dtype, data_offsets } = entries.get(name)!;
        widen(await readBytes(file, start + data_offsets[0], data_offsets[1] - data_offsets[0]), dtype, target);
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** One read call of the system takes at most 2 GiB. */
const LONGEST_READ = 2 ** 30;

async function readBytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, Math.min(LONGEST_READ, length - done), position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

function parseHeader(path: string, text: string, fail: (problem: string) => Error): { metadata: Record<string, string>; entries: Map<string, Entry> } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw fail(`${path} is no safetensors file: its header is not JSON.`);
  }
  const header = z.record(z.string(), z.unknown()).safeParse(json);
  if (!header.success) throw fail(`${path} is no safetensors file: its header is not an object.`);
  const { __metadata__: metadata = {}, ...rest } = header.data;
  const entries = Object.entries(rest).map(([name, value]) => {
    const entry = entrySchema.safeParse(value);
    if (!entry.success) throw fail(`${path}: the header's entry for ${name} is damaged.`);
    return [name, entry.data] as const;
  });
  return { metadata: metadataSchema.safeParse(metadata).data ?? {}, entries: new Map(entries) };
}

function checkEntry(path: string, name: string, { dtype, shape, data_offsets: [start, end] }: Entry, dataLength: number, fail: (problem: string) => Error): void {
  const bytes = FLOAT_BYTES[dtype];
  if (bytes === undefined) throw fail(`${path}: ${name} has dtype ${dtype}; supported: ${Object.keys(FLOAT_BYTES).join(", ")}.`);
  const needed = shape.reduce((product, dimension) => product * dimension, bytes);
  if (end - start !== needed) throw fail(`${path}: ${name} has ${end - start} bytes, its shape [${shape.join(", ")}] in ${dtype} needs ${needed}.`);
  if (end > dataLength) throw fail(`${path} is truncated: ${name} ends at byte ${end} of ${dataLength}.`);
}
