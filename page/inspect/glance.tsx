import { useMemo, useState } from "preact/hooks";
import type { InspectedCompletion } from "../../src/watch/protocol.ts";
import { facts } from "./completion.tsx";

/** A completion under its number in the recording, from 1. */
export interface Numbered {
  readonly number: number;
  readonly completion: InspectedCompletion;
}

interface GlanceProps {
  readonly completions: readonly Numbered[];
  /** Opens the completion at a place. */
  readonly show: (place: number) => void;
}

/** Pixels that a completion takes at most. */
const WIDEST = 28;
const MOST_BARS = 400;

/**
 * Reward, advantage and length of all completions as three rows of bars, one column for each. Hovering or the arrow
 * keys read one out, a click or Enter opens it.
 */
export function Glance({ completions, show }: GlanceProps) {
  const [active, setActive] = useState<number | null>(null);
  const last = completions.length - 1;
  const labels = useMemo(() => ROWS.map(({ name, value }) => <span key={name}>{name} <span class="facts">{extent(completions, value)}</span></span>), [completions]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const from = active ?? -1;
    const next = { ArrowRight: from + 1, ArrowLeft: from - 1, Home: 0, End: last }[event.key];
    if (event.key === "Enter" && active !== null) show(active);
    if (next === undefined) return;
    event.preventDefault();
    setActive(Math.min(last, Math.max(0, next)));
  };
  const placeAt = ({ currentTarget, clientX }: MouseEvent): number => {
    const { left, width } = (currentTarget as Element).getBoundingClientRect();
    return Math.min(last, Math.max(0, Math.floor(((clientX - left) / width) * completions.length)));
  };
  const read = active === null ? undefined : completions[active];
  const said = read === undefined ? "Hover, or press the arrow keys, to read a completion; click or press Enter to open it." : `Completion ${read.number}: ${[classOf(read), ...facts(read.completion)].join(" · ")}`;
  const slider = { role: "slider", "aria-label": "Completions at a glance", "aria-valuemin": 1, "aria-valuemax": completions.length, "aria-valuenow": (active ?? 0) + 1, "aria-valuetext": said } as const;
  return (
    <div class="glance">
      <div class="glance-labels" aria-hidden="true">
        {labels}
      </div>
      <div class="glance-rows" {...slider} tabIndex={0} style={{ maxWidth: `${completions.length * WIDEST}px` }} onKeyDown={onKeyDown} onMouseMove={(event) => setActive(placeAt(event))} onClick={(event) => show(placeAt(event))}>
        {ROWS.map(({ name, value }) => (
          <Row key={name} completions={completions} value={value} active={active} />
        ))}
      </div>
      <p class="facts glance-said">{said}</p>
      <p class="facts legend" aria-hidden="true">
        {Object.entries(KINDS).map(([kind, name]) => (
          <span key={kind}>
            <span class={`glance-key ${kind}`} /> {name}
          </span>
        ))}
      </p>
    </div>
  );
}

const KINDS = { majority: "majority", other: "other classes", abstention: "no answer" } as const;
type Kind = keyof typeof KINDS;
const kindOf = ({ completion: { group } }: Numbered): Kind => (group === null ? "abstention" : group === 0 ? "majority" : "other");
const classOf = ({ completion: { group } }: Numbered): string => (group === null ? "∅ no answer" : `class ${group + 1}`);

type Value = (completion: InspectedCompletion) => number;
const ROWS: readonly { readonly name: string; readonly value: Value }[] = [
  { name: "reward", value: ({ reward }) => reward },
  { name: "advantage", value: ({ advantage }) => advantage },
  { name: "tokens", value: ({ tokens }) => tokens },
];

/** Lowest and highest value, with 0 among them. */
function bounds(completions: readonly Numbered[], value: Value): readonly [low: number, high: number] {
  return completions.reduce<readonly [number, number]>(([low, high], { completion }) => [Math.min(low, value(completion)), Math.max(high, value(completion))], [0, 0]);
}

function extent(completions: readonly Numbered[], value: Value): string {
  const [low, high] = bounds(completions, value);
  const short = (bound: number): number => Number(bound.toFixed(2));
  return `${short(low)} to ${short(high)}`;
}

function Row({ completions, value, active }: { completions: readonly Numbered[]; value: Value; active: number | null }) {
  const { bars, zero } = useMemo(() => barsOf(completions, value), [completions, value]);
  return (
    <svg viewBox={`0 0 ${completions.length} 1`} preserveAspectRatio="none" aria-hidden="true">
      {active !== null && <rect class="glance-active" x={active} y={0} width={1} height={1} />}
      {(Object.keys(KINDS) as Kind[]).map((kind) => (
        <path key={kind} class={kind} d={bars[kind]} />
      ))}
      <path class="glance-zero" d={`M0,${zero}H${completions.length}`} vector-effect="non-scaling-stroke" />
    </svg>
  );
}

/**
 * Bars from `zero` to the values, of each kind those of its completions, in a picture of height 1 and a width of one
 * for each completion. Of more than can be told apart, as many as lie beside each other share a bar of their mean.
 */
function barsOf(completions: readonly Numbered[], value: Value) {
  const [low, high] = bounds(completions, value);
  const y = (bar: number): number => Number(((high - bar) / (high - low || 1)).toFixed(4));
  const zero = y(0);
  const bars: Record<Kind, string> = { majority: "", other: "", abstention: "" };
  const width = Math.ceil(completions.length / MOST_BARS);
  for (let from = 0; from < completions.length; from += width) {
    const shared = completions.slice(from, from + width);
    const mean = shared.reduce((sum, { completion }) => sum + value(completion), 0) / shared.length;
    bars[kindOf(shared[0]!)] += `M${from + 0.1 * width},${zero}V${y(mean)}h${0.8 * shared.length}V${zero}Z`;
  }
  return { bars, zero };
}
