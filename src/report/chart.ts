/** A point of a series, with the ends of its interval where it has one. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
}

/** One curve with its band, or the bars of one color with their whiskers. */
export interface Series {
  /** The same name is the same color in every panel. */
  readonly name: string;
  /** Left out, the first color that is free. */
  readonly color?: Color;
  /** By ascending x. */
  readonly points: readonly Point[];
  readonly dashed?: boolean;
}

/** A vertical dashed line. */
export interface Mark {
  readonly x: number;
  readonly label: string;
}

export interface Panel {
  readonly title: string;
  /** With `categories` the panel shows bars, and the x of a point counts the categories from 0. */
  readonly x: { readonly label: string; readonly scale?: "linear" | "log2"; readonly categories?: readonly string[] };
  /** Ends that are left out follow from the points; bars start at 0. */
  readonly y: { readonly label: string; readonly min?: number; readonly max?: number };
  readonly series: readonly Series[];
  readonly marks?: readonly Mark[];
  /** Where a horizontal dashed line lies: what the curves are measured by. */
  readonly limit?: number;
}

/** A figure: panels on a grid of two columns. */
export interface Chart {
  readonly title: string;
  /** Stands under the panels; line feeds break. */
  readonly caption: string;
  readonly panels: readonly Panel[];
}

/** Colors that people of every color vision tell apart (Okabe & Ito 2008), without yellow, which is too pale on white. */
const COLORS = {
  blue: "#0072B2",
  vermillion: "#D55E00",
  green: "#009E73",
  purple: "#CC79A7",
  orange: "#E69F00",
  sky: "#56B4E9",
  black: "#000000",
} as const;

export type Color = keyof typeof COLORS;

/**
 * The color of every name in a chart, as `#rrggbb`. A name keeps its color from panel to panel. A new one takes, of
 * the colors that its panel does not use yet, the one that the chart uses least.
 */
export function seriesColors({ panels }: Chart): ReadonlyMap<string, string> {
  const colors = new Map<string, string>();
  for (const { name, color } of panels.flatMap(({ series }) => series)) if (color) colors.set(name, COLORS[color]);
  for (const { series } of panels) {
    for (const { name } of series) {
      if (colors.has(name)) continue;
      const here = new Set(series.map((each) => colors.get(each.name)));
      const uses = (candidate: string): number => (here.has(candidate) ? panels.length * series.length : 0) + [...colors.values()].filter((used) => used === candidate).length;
      colors.set(name, Object.values(COLORS).reduce((best, candidate) => (uses(candidate) < uses(best) ? candidate : best)));
    }
  }
  return colors;
}

/**
 * Throws when a number of the chart cannot be drawn: one that is not finite, not positive on a logarithmic axis, or
 * no category.
 */
export function checkChart({ panels }: Chart): void {
  for (const { title, x, series, marks = [] } of panels) {
    const drawable = (value: number): boolean =>
      Number.isFinite(value) && (x.scale !== "log2" || value > 0) && (!x.categories || x.categories[value] !== undefined);
    for (const { name, points } of series) {
      const wrong = points.find((point) => !drawable(point.x) || ![point.y, point.low ?? 0, point.high ?? 0].every(Number.isFinite));
      if (wrong) throw new RangeError(`panel "${title}", series "${name}": ${JSON.stringify(wrong)} cannot be drawn`);
    }
    const wrong = marks.find((mark) => !drawable(mark.x));
    if (wrong) throw new RangeError(`panel "${title}": the mark "${wrong.label}" at ${wrong.x} cannot be drawn`);
  }
}
