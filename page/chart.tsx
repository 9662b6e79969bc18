import { useEffect, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import type { Address, Go } from "./address.ts";
import type { Figure } from "./figures.ts";
import { formatFigure } from "./format.ts";
import { createPlot } from "./plot.ts";
import { hasValues, linesOf, pointsOf, rangeOf, valueAt, type ChartRun } from "./series.ts";

interface ChartProps {
  readonly figure: Figure;
  readonly runs: readonly ChartRun[];
  readonly address: Address;
  readonly go: Go;
  /** Colour scheme: the canvas is drawn anew when it changes. */
  readonly scheme: string;
  readonly onStep: (step: number | null) => void;
}

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

/** Moves the cursor of a chart, and of all others with it, by keys: a step, ten of them, or to the ends. */
function moveByKey(event: KeyboardEvent, plot: uPlot | null, step: number | null): void {
  const { min, max } = plot?.scales.x ?? {};
  if (!plot || min === undefined || max === undefined) return;
  const from = step ?? Math.ceil(max);
  const to = { ArrowLeft: from - 1, ArrowRight: from + 1, PageDown: from - 10, PageUp: from + 10, Home: Math.ceil(min), End: Math.floor(max) }[event.key];
  if (event.key === "Escape") plot.setCursor({ left: -10, top: -10 }, true);
  if (to === undefined) return;
  event.preventDefault();
  const left = plot.valToPos(Math.min(Math.max(to, min), max), "x");
  plot.setCursor({ left, top: plot.over.clientHeight / 2 }, true);
}

function usePlot({ figure, runs, address, go, scheme, onStep }: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const drawn = useRef({ key: "", values: [] as unknown[] });
  const width = useSeenWidth(host);
  useEffect(() => {
    if (width === 0) return;
    const key = [runs.map(({ id, place, limit }) => `${id} ${place} ${limit ?? ""}`).join(), address.logX, address.logY, address.smoothing, scheme].join("|");
    const values = [width, address.range?.join(), ...runs.map(({ data }) => data)];
    const before = drawn.current;
    if (key === before.key && values.every((value, i) => value === before.values[i])) return;
    if (key !== before.key) {
      plot.current?.destroy();
      const lines = linesOf(figure, runs, address);
      plot.current = createPlot(host.current!, { figure, runs, lines, address, width, height: 190, onStep, onRange: (range) => go({ range }) });
    }
    drawn.current = { key, values };
    const [min, max] = rangeOf(figure, runs, address);
    const current = plot.current!;
    if (current.width !== width) current.setSize({ width, height: 190 });
    current.batch(() => {
      current.setData(pointsOf(figure, runs, address, Math.max(50, width - 60)), false);
      current.setScale("x", { min, max });
    });
  });
  useEffect(() => () => plot.current?.destroy(), []);
  return { host, plot };
}

/** One figure of all chosen runs over the steps. A slider to the keyboard and to screen readers: its value is the step. */
export function Chart(props: ChartProps) {
  const { figure, runs, address } = props;
  const [step, setStep] = useState<number | null>(null);
  const onStep = useRef(props.onStep);
  onStep.current = props.onStep;
  const shown = useRef<number | null>(null);
  const { host, plot } = usePlot({
    ...props,
    onStep: (at) => {
      shown.current = at;
      onStep.current(at);
    },
  });
  const [min, max] = rangeOf(figure, runs, address);
  const at = step ?? max;
  const says = runs.map(({ name, data }) => {
    const last = step ?? Math.max(data?.steps ?? 0, data?.evaluations.at(-1)?.step ?? 0);
    return `${name} ${(figure.columns.length > 1 ? [0, 1] : [0]).map((column) => formatFigure(valueAt(figure, data, last, column))).join(" and ")}`;
  });
  const smoothed = address.smoothing > 1 && figure.evaluation === undefined;
  const empty = runs.every(({ data }) => data !== undefined) && !hasValues(figure, runs);
  return (
    <figure class="chart">
      <figcaption>
        <strong>{figure.title}</strong> <span>{figure.hint}</span>
        {smoothed && <em>smoothed over {address.smoothing} steps</em>}
      </figcaption>
      <div
        class="plot"
        ref={host}
        tabIndex={0}
        role="slider"
        aria-label={`${figure.title}, ${figure.hint}`}
        aria-valuemin={min}
        aria-valuemax={max}
        aria-valuenow={at}
        aria-valuetext={`step ${at}: ${says.join(", ")}`}
        onKeyDown={(event: KeyboardEvent) => {
          moveByKey(event, plot.current, shown.current);
          setStep(shown.current);
        }}
        onBlur={() => setStep(null)}
      />
      {empty && <p class="empty">None of the chosen runs has recorded it yet.</p>}
    </figure>
  );
}
