import type { AlignedData } from "uplot";
import type { EvaluationPoint } from "../src/watch/protocol.ts";
import type { Address } from "./address.ts";
import type { RunData } from "./data.ts";
import { columnStarts, columnSteps, decimate, movingMean } from "./decimate.ts";
import type { Figure } from "./figures.ts";

/** More runs than these are drawn thin and half transparent: one is followed by pointing at it. */
export const MANY = 8;
/** Where step 0 stands on a logarithmic axis, on which it has no place of its own. */
export const ZERO_ON_LOG = 0.5;

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
  readonly alpha: number;
  /** Edges of a band have no stroke; the upper one comes first. */
  readonly edge: "upper" | "lower" | null;
  /** Evaluations are points, those of the validation hollow ones. */
  readonly points: "filled" | "hollow" | null;
  /** Whether the run's marker stands at its end. */
  readonly marked: boolean;
}

export const isSmoothed = (figure: Figure, address: Address): boolean => address.smoothing > 1 && figure.evaluation === undefined;

/**
 * The lines of a figure: for each run its band's edges, its value and that of the validation, or for each column the
 * raw line, if smoothed, and the line. `dense`: more steps than pixels, so that noise fills an area.
 */
export function linesOf(figure: Figure, runs: readonly ChartRun[], address: Address, dense: boolean): Line[] {
  const many = runs.length > MANY;
  const smoothed = isSmoothed(figure, address);
  const thin = many || (dense && !smoothed);
  return runs.flatMap(({ place }) => {
    const line: Line = { place, width: thin ? 1 : 1.75, alpha: 1, edge: null, points: null, marked: true };
    if (figure.evaluation) {
      const edge = { ...line, alpha: many ? 0.04 : 0.13, marked: false };
      const values: Line = { ...line, width: many ? 1.25 : 1.75, alpha: many ? 0.7 : 1, points: "filled" };
      return [{ ...edge, edge: "upper" }, { ...edge, edge: "lower" }, values, { ...values, width: 1, points: "hollow", marked: false }];
    }
    return figure.columns.flatMap((_, i) => {
      const second = i === 1;
      const alpha = smoothed ? (many ? 0.8 : 1) : many ? 0.4 : dense ? 0.7 : 1;
      const drawn: Line = { ...line, width: figure.columns.length === 1 ? line.width : second ? line.width + 0.5 : 0.75, alpha, marked: !second };
      return smoothed ? [{ ...drawn, width: 1, alpha: many ? 0.06 : 0.25, marked: false }, drawn] : [drawn];
    });
  });
}

/** First and last step that a chart shows. */
export function rangeOf(runs: readonly ChartRun[], address: Address): readonly [first: number, last: number] {
  if (address.range !== null) return address.range;
  return [0, Math.max(2, ...runs.map(({ data }) => Math.max(data?.steps ?? 0, data?.evaluations.at(-1)?.step ?? 0)))];
}

/** Place of a step on the axis. */
export const placeOf = (step: number, address: Address): number => (address.logX && step === 0 ? ZERO_ON_LOG : step);

/** Step at a place of the axis. */
export const stepAt = (place: number, address: Address): number => (address.logX && place < (1 + ZERO_ON_LOG) / 2 ? 0 : Math.round(place));

/** Points of a chart as uPlot takes them: the places of the steps, then each line's values at them, in the order of `linesOf`. */
export function pointsOf(figure: Figure, runs: readonly ChartRun[], address: Address, pixels: number): AlignedData {
  const log = address.logY && figure.magnitude === true;
  const positive = (values: (number | null)[]): (number | null)[] =>
    log ? values.map((value) => (value !== null && value > 0 ? value : null)) : values;
  if (figure.evaluation) return evaluationPoints(figure.evaluation, runs, address);
  const [low, last] = rangeOf(runs, address);
  const starts = columnStarts(Math.max(1, low), last, pixels, address.logX);
  const lines = runs.flatMap(({ data }) =>
    figure.columns.flatMap((column) => {
      const values = data?.columns.get(column) ?? new Float32Array(0);
      const shown = isSmoothed(figure, address) ? [values, movingMean(values, address.smoothing)] : [values];
      return shown.map((line) => positive(decimate(line, starts, last)));
    }),
  );
  return [columnSteps(starts, last), ...lines];
}

function evaluationPoints(read: NonNullable<Figure["evaluation"]>, runs: readonly ChartRun[], address: Address): AlignedData {
  const steps = [...new Set(runs.flatMap(({ data }) => (data ? [...data.evaluations, ...data.validations] : []).map(({ step }) => step)))].sort((a, b) => a - b);
  const lines = runs.flatMap(({ data }) => {
    const line = (points: readonly EvaluationPoint[] = [], pick: (figure: { value: number; error: number }) => number): (number | undefined)[] => {
      const at = new Map(points.map((point) => [point.step, pick(read(point))]));
      return steps.map((step) => at.get(step));
    };
    const { evaluations, validations } = data ?? {};
    return [line(evaluations, ({ value, error }) => value + error), line(evaluations, ({ value, error }) => value - error), line(evaluations, ({ value }) => value), line(validations, ({ value }) => value)];
  });
  return [steps.map((step) => placeOf(step, address)), ...lines];
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
