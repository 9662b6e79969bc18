import { useEffect, useRef, useState } from "preact/hooks";
import type { Address, Go } from "./address.ts";
import type { Figure } from "./figures.ts";
import { formatFigure } from "./format.ts";
import { createPlot, drawPoints, restCursor, type Plot } from "./plot.ts";
import { hasValues, isSmoothed, linesOf, pointsOf, rangeOf, valueAt, type ChartRun } from "./series.ts";
import type { Told } from "./told.ts";
import type { Turns } from "./turns.ts";

interface ChartProps {
  readonly figure: Figure;
  readonly runs: readonly ChartRun[];
  readonly address: Address;
  readonly go: Go;
  /** Colour scheme: the canvas is drawn anew when it changes. */
  readonly scheme: string;
  /** The step under the mouse; the one that is pinned is the address's. */
  readonly cursor: Told<number | null>;
  /** The run that is pointed at. */
  readonly focus: Told<string | null>;
  readonly turns: Turns;
}

/** Milliseconds for which new steps wait that are less than half a pixel wide: nobody sees them sooner. */
const UNSEEN = 1000;

/** Width of an element in sight; 0 until it is seen for the first time, so that nothing is drawn before. */
function useSeenWidth(host: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = host.current!;
    const measure = new ResizeObserver(() => setWidth(element.clientWidth));
    const sight = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      sight.disconnect();
      measure.observe(element);
    });
    sight.observe(element);
    return () => {
      sight.disconnect();
      measure.disconnect();
    };
  }, []);
  return width;
}

/** The step that a key leads to: the next ones, ten further, the ends; `null` for none at all, `undefined` for other keys. */
function stepOfKey(key: string, step: number, [first, last]: readonly [number, number]): number | null | undefined {
  if (key === "Escape") return null;
  const to = { ArrowLeft: step - 1, ArrowRight: step + 1, PageDown: step - 10, PageUp: step + 10, Home: first, End: last }[key];
  return to === undefined ? undefined : Math.min(Math.max(to, first), last);
}

function usePlot({ figure, runs, address, go, scheme, cursor, focus, turns }: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const drawn = useRef({ key: "", values: [] as unknown[] });
  const drawnAt = useRef(0);
  const now = useRef(address);
  now.current = address;
  const hovered = useRef(false);
  const width = useSeenWidth(host);
  const rest = (): void => {
    if (plot.current && !hovered.current) restCursor(plot.current, now.current.step, now.current);
  };
  const onDrawn = (): void => {
    plot.current?.highlight.draw();
    rest();
  };
  useEffect(() => {
    if (width === 0) return;
    const height = host.current!.clientHeight;
    const [first, last] = rangeOf(runs, address);
    const dense = last - first > 2 * width;
    const key = [runs.map(({ id, place, limit }) => `${id} ${place} ${limit ?? ""}`).join(), address.logX, address.logY, address.smoothing, dense, scheme].join("|");
    const values = [width, address.range?.join(), ...runs.map(({ data }) => data)];
    const before = drawn.current;
    if (key === before.key && values.every((value, i) => value === before.values[i])) return;
    if (key !== before.key) {
      plot.current?.chart.destroy();
      const lines = linesOf(figure, runs, address, dense);
      const onPin = (step: number): void => go({ step }, "replace");
      plot.current = createPlot(host.current!, { figure, runs, lines, address, width, height, onStep: cursor.set, onRun: focus.set, onPin, onRange: (range) => go({ range }), onDrawn });
    }
    // What is only more of the same runs, of which each step is next to nothing on the screen.
    const same = key === before.key && values[0] === before.values[0] && values[1] === before.values[1];
    const after = same && dense ? drawnAt.current + UNSEEN : 0;
    drawn.current = { key, values };
    turns.draw(plot, after, () => {
      drawnAt.current = performance.now();
      const current = plot.current!;
      if (current.chart.width !== width || current.chart.height !== height) current.chart.setSize({ width, height });
      drawPoints(current, pointsOf(figure, runs, address, Math.max(50, width - 60)), runs, address);
    });
  });
  useEffect(rest, [address.step]);
  useEffect(() => {
    const ends = [
      focus.follow((id) => plot.current?.highlight.show(id)),
      cursor.follow((step) => {
        hovered.current = step !== null;
        rest();
      }),
    ];
    return () => {
      for (const end of ends) end();
      turns.forget(plot);
      plot.current?.chart.destroy();
    };
  }, []);
  return host;
}

/** One figure of all chosen runs over the steps. A slider to the keyboard and to screen readers: its value is the pinned step. */
export function Chart(props: ChartProps) {
  const { figure, runs, address, go } = props;
  const host = usePlot(props);
  const range = rangeOf(runs, address);
  const step = address.step ?? range[1];
  const says = runs.map(({ name, data }) => {
    const last = address.step ?? Math.max(data?.steps ?? 0, data?.evaluations.at(-1)?.step ?? 0);
    return `${name} ${(figure.columns.length > 1 ? [0, 1] : [0]).map((column) => formatFigure(valueAt(figure, data, last, column))).join(" and ")}`;
  });
  const validated = figure.evaluation !== undefined && runs.some(({ data }) => (data?.validations.length ?? 0) > 0);
  const hint = `${figure.hint}${validated ? "; hollow: validation, by which the run stops early" : ""}`;
  const empty = runs.every(({ data }) => data !== undefined) && !hasValues(figure, runs);
  return (
    <figure class="chart">
      <figcaption>
        <strong>{figure.title}</strong> <span>{hint}</span>
        {isSmoothed(figure, address) && <em>smoothed over {address.smoothing} steps</em>}
      </figcaption>
      <div
        class="plot"
        ref={host}
        tabIndex={0}
        role="slider"
        aria-label={`${figure.title}, ${hint}`}
        aria-valuemin={range[0]}
        aria-valuemax={range[1]}
        aria-valuenow={step}
        aria-valuetext={`step ${step}: ${says.join(", ")}`}
        onKeyDown={(event: KeyboardEvent) => {
          const to = stepOfKey(event.key, step, range);
          if (to === undefined) return;
          event.preventDefault();
          go({ step: to }, "replace");
        }}
      />
      {empty && <p class="empty">None of the chosen runs has recorded it yet.</p>}
    </figure>
  );
}
