import { HIDDEN } from "./batches.ts";
import type { DecoderConfiguration } from "./models/configuration.ts";
import { floatTensor } from "./session.ts";
import type { Feeds } from "./session.ts";

/**
 * Keys and values of the rows being decoded, and the mask of what each row may look at. Rows lie densely
 * at the front, so that finished ones cost nothing.
 */
export interface Cache {
  readonly keyValueHeads: number;
  readonly headWidth: number;
  /** Positions there is room for. */
  capacity: number;
  /** For each layer keys then values, `[row, keyValueHeads, capacity, headWidth]`. */
  planes: readonly Float32Array[];
  /** `[row, capacity + 1]`; the last column is the new token, which always sees itself. */
  mask: Float32Array;
  /** Positions in use, `[row]`. */
  readonly lengths: Int32Array;
}

/** Keys and values of whole prompts, as planes over `time` positions. */
export interface Prefill {
  readonly time: number;
  readonly planes: readonly Float32Array[];
}

/** Positions that a cache grows by. */
const BLOCK = 16;

/** An empty cache for `rows` rows with room for at least `positions`. */
export function createCache({ layers, keyValueHeads, headWidth }: DecoderConfiguration, rows: number, positions: number): Cache {
  const capacity = roundUp(positions);
  return {
    keyValueHeads,
    headWidth,
    capacity,
    planes: Array.from({ length: layers * 2 }, () => new Float32Array(rows * keyValueHeads * capacity * headWidth)),
    mask: new Float32Array(rows * (capacity + 1)).fill(HIDDEN),
    lengths: new Int32Array(rows),
  };
}

/** A multiple of BLOCK plus one: with a power of two between rows, all of them would share few cache lines. */
function roundUp(positions: number): number {
  return Math.ceil(positions / BLOCK) * BLOCK + 1;
}

/** Fills a row with the first `length` positions of prompt `index`. */
export function fillRow(cache: Cache, row: number, prefill: Prefill, index: number, length: number): void {
  cache.lengths[row] = length;
  cache.planes.forEach((plane, number) => {
    copyRow(cache, { plane: prefill.planes[number]!, row: index, capacity: prefill.time }, { plane, row, capacity: cache.capacity }, length);
  });
  showPositions(cache, row);
}

/** Appends one position to each of the first `rows` rows from `fresh`, `[row, plane, keyValueHeads * headWidth]`. */
export function appendPosition({ planes, mask, lengths, keyValueHeads, headWidth, capacity }: Cache, fresh: Float32Array, rows: number): void {
  const width = keyValueHeads * headWidth;
  planes.forEach((plane, number) => {
    for (let row = 0; row < rows; row++) {
      const source = (row * planes.length + number) * width;
      for (let head = 0; head < keyValueHeads; head++) {
        const target = ((row * keyValueHeads + head) * capacity + lengths[row]!) * headWidth;
        for (let column = 0; column < headWidth; column++) plane[target + column] = fresh[source + head * headWidth + column]!;
      }
    }
  });
  for (let row = 0; row < rows; row++) mask[row * (capacity + 1) + lengths[row]!++] = 0;
}

/** Copies a row's contents into another row's place. */
export function moveRow(cache: Cache, from: number, to: number): void {
  const { planes, lengths, capacity } = cache;
  lengths[to] = lengths[from]!;
  for (const plane of planes) copyRow(cache, { plane, row: from, capacity }, { plane, row: to, capacity }, lengths[to]);
  showPositions(cache, to);
}

/** Makes room for one more position in each of the first `rows` rows. */
export function reservePosition(cache: Cache, rows: number): void {
  const needed = Math.max(...cache.lengths.subarray(0, rows)) + 1;
  if (needed <= cache.capacity) return;
  const capacity = roundUp(Math.max(needed, Math.ceil(cache.capacity * 1.25)));
  cache.planes = cache.planes.map((plane) => {
    const grown = new Float32Array((plane.length / cache.capacity) * capacity);
    for (let row = 0; row < rows; row++) copyRow(cache, { plane, row, capacity: cache.capacity }, { plane: grown, row, capacity }, cache.lengths[row]!);
    return grown;
  });
  cache.capacity = capacity;
  cache.mask = new Float32Array(cache.lengths.length * (capacity + 1)).fill(HIDDEN);
  for (let row = 0; row < rows; row++) showPositions(cache, row);
}

/** The first `rows` rows as inputs of the decode graph. */
export function cacheFeeds({ planes, mask, keyValueHeads, headWidth, capacity }: Cache, rows: number): Feeds {
  const size = rows * keyValueHeads * capacity * headWidth;
  const tensors = planes.map((plane, number) => {
    const name = `${number % 2 === 0 ? "keys" : "values"}${Math.floor(number / 2)}`;
    return [name, floatTensor(plane.subarray(0, size), [rows, keyValueHeads, capacity, headWidth])] as const;
  });
  return { ...Object.fromEntries(tensors), mask: floatTensor(mask.subarray(0, rows * (capacity + 1)), [rows, 1, 1, capacity + 1]) };
}

interface Place {
  readonly plane: Float32Array;
  readonly row: number;
  readonly capacity: number;
}

function copyRow({ keyValueHeads, headWidth }: Cache, from: Place, to: Place, length: number): void {
  for (let head = 0; head < keyValueHeads; head++) {
    const source = (from.row * keyValueHeads + head) * from.capacity * headWidth;
    to.plane.set(from.plane.subarray(source, source + length * headWidth), (to.row * keyValueHeads + head) * to.capacity * headWidth);
  }
}

function showPositions({ mask, lengths, capacity }: Cache, row: number): void {
  const start = row * (capacity + 1);
  mask.fill(0, start, start + lengths[row]!);
  mask.fill(HIDDEN, start + lengths[row]!, start + capacity);
  mask[start + capacity] = 0;
}
