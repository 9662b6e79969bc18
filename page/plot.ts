import uPlot from "uplot";
import type { Address } from "./address.ts";
import type { Figure } from "./figures.ts";
import { formatFigure } from "./format.ts";
import { createHighlight, type Highlight } from "./highlight.ts";
import { placeOf, rangeOf, stepAt, type ChartRun, type Line } from "./series.ts";
import { styleOfRun } from "./style-of-run.tsx";

/** What a chart tells the page. */
export interface PlotEvents {
  /** The step under the mouse; `null` when it leaves. */
  readonly onStep: (step: number | null) => void;
  /** The run whose line is under the mouse; `null` for none. */
  readonly onRun: (id: string | null) => void;
  /** A step that was clicked. */
  readonly onPin: (step: number) => void;
  /** The steps that were dragged over; `null` to see all again. */
  readonly onRange: (range: readonly [number, number] | null) => void;
  /** The chart was drawn: what lies over it is to be put in its place. */
  readonly onDrawn: () => void;
}

export interface PlotOptions extends PlotEvents {
  readonly figure: Figure;
  readonly runs: readonly ChartRun[];
  readonly lines: readonly Line[];
  readonly address: Address;
  readonly width: number;
  readonly height: number;
}

/** A chart, and what draws one run on top of the others. */
export interface Plot {
  readonly chart: uPlot;
  readonly highlight: Highlight;
}

const SYNC = "step";
/** Milliseconds after which the mouse is at a run: on its way it would make one run after the other flash up. */
const REST = 80;
const LOGARITHMIC = { distr: 3 } as const;
const onlyMoves = (type: string): boolean => type === "mousemove" || type === "mouseleave";

/** Colours as they are in the scheme at hand: a canvas takes no CSS variables. */
function resolveColours(host: HTMLElement, names: readonly string[]): Map<string, string> {
  const probe = host.appendChild(document.createElement("span"));
  const colours = new Map<string, string>();
  for (const name of new Set(names)) {
    probe.style.color = `var(${name})`;
    colours.set(name, getComputedStyle(probe).color);
  }
  probe.remove();
  return colours;
}

/** Draws each run's marker where its line ends, and the limits of the alarm as dotted lines across. */
function drawMarks(plot: uPlot, { lines, runs }: PlotOptions, colour: (name: string) => string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left - 8, bbox.top, bbox.width + 16, bbox.height);
  ctx.clip();
  for (const limit of new Set(runs.map((run) => run.limit))) {
    if (limit === null) continue;
    const y = plot.valToPos(limit, "y", true);
    ctx.strokeStyle = colour("--bad");
    ctx.lineWidth = uPlot.pxRatio;
    ctx.setLineDash([2 * uPlot.pxRatio, 4 * uPlot.pxRatio]);
    ctx.stroke(new Path2D(`M${bbox.left},${y}H${bbox.left + bbox.width}`));
  }
  lines.forEach((line, i) => {
    if (!line.marked) return;
    const values = plot.data[i + 1]!;
    const end = values.findLastIndex((value) => value !== null && value !== undefined);
    if (end < 0) return;
    const style = styleOfRun(line.place);
    ctx.setTransform(uPlot.pxRatio, 0, 0, uPlot.pxRatio, plot.valToPos(plot.data[0][end]!, "x", true), plot.valToPos(values[end]!, "y", true));
    ctx.fillStyle = colour(style.colour);
    ctx.fill(new Path2D(style.marker));
  });
  ctx.restore();
}

const withAlpha = (rgb: string, alpha: number): string => rgb.replace("rgb(", "rgba(").replace(")", `, ${alpha})`);

function seriesOf(lines: readonly Line[], colour: (name: string) => string): uPlot.Series[] {
  return lines.map(({ place, edge, width, alpha, points }) => {
    const style = styleOfRun(place);
    const own = colour(style.colour);
    return {
      stroke: edge ? "transparent" : own,
      width: edge ? 0 : width,
      alpha: edge ? 1 : alpha,
      dash: [...style.dash],
      spanGaps: true,
      points: points === null ? { show: false } : { show: true, size: points === "hollow" ? 7 : width < 1.5 ? 3 : 5, stroke: own, fill: points === "hollow" ? colour("--surface") : own },
    };
  });
}

function bandsOf(lines: readonly Line[], colour: (name: string) => string): uPlot.Band[] {
  return lines.flatMap(({ edge, place, alpha }, i) =>
    edge === "upper" ? [{ series: [i + 1, i + 2] as [number, number], fill: withAlpha(colour(styleOfRun(place).colour), alpha) }] : [],
  );
}

function yRange(log: boolean, limits: readonly number[]): uPlot.Scale.Range {
  // KL begins next to 0: without a bound that one step would take most of the axis.
  if (log) return (_plot, low, high) => uPlot.rangeLog(Math.max(low, (high > 0 ? high : 1) * 1e-4), high > 0 ? high : 1, 10, false);
  return (_plot, low, high) => {
    const all = [low, high, ...limits].filter((value): value is number => (value as number | null) !== null && Number.isFinite(value));
    if (all.length === 0) return [0, 1];
    const [least, most] = [Math.min(...all), Math.max(...all)];
    const pad = (most - least || Math.abs(most) || 1) * 0.06;
    return [least >= 0 && least < pad * 2 ? 0 : least - pad, most + pad];
  };
}

/** Steps that a logarithmic axis names, as close as their labels allow: 0 at the left edge, then 1, 2, 5, 10… or powers of ten. */
function logTicks(first: number, last: number, pixels: number): number[] {
  const decade = pixels / Math.log10(last / first);
  const digits = decade > 400 ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : decade > 140 ? [1, 2, 5] : [1];
  const powers = Array.from({ length: 10 }, (_, power) => digits.map((digit) => digit * 10 ** power)).flat();
  return [...(first < 1 ? [first] : []), ...powers.filter((step) => step >= first && step <= last)];
}

function xAxis(address: Address, axis: uPlot.Axis): uPlot.Axis {
  const written = (tick: number | null): string => {
    if (tick === null) return "";
    const step = stepAt(tick, address);
    return placeOf(step, address) === tick ? String(step) : "";
  };
  return {
    ...axis,
    size: 26,
    values: (_plot, ticks) => ticks.map(written),
    ...(address.logX && { splits: (plot, _axis, first, last) => logTicks(first, last, plot.bbox.width / uPlot.pxRatio), filter: (_plot, splits) => splits }),
  };
}

/** Places what is drawn at once: all points, and the range in sight. */
export function drawPoints({ chart }: Plot, points: uPlot.AlignedData, runs: readonly ChartRun[], address: Address): void {
  const [min, max] = rangeOf(runs, address);
  chart.batch(() => {
    chart.setData(points, false);
    chart.setScale("x", { min: placeOf(min, address), max });
  });
}

/** Puts the cursor of a chart at a step, or away, and tells nobody. */
export function restCursor({ chart }: Plot, step: number | null, address: Address): void {
  const at = step === null ? -10 : chart.valToPos(placeOf(step, address), "x");
  chart.setCursor({ left: at, top: step === null ? -10 : 0 }, false);
}

/** Builds a chart in `host` without data. */
export function createPlot(host: HTMLElement, options: PlotOptions): Plot {
  const { figure, lines, address, width, height, runs } = options;
  const colours = resolveColours(host, ["--muted", "--line", "--bad", "--surface", "--text", ...lines.map(({ place }) => styleOfRun(place).colour)]);
  const colour = (name: string): string => colours.get(name)!;
  const log = address.logY && figure.magnitude === true;
  const axis = { stroke: colour("--muted"), font: '11px system-ui, "DejaVu Sans", sans-serif', grid: { stroke: colour("--line"), width: 0.5 }, ticks: { show: false } };
  const chart = new uPlot(
    {
      width,
      height,
      legend: { show: false },
      padding: [8, 18, 0, 0],
      scales: {
        x: { time: false, auto: false, range: (_plot, first, last) => [first, last], ...(address.logX && LOGARITHMIC) },
        y: { ...(log && LOGARITHMIC), range: yRange(log, runs.flatMap(({ limit }) => limit ?? [])) },
      },
      axes: [xAxis(address, axis), { ...axis, size: 46, values: (_plot, ticks) => ticks.map((tick) => ((tick as number | null) === null ? "" : formatFigure(tick))) }],
      series: [{}, ...seriesOf(lines, colour)],
      bands: bandsOf(lines, colour),
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false },
        sync: { key: SYNC, scales: ["x", null], filters: { pub: onlyMoves, sub: onlyMoves } },
        bind: { dblclick: () => () => (options.onRange(null), null) },
      },
      hooks: {
        draw: [(plot) => drawMarks(plot, options, colour), options.onDrawn],
        setSelect: [(plot) => select(plot, options)],
      },
    },
    [[], ...lines.map(() => [])],
    host,
  );
  const highlight = createHighlight(chart, options, colour);
  listenToMouse({ chart, highlight }, options);
  return { chart, highlight };
}

/** uPlot's own hooks tell of a cursor that was put somewhere as well. */
function listenToMouse({ chart, highlight }: Plot, { address, onStep, onRun, onPin }: PlotOptions): void {
  const stepUnder = ({ offsetX }: MouseEvent): number => Math.max(0, stepAt(chart.posToVal(offsetX, "x"), address));
  let resting: ReturnType<typeof setTimeout> | undefined;
  chart.over.addEventListener("mousemove", (event) => {
    const { offsetX, offsetY } = event;
    onStep(stepUnder(event));
    clearTimeout(resting);
    resting = setTimeout(() => onRun(highlight.at(offsetX, offsetY)), REST);
  });
  chart.over.addEventListener("mouseleave", () => {
    clearTimeout(resting);
    onStep(null);
    onRun(null);
  });
  chart.over.addEventListener("click", (event) => onPin(stepUnder(event)));
}

/** Tells of the steps that were dragged over. */
function select(plot: uPlot, { address, onRange }: PlotOptions): void {
  const { left, width } = plot.select;
  if (width < 4) return;
  const [first, last] = [left, left + width].map((at) => stepAt(plot.posToVal(at, "x"), address)) as [number, number];
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  if (first < last) onRange([Math.max(0, first), last]);
}
