import { open, readFile } from "node:fs/promises";
import { z } from "zod";

/** A tensor of a safetensors file as 32-bit floats. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface TensorFile {
  readonly tensors: ReadonlyMap<string, NamedTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const entry = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const header = z.record(z.string(), z.unknown());
const metadataSchema = z.record(z.string(), z.string());

const PREFIX = 8;

/**
 * Writes a safetensors file (format: huggingface/safetensors README): the header's length as a
 * little-endian uint64, the header as JSON padded to 8 bytes, the data. The file is on disk on return.
 */
export async function writeSafetensors(path: string, tensors: readonly NamedTensor[], metadata: Readonly<Record<string, string>>): Promise<void> {
  let offset = 0;
  const entries = tensors.map(({ name, shape, data }) => {
    const start = offset;
    offset += data.byteLength;
    return [name, { dtype: "F32", shape, data_offsets: [start, offset] }] as const;
  });
  const json = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) });
  const text = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8), "utf8");
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeBigUInt64LE(BigInt(text.length));
  const file = await open(path, "w");
  try {
    await file.writeFile(Buffer.concat([prefix, text]));
    for (const { data } of tensors) await file.writeFile(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Reads a safetensors file. `fail` makes the error for what is wrong with the file's contents. */
export async function readSafetensors(path: string, fail: (problem: string) => Error): Promise<TensorFile> {
  const bytes = await readFile(path);
  const length = bytes.length < PREFIX ? Number.NaN : Number(bytes.readBigUInt64LE());
  if (!(length <= bytes.length - PREFIX)) throw fail(`${path} is no complete safetensors file: ${bytes.length} bytes are fewer than its header says.`);
  const parsed = parseHeader(bytes.toString("utf8", PREFIX, PREFIX + length));
  if (!parsed) throw fail(`${path} is no safetensors file: its header is not a JSON object.`);
  const { __metadata__: metadata = {}, ...entries } = parsed;
  const tensors = Object.entries(entries).map(([name, value]) => {
    const checked = entry.safeParse(value);
    if (!checked.success) throw fail(`${path}: the header's entry for ${name} is damaged.`);
    return readTensor(path, name, checked.data, bytes.subarray(PREFIX + length), fail);
  });
  return { tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])), metadata: metadataSchema.safeParse(metadata).data ?? {} };
}

function parseHeader(text: string): Record<string, unknown> | null {
  try {
    return header.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function readTensor(path: string, name: string, { dtype, shape, data_offsets }: z.output<typeof entry>, data: Buffer, fail: (problem: string) => Error): NamedTensor {
  const [start, end] = data_offsets;
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  if (dtype !== "F32") throw fail(`${path}: ${name} has dtype ${dtype}; supported: F32.`);
  if (end - start !== size * Float32Array.BYTES_PER_ELEMENT) throw fail(`${path}: ${name} has ${end - start} bytes, its shape [${shape.join(", ")}] needs ${size * 4}.`);
  if (end > data.length) throw fail(`${path} is truncated: ${name} ends at byte ${end} of ${data.length}.`);
  // A copy, since the file's bytes need not lie on a multiple of four.
  const copy = new Uint8Array(end - start);
  copy.set(data.subarray(start, end));
  return { name, shape, data: new Float32Array(copy.buffer) };
}
