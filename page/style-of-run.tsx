/** How a run is told from the others without its name: colour, dash and marker, by its place in the list. */
export interface RunStyle {
  /** CSS variable of its colour. */
  readonly colour: string;
  /** Lengths of line and gap in CSS pixels; empty: solid. */
  readonly dash: readonly number[];
  /** Outline of its marker as an SVG path around 0,0 of about 8 pixels. */
  readonly marker: string;
}

const COLOURS = 7;
const DASHES: readonly (readonly number[])[] = [[], [7, 3], [2, 3], [10, 3, 2, 3]];
const MARKERS = [
  "M4,0A4,4,0,1,1,-4,0A4,4,0,1,1,4,0Z",
  "M-3.5,-3.5H3.5V3.5H-3.5Z",
  "M0,-4.5L4.5,3.5H-4.5Z",
  "M0,-5L5,0L0,5L-5,0Z",
  "M0,4.5L-4.5,-3.5H4.5Z",
  "M-1.5,-4.5H1.5V-1.5H4.5V1.5H1.5V4.5H-1.5V1.5H-4.5V-1.5H-1.5Z",
  "M-4.5,-4.5H4.5L-4.5,4.5H4.5Z",
];

/** Style of the run at `place` in the list, from 0: 28 differ. The marker goes with the colour, for those who see none. */
export function styleOfRun(place: number): RunStyle {
  return {
    colour: `--run-${place % COLOURS}`,
    dash: DASHES[Math.floor(place / COLOURS) % DASHES.length]!,
    marker: MARKERS[place % COLOURS]!,
  };
}

/** Sample of a run's line, for lists and legends; says nothing to a screen reader, as the name stands beside it. */
export function Swatch({ place }: { readonly place: number }) {
  const { colour, dash, marker } = styleOfRun(place);
  return (
    <svg class="swatch" viewBox="-18 -6 36 12" width="36" height="12" aria-hidden="true" style={{ color: `var(${colour})` }}>
      <path d="M-18,0H18" stroke="currentColor" stroke-width="2" stroke-dasharray={dash.join(" ")} fill="none" />
      <path d={marker} fill="currentColor" />
    </svg>
  );
}
