/** The 16-bit and 32-bit float formats of model files, from and to float32. */

/** Bytes of one number by safetensors' names of the formats. */
export const FLOAT_BYTES: Readonly<Record<string, number>> = { F32: 4, F16: 2, BF16: 2 };

/** Widens little-endian numbers of a format into `target`, `[bytes.length / FLOAT_BYTES[format]]`. Exact. */
export function widen(bytes: Uint8Array, format: string, target: Float32Array): void {
  // Every machine that ONNX Runtime ships for is little-endian, as the files are.
  const words = new Uint32Array(target.buffer, target.byteOffset, target.length);
  if (format === "F32") {
    new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(bytes);
    return;
  }
  const halves = new Uint16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
  if (format === "BF16") for (let index = 0; index < halves.length; index++) words[index] = halves[index]! << 16;
  else for (let index = 0; index < halves.length; index++) target[index] = fromHalf(halves[index]!);
}

/** The nearest BF16 numbers, `[source.length]`; the even one where two are equally near. Not finite stays what it is. */
export function toBfloat16(source: Float32Array): Uint16Array {
  const words = new Uint32Array(source.buffer, source.byteOffset, source.length);
  const halves = new Uint16Array(source.length);
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    // A NaN whose fraction lies in the lower half would round to infinity: it gets a bit of the upper one.
    if (Number.isNaN(source[index])) halves[index] = (word >>> 16) | 0x40;
    else halves[index] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return halves;
}

/** IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits. */
function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
