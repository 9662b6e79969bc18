import { TICK_SIZE } from "./axes.ts";
import type { Axis, Frame } from "./axes.ts";
import type { Mark } from "./chart.ts";
import { label, line } from "./svg.ts";
import { textWidth } from "./text.ts";

const LINE_HEIGHT = 14;
const COLOR = "#555555";

interface Placed extends Mark {
  readonly position: number;
  /** The middle of the label. */
  readonly middle: number;
  /** Lines above the plot, from 0. */
  readonly row: number;
}

/** Each label is over its line and within the plot's width, in the lowest row where it covers no other. */
function placed(marks: readonly Mark[], axis: Axis, left: number, right: number): readonly Placed[] {
  const ends: number[] = [];
  return [...marks].sort((first, second) => first.x - second.x).map((mark) => {
    const position = axis.at(mark.x);
    const half = textWidth(mark.label, TICK_SIZE) / 2;
    const middle = Math.max(left + half, Math.min(right - half, position));
    const free = ends.findIndex((end) => end + 6 <= middle - half);
    const row = free < 0 ? ends.length : free;
    ends[row] = middle + half;
    return { ...mark, position, middle, row };
  });
}

/** How much the labels of marks need above a plot, in pixels. */
export function marksHeight(marks: readonly Mark[], axis: Axis, left: number, right: number): number {
  return LINE_HEIGHT * (1 + Math.max(-1, ...placed(marks, axis, left, right).map(({ row }) => row)));
}

/** Vertical lines through a plot, their labels above it. */
export function drawMarks(marks: readonly Mark[], axis: Axis, { left, top, right, bottom }: Frame): string {
  return placed(marks, axis, left, right)
    .map(({ position, middle, row, label: text }) =>
      line(position, top, position, bottom, { stroke: COLOR, "stroke-dasharray": "2 3" }) +
      label(middle, top - (row + 0.5) * LINE_HEIGHT - 2, text, TICK_SIZE, { "text-anchor": "middle", fill: COLOR }))
    .join("");
}
