/** Fewer points than steps, so that drawing costs by the pixel: the least and the greatest value of each pixel column. */

/**
 * Steps at which the pixel columns between steps `first` and `last` begin, ascending and each once; with `log`, of
 * an axis that is logarithmic. Where a step is wider than a pixel, every step begins one.
 */
export function columnStarts(first: number, last: number, pixels: number, log: boolean): number[] {
  const starts: number[] = [];
  const count = Math.max(1, Math.floor(pixels));
  if (!log && last - first + 1 <= count) return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  for (let pixel = 0; pixel < count; pixel++) {
    const at = log ? first * (last / first) ** (pixel / count) : first + ((last + 1 - first) * pixel) / count;
    const step = pixel === 0 ? first : Math.ceil(at);
    if (step > last) break;
    if (step !== starts.at(-1)) starts.push(step);
  }
  if (starts.at(-1)! < last) starts.push(last);
  return starts;
}

/** The steps that stand for the columns: each column's first, and its middle where it holds more than one step. */
export function columnSteps(starts: readonly number[], last: number): number[] {
  return starts.flatMap((start, i) => {
    const size = (starts[i + 1] ?? last + 1) - start;
    return size === 1 ? [start] : [start, start + Math.floor(size / 2)];
  });
}

/** Values `[steps that stand for the columns]` of a figure `[steps]` of which the first is step 1: least and greatest in the order in which they come; `null` without any. */
export function decimate(values: Float32Array, starts: readonly number[], last: number): (number | null)[] {
  const points: (number | null)[] = [];
  for (let i = 0; i < starts.length; i++) {
    const start = starts[i]!;
    const end = starts[i + 1] ?? last + 1;
    let low = -1;
    let high = -1;
    for (let row = start - 1; row < end - 1 && row < values.length; row++) {
      if (!Number.isFinite(values[row])) continue;
      if (low < 0 || values[row]! < values[low]!) low = row;
      if (high < 0 || values[row]! > values[high]!) high = row;
    }
    const at = (row: number): number | null => (row < 0 ? null : values[row]!);
    points.push(at(Math.min(low, high)));
    if (end - start > 1) points.push(at(Math.max(low, high)));
  }
  return points;
}

/** Mean of the last `window` steps at each step, of those that have a value; NaN before the first. */
export function movingMean(values: Float32Array, window: number): Float32Array {
  const means = new Float32Array(values.length);
  let total = 0;
  let count = 0;
  for (let row = 0; row < values.length; row++) {
    const come = values[row]!;
    if (Number.isFinite(come)) [total, count] = [total + come, count + 1];
    const gone = row >= window ? values[row - window]! : NaN;
    if (Number.isFinite(gone)) [total, count] = [total - gone, count - 1];
    means[row] = count > 0 ? total / count : NaN;
  }
  return means;
}
