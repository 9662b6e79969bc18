import { STEP_COLUMNS } from "./protocol.ts";
import type { StepColumn } from "./protocol.ts";

/** The figures of a run's steps, a typed array for each column that doubles when it is full: 4 bytes a figure. */
export interface Columns {
  readonly steps: () => number;
  /** Adds a step of which `valueOf` tells each figure. What is no number is NaN. */
  readonly append: (valueOf: (column: StepColumn) => unknown) => void;
  /** `[steps after the first `from`]`, a view that is valid until the next `append`. */
  readonly after: (column: StepColumn, from: number) => Float32Array;
}

export function createColumns(): Columns {
  let count = 0;
  let capacity = 64;
  let arrays = new Map(STEP_COLUMNS.map((name) => [name, new Float32Array(capacity)]));
  const grow = (): void => {
    capacity *= 2;
    arrays = new Map([...arrays].map(([name, old]) => {
      const grown = new Float32Array(capacity);
      grown.set(old);
      return [name, grown];
    }));
  };
  return {
    steps: () => count,
    append: (valueOf) => {
      if (count === capacity) grow();
      for (const [name, array] of arrays) {
        const value = valueOf(name);
        array[count] = typeof value === "number" ? value : NaN;
      }
      count++;
    },
    after: (column, from) => arrays.get(column)!.subarray(Math.min(from, count), count),
  };
}

/** Columns one after the other as little-endian bytes, whatever the machine. */
export function encodeColumns(columns: readonly Float32Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 * columns.reduce((total, { length }) => total + length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const column of columns) {
    for (const value of column) {
      view.setFloat32(at, value, true);
      at += 4;
    }
  }
  return bytes;
}
