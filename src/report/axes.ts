import { scaleLinear, scaleLog } from "d3-scale";
import type { Panel, Point } from "./chart.ts";
import { wrapped } from "./text.ts";

/** Font size of the numbers and names along an axis, in pixels. */
export const TICK_SIZE = 11;
/** At most this many powers of two are named. */
const POWERS = 9;

/** The rectangle of a plot, in pixels. */
export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface Tick {
  /** In pixels. */
  readonly position: number;
  readonly lines: readonly string[];
}

export interface Axis {
  /** Where a value lies, in pixels. */
  readonly at: (value: number) => number;
  readonly ticks: readonly Tick[];
}

/** The horizontal axis of a panel whose plot lies between two pixels. */
export function horizontalAxis({ x, series, marks = [] }: Panel, left: number, right: number): Axis {
  const range = [left, right] as const;
  if (x.categories) {
    const width = (right - left) / x.categories.length;
    const at = (category: number): number => left + (category + 0.5) * width;
    return { at, ticks: x.categories.map((name, category) => ({ position: at(category), lines: wrapped(name, width - 6, TICK_SIZE) })) };
  }
  const [lowest, highest] = extent([...series.flatMap(({ points }) => points.map((point) => point.x)), ...marks.map((mark) => mark.x)]);
  if (x.scale === "log2") {
    const single = lowest >= highest || lowest <= 0;
    const scale = scaleLog().base(2).domain(single ? [highest / 2, highest * 2] : [lowest, highest]).range(range);
    const powers = scale.ticks().filter((value) => Number.isInteger(Math.log2(value)));
    const every = Math.ceil(powers.length / POWERS);
    return { at: scale, ticks: powers.filter((_, index) => index % every === 0).map((value) => ({ position: scale(value), lines: [String(value)] })) };
  }
  const scale = scaleLinear().domain(apart(lowest, highest)).range(range);
  const name = scale.tickFormat(6);
  return { at: scale, ticks: scale.ticks(6).map((value) => ({ position: scale(value), lines: [name(value)] })) };
}

/** The vertical axis of a panel whose plot lies between two pixels. */
export function verticalAxis({ x, y, series, limit }: Panel, top: number, bottom: number): Axis {
  const ends = ({ y: middle, low = middle, high = middle }: Point): readonly number[] => [low, middle, high];
  const [lowest, highest] = extent([...series.flatMap(({ points }) => points.flatMap(ends)), ...(x.categories ? [0] : []), ...(limit === undefined ? [] : [limit])]);
  const [first, last] = scaleLinear().domain(apart(y.min ?? lowest, y.max ?? highest)).nice(5).domain() as [number, number];
  const scale = scaleLinear().domain([y.min ?? first, y.max ?? last]).range([bottom, top]);
  const name = scale.tickFormat(5);
  return { at: scale, ticks: scale.ticks(5).map((value) => ({ position: scale(value), lines: [name(value)] })) };
}

/** The least and the greatest value; 0 and 1 where there is none. */
function extent(values: readonly number[]): [number, number] {
  return values.length === 0 ? [0, 1] : [Math.min(...values), Math.max(...values)];
}

/** An interval that isn't empty. */
function apart(low: number, high: number): [number, number] {
  return low < high ? [low, high] : [low - 0.5, low + 0.5];
}
