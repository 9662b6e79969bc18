import uPlot from "uplot";
import type { Address } from "./address.ts";
import type { Figure } from "./figures.ts";
import { formatFigure } from "./format.ts";
import type { ChartRun, Line } from "./series.ts";
import { styleOfRun } from "./style-of-run.tsx";

/** What a chart tells the page. */
export interface PlotEvents {
  /** The step under the cursor; `null` when it leaves. */
  readonly onStep: (step: number | null) => void;
  /** The steps that were dragged over; `null` to see all again. */
  readonly onRange: (range: readonly [number, number] | null) => void;
}

export interface PlotOptions extends PlotEvents {
  readonly figure: Figure;
  readonly runs: readonly ChartRun[];
  readonly lines: readonly Line[];
  readonly address: Address;
  readonly width: number;
  readonly height: number;
}

const SYNC = "step";
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
    const values = plot.data[i + 1]!;
    const end = values.findLastIndex((value) => value !== null && value !== undefined);
    if (!line.marked || line.edge || end < 0) return;
    const style = styleOfRun(line.place);
    ctx.setTransform(uPlot.pxRatio, 0, 0, uPlot.pxRatio, plot.valToPos(plot.data[0][end]!, "x", true), plot.valToPos(values[end]!, "y", true));
    ctx.fillStyle = colour(style.colour);
    ctx.fill(new Path2D(style.marker));
  });
  ctx.restore();
}

function seriesOf({ lines, figure }: PlotOptions, colour: (name: string) => string): uPlot.Series[] {
  return lines.map((line) => {
    const style = styleOfRun(line.place);
    return {
      stroke: line.edge ? "transparent" : colour(style.colour),
      width: line.edge ? 0 : line.width,
      alpha: line.faint ? 0.3 : 1,
      dash: [...style.dash],
      spanGaps: true,
      points: { ...((figure.evaluation === undefined || line.edge) && { show: false }), size: 5, fill: colour(style.colour) },
    };
  });
}

function yRange(log: boolean, limits: readonly number[]): uPlot.Scale.Range {
  if (log) return (_plot, low, high) => uPlot.rangeLog(low > 0 ? low : 1e-3, high > 0 ? high : 1, 10, false);
  return (_plot, low, high) => {
    const all = [low, high, ...limits].filter((value): value is number => (value as number | null) !== null && Number.isFinite(value));
    if (all.length === 0) return [0, 1];
    const [least, most] = [Math.min(...all), Math.max(...all)];
    const pad = (most - least || Math.abs(most) || 1) * 0.06;
    return [least >= 0 && least < pad * 2 ? 0 : least - pad, most + pad];
  };
}

/** Builds a chart in `host` without data; the caller sets data and the range of steps. */
export function createPlot(host: HTMLElement, options: PlotOptions): uPlot {
  const { figure, lines, address, width, height, runs } = options;
  const colours = resolveColours(host, ["--muted", "--line", "--bad", ...lines.map(({ place }) => styleOfRun(place).colour)]);
  const colour = (name: string): string => colours.get(name)!;
  const log = address.logY && figure.magnitude === true;
  const axis = { stroke: colour("--muted"), font: '11px system-ui, "DejaVu Sans", sans-serif', grid: { stroke: colour("--line"), width: 0.5 }, ticks: { show: false } };
  const stepOf = (plot: uPlot): number | null => {
    const left = plot.cursor.left ?? -1;
    return left < 0 ? null : Math.round(plot.posToVal(left, "x"));
  };
  return new uPlot(
    {
      width,
      height,
      legend: { show: false },
      padding: [8, 12, 0, 0],
      scales: {
        x: { time: false, auto: false, ...(address.logX && LOGARITHMIC) },
        y: { ...(log && LOGARITHMIC), range: yRange(log, runs.flatMap(({ limit }) => limit ?? [])) },
      },
      axes: [
        { ...axis, size: 26, values: (_plot, ticks) => ticks.map((tick) => ((tick as number | null) === null || !Number.isInteger(tick) ? "" : String(tick))) },
        { ...axis, size: 46, values: (_plot, ticks) => ticks.map((tick) => ((tick as number | null) === null ? "" : formatFigure(tick))) },
      ],
      series: [{}, ...seriesOf(options, colour)],
      bands: lines.flatMap((line, i) =>
        line.edge && lines[i + 1]?.edge === true && lines[i + 1]?.place === line.place && i % 3 === 0
          ? [{ series: [i + 1, i + 2] as [number, number], fill: colour(styleOfRun(line.place).colour).replace("rgb(", "rgba(").replace(")", ", 0.13)") }]
          : [],
      ),
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false },
        sync: { key: SYNC, scales: ["x", null], filters: { pub: onlyMoves, sub: onlyMoves } },
        bind: { dblclick: () => () => (options.onRange(null), null) },
      },
      hooks: {
        draw: [(plot) => drawMarks(plot, options, colour)],
        setCursor: [(plot) => options.onStep(stepOf(plot))],
        setSelect: [
          (plot) => {
            const { left, width: across } = plot.select;
            if (across < 4) return;
            const range = [plot.posToVal(left, "x"), plot.posToVal(left + across, "x")].map(Math.round) as [number, number];
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            if (range[0] < range[1]) options.onRange([Math.max(0, range[0]), range[1]]);
          },
        ],
      },
    },
    [[], ...lines.map(() => [])],
    host,
  );
}
