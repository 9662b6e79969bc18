import { sha256 } from "../util/sha256.ts";
import { checkChart, seriesColors } from "./chart.ts";
import type { Chart, Panel } from "./chart.ts";
import { drawLegend, entriesOf, LEGEND_LINE_HEIGHT, legendLines } from "./legend.ts";
import type { Entry } from "./legend.ts";
import { drawPanel, heightAbove, heightBelow } from "./panel.ts";
import { element, label } from "./svg.ts";
import { escapeMarkup, wrapped } from "./text.ts";

const COLUMNS = 2;
const MARGIN = 20;
const PLOT = { width: 380, height: 210 };
/** What a panel needs beside its plot: numbers and the label of the vertical axis on the left. */
const LEFT = 56;
const RIGHT = 24;
const BETWEEN_ROWS = 12;
const TITLE = { size: 16, lineHeight: 22 };
const PANEL_TITLE = { size: 12.5, lineHeight: 17 };
const CAPTION = { size: 11.5, lineHeight: 16 };
/** Bold letters are wider than those of the estimate. */
const BOLD = 1.06;
export const FONT = "Roboto";

/**
 * A chart as an SVG document with a white background: title, legend, panels on a grid of two columns, caption. The
 * same chart gives the same document. The legend stands once where all panels have the same series, else in each.
 * Bands and whiskers reach from `low` to `high`. Throws RangeError for a number that cannot be drawn.
 */
export function renderSvg(chart: Chart): string {
  checkChart(chart);
  const colors = seriesColors(chart);
  const columns = Math.min(COLUMNS, chart.panels.length);
  const width = 2 * MARGIN + columns * (LEFT + PLOT.width + RIGHT);
  const inner = width - 2 * MARGIN;
  const shared = sharedEntries(chart.panels);
  const title = wrapped(chart.title, inner / BOLD, TITLE.size);
  const legend = legendLines(shared, inner);
  const parts = [
    ...title.map((text, row) => label(MARGIN, MARGIN + (row + 0.5) * TITLE.lineHeight, text, TITLE.size, { "font-weight": 700 })),
    drawLegend(legend, MARGIN, MARGIN + title.length * TITLE.lineHeight + 4, colors),
  ];
  const id = sha256(JSON.stringify(chart)).slice(0, 8);
  let y = MARGIN + title.length * TITLE.lineHeight + 4 + legend.length * LEGEND_LINE_HEIGHT + BETWEEN_ROWS;
  for (let first = 0; first < chart.panels.length; first += columns) {
    const row = drawRow(chart.panels.slice(first, first + columns), y, { colors, legends: shared.length === 0, clip: `clip-${id}-${first}` });
    parts.push(row.markup);
    y = row.bottom + BETWEEN_ROWS;
  }
  const caption = wrapped(chart.caption, inner, CAPTION.size);
  parts.push(...caption.map((text, row) => label(MARGIN, y + (row + 0.5) * CAPTION.lineHeight, text, CAPTION.size, { fill: "#333333" })));
  const height = Math.ceil(y + caption.length * CAPTION.lineHeight + MARGIN);
  const root = {
    xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}`, role: "img",
    "font-family": `${FONT}, Helvetica, Arial, sans-serif`, fill: "#111111",
  };
  return `${element("svg", root, element("title", {}, escapeMarkup(chart.title)), "\n", element("rect", { width, height, fill: "#ffffff" }), "\n", parts.join("\n"), "\n")}\n`;
}

/** The entries of a legend for all panels; none where their series differ. */
function sharedEntries(panels: readonly Panel[]): readonly Entry[] {
  const [first = [], ...others] = panels.map(entriesOf);
  return others.every((entries) => JSON.stringify(entries) === JSON.stringify(first)) ? first : [];
}

interface RowStyle {
  readonly colors: ReadonlyMap<string, string>;
  /** Whether each panel has a legend of its own. */
  readonly legends: boolean;
  readonly clip: string;
}

/** Panels side by side from a height on, their plots in line, and the height where they end. */
function drawRow(panels: readonly Panel[], y: number, { colors, legends, clip }: RowStyle): { readonly markup: string; readonly bottom: number } {
  const cells = panels.map((panel, column) => {
    const left = MARGIN + column * (LEFT + PLOT.width + RIGHT) + LEFT;
    return {
      panel,
      left,
      title: wrapped(panel.title, PLOT.width / BOLD, PANEL_TITLE.size),
      legend: legends ? legendLines(entriesOf(panel), PLOT.width) : [],
      above: heightAbove(panel, left, left + PLOT.width),
      below: heightBelow(panel, left, left + PLOT.width),
    };
  });
  const headers = cells.map(({ title, legend, above }) => title.length * PANEL_TITLE.lineHeight + legend.length * LEGEND_LINE_HEIGHT + above);
  const top = y + Math.max(...headers);
  const bottom = top + PLOT.height;
  const markup = cells.flatMap(({ panel, left, title, legend }, column) => {
    const start = top - headers[column]!;
    return [
      ...title.map((text, row) => label(left, start + (row + 0.5) * PANEL_TITLE.lineHeight, text, PANEL_TITLE.size, { "font-weight": 700 })),
      drawLegend(legend, left, start + title.length * PANEL_TITLE.lineHeight, colors),
      drawPanel(panel, { left, top, right: left + PLOT.width, bottom }, colors, `${clip}-${column}`),
    ];
  });
  return { markup: markup.join("\n"), bottom: bottom + Math.max(...cells.map(({ below }) => below)) };
}
