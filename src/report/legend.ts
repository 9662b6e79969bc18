import type { Panel, Series } from "./chart.ts";
import { element, label, line } from "./svg.ts";
import { textWidth } from "./text.ts";

export const LEGEND_LINE_HEIGHT = 18;
const SIZE = 11.5;
const SAMPLE_WIDTH = 22;
const GAP = 6;
const BETWEEN = 18;
/** Alternating dashes and gaps of a dashed curve. */
export const DASHES = "6 4";

/** What a legend says of a name. */
export interface Entry extends Pick<Series, "name" | "dashed"> {
  readonly bar: boolean;
}

/** The entries of a panel, one for each name. */
export function entriesOf({ series, x }: Panel): readonly Entry[] {
  const entries = series.map(({ name, dashed = false }) => ({ name, dashed, bar: x.categories !== undefined }));
  return [...new Map(entries.map((entry) => [entry.name, entry])).values()];
}

const entryWidth = ({ name }: Entry): number => SAMPLE_WIDTH + GAP + textWidth(name, SIZE);

/** The entries in lines that are at most `width` pixels wide. */
export function legendLines(entries: readonly Entry[], width: number): readonly (readonly Entry[])[] {
  const lines: Entry[][] = [];
  let used = Infinity;
  for (const entry of entries) {
    if (used + BETWEEN + entryWidth(entry) > width) {
      lines.push([]);
      used = -BETWEEN;
    }
    lines.at(-1)!.push(entry);
    used += BETWEEN + entryWidth(entry);
  }
  return lines;
}

/** The legend with its upper left corner at a place. */
export function drawLegend(lines: readonly (readonly Entry[])[], left: number, top: number, colors: ReadonlyMap<string, string>): string {
  return lines
    .flatMap((entries, row) => {
      const y = top + (row + 0.5) * LEGEND_LINE_HEIGHT;
      let x = left;
      return entries.map((entry) => {
        const drawn = sample(entry, x, y, colors.get(entry.name)!) + label(x + SAMPLE_WIDTH + GAP, y, entry.name, SIZE);
        x += entryWidth(entry) + BETWEEN;
        return drawn;
      });
    })
    .join("");
}

function sample({ bar, dashed }: Entry, x: number, y: number, color: string): string {
  if (bar) return element("rect", { x: x + 5, y: y - 5, width: 12, height: 10, ...barPaint(color, dashed) });
  return line(x, y, x + SAMPLE_WIDTH, y, { stroke: color, "stroke-width": 2, ...(dashed ? { "stroke-dasharray": DASHES } : {}) });
}

/** The paint of a bar; one of a dashed series is hollow. */
export function barPaint(color: string, dashed = false): Readonly<Record<string, string | number>> {
  return dashed ? { fill: color, "fill-opacity": 0.2, stroke: color, "stroke-dasharray": "3 2" } : { fill: color, "fill-opacity": 0.85 };
}
