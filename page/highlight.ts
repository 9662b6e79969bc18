import uPlot from "uplot";
import type { PlotOptions } from "./plot.ts";
import { MANY, type Line } from "./series.ts";
import { styleOfRun } from "./style-of-run.tsx";

/** Pixels from a line within which the mouse is on it. */
const NEAR = 10;
/** How much of the other runs is taken away; less where there are few, which are read beside each other. */
const VEIL = { many: 0.8, few: 0.55 } as const;

/** One run of a chart on top in full strength, the others faded, on a canvas of its own: the chart need not be drawn anew. */
export interface Highlight {
  /** Shows a run, or all alike with `null`. */
  readonly show: (id: string | null) => void;
  /** Draws the same run again, after the chart was. */
  readonly draw: () => void;
  /** The run whose line is nearest to a place, in pixels from the upper left of the plotting area; `null` where none is near. */
  readonly at: (x: number, y: number) => string | null;
}

/** Points of a line in pixels. */
function pointsOf(chart: uPlot, line: number): (readonly [x: number, y: number])[] {
  const steps = chart.data[0];
  return Array.from(chart.data[line + 1]!).flatMap((value, i) => (typeof value === "number" ? [[chart.valToPos(steps[i]!, "x"), chart.valToPos(value, "y")] as const] : []));
}

const pathOf = (points: readonly (readonly [number, number])[]): string => points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${x.toFixed(1)},${y.toFixed(1)}`).join("");

/** Height of a line at `x`, between the points beside it; `null` beyond its ends. */
function heightAt(chart: uPlot, line: number, x: number): number | null {
  const steps = chart.data[0];
  const values = chart.data[line + 1]!;
  const place = chart.posToVal(x, "x");
  const found = steps.findIndex((step) => step >= place);
  const after = values.findIndex((value, i) => i >= found && typeof value === "number");
  const before = values.findLastIndex((value, i) => i <= found && steps[i]! <= place && typeof value === "number");
  if (found < 0 || after < 0 || before < 0) return null;
  const share = after === before ? 0 : (place - steps[before]!) / (steps[after]! - steps[before]!);
  return chart.valToPos(values[before]! + share * (values[after]! - values[before]!), "y");
}

function drawLine(context: CanvasRenderingContext2D, chart: uPlot, lines: readonly Line[], index: number, own: string, surface: string): void {
  const { edge, width, alpha, points, marked, place } = lines[index]!;
  const at = pointsOf(chart, index);
  if (edge === "upper") {
    context.globalAlpha = 0.2;
    context.fill(new Path2D(`${pathOf([...at, ...pointsOf(chart, index + 1).reverse()])}Z`));
  }
  if (edge !== null) return;
  // A raw line behind a smoothed one stays fainter than it.
  context.globalAlpha = alpha < 0.3 ? 0.35 : 1;
  context.lineWidth = width < 1 ? 1 : Math.min(2.5, width + 0.5);
  context.stroke(new Path2D(pathOf(at)));
  if (points !== null) {
    const dots = new Path2D(at.map(([x, y]) => `M${x - 2.5},${y}a2.5,2.5,0,1,0,5,0a2.5,2.5,0,1,0,-5,0`).join(""));
    context.fillStyle = points === "hollow" ? surface : own;
    context.setLineDash([]);
    context.lineWidth = 1.5;
    context.fill(dots);
    context.stroke(dots);
    context.fillStyle = own;
  }
  const end = at.at(-1);
  if (!marked || end === undefined) return;
  context.translate(...end);
  context.fill(new Path2D(styleOfRun(place).marker));
  context.translate(-end[0], -end[1]);
}

/** A highlight over a chart; `colour` resolves the names of colours. */
export function createHighlight(chart: uPlot, { lines, runs }: Pick<PlotOptions, "lines" | "runs">, colour: (name: string) => string): Highlight {
  const canvas = document.createElement("canvas");
  canvas.className = "highlight";
  // Below the cursor.
  chart.over.prepend(canvas);
  let shown: string | null = null;
  const draw = (): void => {
    const run = runs.length > 1 ? runs.find(({ id }) => id === shown) : undefined;
    canvas.hidden = run === undefined;
    if (run === undefined) return;
    const { clientWidth, clientHeight } = chart.over;
    canvas.width = clientWidth * uPlot.pxRatio;
    canvas.height = clientHeight * uPlot.pxRatio;
    const context = canvas.getContext("2d")!;
    context.scale(uPlot.pxRatio, uPlot.pxRatio);
    context.globalAlpha = runs.length > MANY ? VEIL.many : VEIL.few;
    context.fillStyle = colour("--surface");
    context.fillRect(0, 0, clientWidth, clientHeight);
    const style = styleOfRun(run.place);
    const own = colour(style.colour);
    context.fillStyle = context.strokeStyle = own;
    lines.forEach(({ place }, index) => {
      if (place !== run.place) return;
      context.setLineDash([...style.dash]);
      drawLine(context, chart, lines, index, own, colour("--surface"));
    });
    context.globalAlpha = 1;
    context.font = 'bold 12px system-ui, "DejaVu Sans", sans-serif';
    context.textAlign = "right";
    context.setLineDash([]);
    context.lineWidth = 4;
    context.strokeStyle = colour("--surface");
    context.strokeText(run.name, clientWidth - 4, 12);
    context.fillText(run.name, clientWidth - 4, 12);
  };
  const at = (x: number, y: number): string | null => {
    const near = lines.flatMap(({ place, edge }, index) => {
      const height = edge === null ? heightAt(chart, index, x) : null;
      return height === null || Math.abs(height - y) > NEAR ? [] : [{ place, away: Math.abs(height - y) }];
    });
    const nearest = near.sort((first, second) => first.away - second.away)[0];
    return runs.find(({ place }) => place === nearest?.place)?.id ?? null;
  };
  return {
    show: (id) => {
      if (id === shown) return;
      shown = id;
      draw();
    },
    draw,
    at,
  };
}
