import { createColumns } from "./columns.ts";
import type { Columns } from "./columns.ts";
import { addEvaluation, asEvaluation, asStep, figureOf } from "./log-lines.ts";
import type { EvaluationPoint } from "./protocol.ts";
import { LINE_BREAK, openIfThere, wholeLines } from "./tail.ts";

/** Bytes up to which a log is short: read at once, it needs no sketch. */
const SHORT = 2 ** 19;
/** Steps of a sketch, about, and bytes at the end of which it has every step. */
const POINTS = 300;
const END = 2 ** 15;
/** `{"kind":"step"`, as it is written: where the kind begins, and with what. */
const KIND_AT = 9;
const STEP_INITIAL = "s".charCodeAt(0);

export interface Sketch {
  /** NaN where a step was left out. */
  readonly columns: Columns;
  readonly evaluations: EvaluationPoint[];
}

/**
 * A long metrics.jsonl in a moment, as most of its lines are not parsed: every evaluation, some hundred steps over its
 * whole length, and its last steps. `null` where it is short or not there. Throws the system's error.
 */
export async function sketch(path: string): Promise<Sketch | null> {
  const file = await openIfThere(path);
  if (file === null) return null;
  try {
    const { size } = await file.stat();
    if (size <= SHORT) return null;
    const drawn: Sketch = { columns: createColumns(), evaluations: [] };
    let due = 0;
    const isDue = (at: number): boolean => {
      if (at < due && at < size - END) return false;
      due = at + size / POINTS;
      return true;
    };
    for (let at = 0; ; ) {
      const bytes = await wholeLines(file, at, size);
      if (bytes.length === 0) return drawn;
      for (const line of linesToParse(bytes, at, isDue)) add(drawn, line, size);
      at += bytes.length;
    }
  } finally {
    await file.close();
  }
}

/** Of whole lines that begin at a place of a file: those of steps that are due there, and all that are none. */
function* linesToParse(bytes: Buffer, at: number, isDue: (at: number) => boolean): Generator<string> {
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(LINE_BREAK, start);
    if (bytes[start + KIND_AT] !== STEP_INITIAL || isDue(at + start)) yield bytes.toString("utf8", start, end);
    start = end + 1;
  }
}

/** What can't be told is left out: the whole reading says what is wrong with it. */
function add({ columns, evaluations }: Sketch, line: string, size: number): void {
  const value = parsed(line);
  const step = asStep(value);
  const evaluation = step === null ? asEvaluation(value) : null;
  if (evaluation !== null) addEvaluation(evaluations, evaluation);
  // Nor has a file more steps than bytes.
  if (step === null || step.step <= columns.steps() || step.step > size) return;
  while (columns.steps() < step.step - 1) columns.append(() => NaN);
  columns.append((name) => figureOf(step, name));
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
