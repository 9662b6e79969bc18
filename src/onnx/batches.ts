import type { ScoredSequence } from "../policy.ts";

/** Sequences of about one length, padded at the end to the longest, ready for one run of a graph. */
export interface MicroBatch {
  /** Index of each row in the list that was batched. */
  readonly rows: readonly number[];
  readonly time: number;
  /** Input ids, `[rows * time]`: every token but the last, then padding. */
  readonly ids: Int32Array;
  /** Places of `ids` whose next token belongs to a completion, row by row, `[tokens]`. */
  readonly selected: Int32Array;
  /** Those next tokens, or what is scored in their stead, `[tokens]`. */
  readonly targets: Int32Array;
}

/** Most padded tokens of a micro-batch whose longest row has `time` positions. */
export type TokenBudget = (time: number) => number;

/**
 * Cuts sequences into micro-batches within a budget of padded tokens (or of one row), longest first, so
 * that rows of like length share a batch. Empty completions are left out.
 */
export function microBatches(sequences: readonly ScoredSequence[], tokenBudget: TokenBudget): readonly MicroBatch[] {
  const lengthOf = (row: number): number => sequences[row]!.prompt.length + sequences[row]!.completion.length - 1;
  const order = sequences.map((_, row) => row).filter((row) => sequences[row]!.completion.length > 0);
  order.sort((a, b) => lengthOf(b) - lengthOf(a) || a - b);
  const batches: MicroBatch[] = [];
  for (let start = 0; start < order.length; ) {
    const time = lengthOf(order[start]!);
    const rows = order.slice(start, start + Math.max(1, Math.floor(tokenBudget(time) / time)));
    batches.push(microBatch(rows, time, sequences));
    start += rows.length;
  }
  return batches;
}

function microBatch(rows: readonly number[], time: number, sequences: readonly ScoredSequence[]): MicroBatch {
  const ids = new Int32Array(rows.length * time);
  const selected: number[] = [];
  const targets: number[] = [];
  rows.forEach((row, place) => {
    const { prompt, completion, targets: scored = completion } = sequences[row]!;
    const start = place * time;
    ids.set(prompt, start);
    ids.set(completion.slice(0, -1), start + prompt.length);
    scored.forEach((token, t) => {
      selected.push(start + prompt.length - 1 + t);
      targets.push(token);
    });
  });
  return { rows, time, ids, selected: Int32Array.from(selected), targets: Int32Array.from(targets) };
}

/** Added to a score to hide a position: exp of it is 0 in float32, and no sum with it overflows. */
export const HIDDEN = -1e9;

/** Causal mask for `group` stacked query heads, `[group * time, time]`: 0 up to the own position, HIDDEN after. */
export function causalMask(time: number, group: number): Float32Array {
  const mask = new Float32Array(group * time * time);
  for (let row = 0; row < group * time; row++) mask.fill(HIDDEN, row * time + (row % time) + 1, (row + 1) * time);
  return mask;
}
