import type { AlignedData } from "uplot";
import type { Address } from "./address.ts";
import type { RunData } from "./data.ts";
import { columnStarts, columnSteps, decimate, movingMean } from "./decimate.ts";
import type { Figure } from "./figures.ts";

/** A chosen run as a chart takes it: its place in the list of all gives its style. */
export interface ChartRun {
  readonly id: string;
  readonly name: string;
  readonly place: number;
  readonly data: RunData | undefined;
  readonly limit: number | null;
}

/** How one line of a chart is drawn; the lines of a figure stand in the order of `linesOf`. */
export interface Line {
  readonly place: number;
  readonly width: number;
  readonly faint: boolean;
  /** Edges of a band have no stroke. */
  readonly edge: boolean;
  /** Whether the run's marker stands at its end. */
  readonly marked: boolean;
}

const isSmoothed = (figure: Figure, address: Address): boolean => address.smoothing > 1 && figure.evaluation === undefined;

/** The lines of a figure: for each run its band's edges and its value, or for each column the raw line, if smoothed, and the line. */
export function linesOf(figure: Figure, runs: readonly ChartRun[], address: Address): Line[] {
  return runs.flatMap(({ place }) => {
    const line = { place, width: 1.75, faint: false, edge: false, marked: true };
    if (figure.evaluation) return [{ ...line, edge: true }, { ...line, edge: true }, line];
    return figure.columns.flatMap((_, i) => {
      const drawn = { ...line, width: figure.columns.length === 1 ? 1.75 : i === 0 ? 1 : 2.75, marked: i === 0 };
      return isSmoothed(figure, address) ? [{ ...drawn, width: 1, faint: true, marked: false }, drawn] : [drawn];
    });
  });
}

/** First and last step that a chart shows. A logarithmic axis begins at 1: the evaluation before the first step isn't on it. */
export function rangeOf(figure: Figure, runs: readonly ChartRun[], address: Address): readonly [first: number, last: number] {
  const first = address.logX || figure.evaluation === undefined ? 1 : 0;
  if (address.range !== null) return [Math.max(first, address.range[0]), Math.max(first + 1, address.range[1])];
  return [address.logX ? 1 : 0, Math.max(2, ...runs.map(({ data }) => Math.max(data?.steps ?? 0, data?.evaluations.at(-1)?.step ?? 0)))];
}

/** Points of a chart as uPlot takes them: the steps, then each line's values at them, in the order of `linesOf`. */
export function pointsOf(figure: Figure, runs: readonly ChartRun[], address: Address, pixels: number): AlignedData {
  const log = address.logY && figure.magnitude === true;
  const positive = (values: (number | null)[]): (number | null)[] =>
    log ? values.map((value) => (value !== null && value > 0 ? value : null)) : values;
  if (figure.evaluation) return evaluationPoints(figure.evaluation, runs);
  const [low, last] = rangeOf(figure, runs, address);
  const first = Math.max(1, low);
  const starts = columnStarts(first, last, pixels, address.logX);
  const lines = runs.flatMap(({ data }) =>
    figure.columns.flatMap((column) => {
      const values = data?.columns.get(column) ?? new Float32Array(0);
      const shown = isSmoothed(figure, address) ? [values, movingMean(values, address.smoothing)] : [values];
      return shown.map((line) => positive(decimate(line, starts, last)));
    }),
  );
  return [columnSteps(starts, last), ...lines];
}

function evaluationPoints(read: NonNullable<Figure["evaluation"]>, runs: readonly ChartRun[]): AlignedData {
  const steps = [...new Set(runs.flatMap(({ data }) => data?.evaluations.map(({ step }) => step) ?? []))].sort((a, b) => a - b);
  const lines = runs.flatMap(({ data }) => {
    const at = new Map(data?.evaluations.map((point) => [point.step, read(point)]));
    const line = (pick: (figure: { value: number; error: number }) => number): (number | null | undefined)[] =>
      steps.map((step) => (at.has(step) ? pick(at.get(step)!) : undefined));
    return [line(({ value, error }) => value + error), line(({ value, error }) => value - error), line(({ value }) => value)];
  });
  return [steps, ...lines];
}

/** Value of a figure at a step: of the evaluation at or before it, or of the step itself; `undefined` where there is none. */
export function valueAt(figure: Figure, data: RunData | undefined, step: number, column = 0): number | undefined {
  if (figure.evaluation) {
    const point = data?.evaluations.findLast((evaluation) => evaluation.step <= step);
    return point && figure.evaluation(point).value;
  }
  const value = data?.columns.get(figure.columns[column]!)?.[step - 1];
  return value === undefined || Number.isNaN(value) ? undefined : value;
}

/** Whether any run has a value of the figure anywhere. */
export function hasValues(figure: Figure, runs: readonly ChartRun[]): boolean {
  if (figure.evaluation) return runs.some(({ data }) => (data?.evaluations.length ?? 0) > 0);
  return runs.some(({ data }) => figure.columns.some((column) => data?.columns.get(column)?.some((value) => !Number.isNaN(value))));
}
