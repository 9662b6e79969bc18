import { area, line as curve } from "d3-shape";
import { horizontalAxis, TICK_SIZE, verticalAxis } from "./axes.ts";
import type { Axis, Frame } from "./axes.ts";
import type { Panel, Point, Series } from "./chart.ts";
import { barPaint, DASHES } from "./legend.ts";
import { drawMarks, marksHeight } from "./marks.ts";
import { element, label, line } from "./svg.ts";

const AXIS = "#444444";
const GRID = "#e6e6e6";
const LABEL_SIZE = 12;
const TICK_LENGTH = 4;
const LINE_HEIGHT = 13;
/** From the plot to the middle of the vertical axis's label. */
const LABEL_LEFT = 42;
/** Curves with at most this many points show each of them. */
const DOTTED = 16;
/** How far from the center a dot reaches, in pixels. */
const DOT = 2.4;
/** Share of a category that its bars take. */
const BARS = 0.72;

/** How much a panel needs between its legend and its plot, in pixels. */
export function heightAbove(panel: Panel, left: number, right: number): number {
  return 8 + marksHeight(panel.marks ?? [], horizontalAxis(panel, left, right), left, right);
}

/** How much a panel needs below its plot, in pixels. */
export function heightBelow(panel: Panel, left: number, right: number): number {
  const lines = Math.max(1, ...horizontalAxis(panel, left, right).ticks.map((tick) => tick.lines.length));
  return TICK_LENGTH + lines * LINE_HEIGHT + 26;
}

/** The plot of a panel with its axes; `clip` is an id that no other plot in the document has. */
export function drawPanel(panel: Panel, frame: Frame, colors: ReadonlyMap<string, string>, clip: string): string {
  const { left, top, right, bottom } = frame;
  const x = horizontalAxis(panel, left, right);
  const y = verticalAxis(panel, top, bottom);
  const draw = panel.x.categories ? bars : curves;
  const empty = panel.series.every(({ points }) => points.length === 0);
  return [
    element("clipPath", { id: clip }, element("rect", { x: left - DOT, y: top - DOT, width: right - left + 2 * DOT, height: bottom - top + 2 * DOT })),
    ...y.ticks.map(({ position }) => line(left, position, right, position, { stroke: GRID })),
    element("g", { "clip-path": `url(#${clip})` }, ...draw(panel, x, y, colors)),
    ...drawAxes(panel, frame, x, y),
    drawMarks(panel.marks ?? [], x, frame),
    ...(panel.limit === undefined ? [] : [line(left, y.at(panel.limit), right, y.at(panel.limit), { stroke: AXIS, "stroke-dasharray": "2 3" })]),
    ...(empty ? [label((left + right) / 2, (top + bottom) / 2, "no data", LABEL_SIZE, { "text-anchor": "middle", fill: "#666666" })] : []),
  ].join("\n");
}

function drawAxes(panel: Panel, { left, top, right, bottom }: Frame, x: Axis, y: Axis): readonly string[] {
  const middle = (top + bottom) / 2;
  const ticks = panel.x.categories ? [] : x.ticks;
  return [
    line(left, top, left, bottom, { stroke: AXIS }),
    line(left, bottom, right, bottom, { stroke: AXIS }),
    ...(y.at(0) < bottom && y.at(0) > top ? [line(left, y.at(0), right, y.at(0), { stroke: AXIS, "stroke-width": 0.6 })] : []),
    ...y.ticks.map(({ position }) => line(left - TICK_LENGTH, position, left, position, { stroke: AXIS })),
    ...ticks.map(({ position }) => line(position, bottom, position, bottom + TICK_LENGTH, { stroke: AXIS })),
    ...y.ticks.map(({ position, lines }) => label(left - 8, position, lines.join(" "), TICK_SIZE, { "text-anchor": "end" })),
    ...x.ticks.flatMap(({ position, lines }) =>
      lines.map((text, row) => label(position, bottom + TICK_LENGTH + (row + 0.75) * LINE_HEIGHT, text, TICK_SIZE, { "text-anchor": "middle" }))),
    label((left + right) / 2, bottom + heightBelow(panel, left, right) - 12, panel.x.label, LABEL_SIZE, { "text-anchor": "middle" }),
    label(left - LABEL_LEFT, middle, panel.y.label, LABEL_SIZE, { "text-anchor": "middle", transform: `rotate(-90 ${left - LABEL_LEFT} ${middle})` }),
  ];
}

/** All bands, then all curves, so that no band covers a curve. */
function curves({ series }: Panel, x: Axis, y: Axis, colors: ReadonlyMap<string, string>): readonly string[] {
  const band = area<Required<Point>>((point) => x.at(point.x), (point) => y.at(point.low), (point) => y.at(point.high)).digits(2);
  const path = curve<Point>((point) => x.at(point.x), (point) => y.at(point.y)).digits(2);
  const bandOf = ({ name, points }: Series): string =>
    element("path", { d: band(points.filter(hasInterval)) ?? "", fill: colors.get(name)!, "fill-opacity": 0.16 });
  const curveOf = ({ name, points, dashed = false }: Series): string => {
    const color = colors.get(name)!;
    const stroke = { fill: "none", stroke: color, "stroke-width": 1.8, "stroke-linejoin": "round", ...(dashed ? { "stroke-dasharray": DASHES } : {}) };
    const dots = points.length > DOTTED || dashed ? [] : points.map((point) => element("circle", { cx: x.at(point.x), cy: y.at(point.y), r: DOT, fill: color }));
    return [element("path", { d: path(points) ?? "", ...stroke }), ...dots].join("");
  };
  return [...series.filter(({ points }) => points.some(hasInterval)).map(bandOf), ...series.filter(({ points }) => points.length > 0).map(curveOf)];
}

function hasInterval(point: Point): point is Required<Point> {
  return point.low !== undefined && point.high !== undefined;
}

/** The bars of a category side by side, in the order of the series, with whiskers from low to high. */
function bars({ series }: Panel, x: Axis, y: Axis, colors: ReadonlyMap<string, string>): readonly string[] {
  const width = (BARS * Math.abs(x.at(1) - x.at(0))) / series.length;
  return series.flatMap(({ name, points, dashed = false }, index) =>
    points.map((point) => {
      const middle = x.at(point.x) + (index - (series.length - 1) / 2) * width;
      const [top, bottom] = [y.at(Math.max(point.y, 0)), y.at(Math.min(point.y, 0))];
      const bar = element("rect", { x: middle - 0.46 * width, y: top, width: 0.92 * width, height: bottom - top, ...barPaint(colors.get(name)!, dashed) });
      return bar + (hasInterval(point) ? whisker(middle, y.at(point.low), y.at(point.high), Math.min(4, 0.25 * width)) : "");
    }));
}

function whisker(x: number, low: number, high: number, half: number): string {
  const ends = [low, high].map((end) => line(x - half, end, x + half, end, { stroke: "#222222", "stroke-width": 1.2 }));
  return line(x, low, x, high, { stroke: "#222222", "stroke-width": 1.2 }) + ends.join("");
}
