import type { Interval } from "../../src/watch/protocol.ts";

const WIDTH = 420;
const HEIGHT = 180;
const LEFT = 44;
const MARGIN = 20;

/** Differences over steps, each with its interval as a bar, and the line of no difference. The table beside it says the same in figures. */
export function Differences({ name, figures }: { name: string; figures: readonly (Interval & { readonly step: number })[] }) {
  const low = Math.min(0, ...figures.map((figure) => figure.low));
  const high = Math.max(0, ...figures.map((figure) => figure.high));
  const span = high - low || 1;
  const [from, to] = [figures[0]?.step ?? 0, figures.at(-1)?.step ?? 1];
  const x = (step: number): number => LEFT + MARGIN + ((WIDTH - LEFT - 2 * MARGIN) * (step - from)) / (to - from || 1);
  const y = (value: number): number => HEIGHT - MARGIN - ((HEIGHT - 2 * MARGIN) * (value - low)) / span;
  return (
    <figure>
      <figcaption>{name}, points of accuracy by step</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${name}: differences at ${figures.length} steps; the table has the figures`}>
        {[...new Set([low, 0, high])].filter((value) => value === 0 || Math.abs(y(value) - y(0)) > 14).map((value) => (
          <text key={value} class="tick" x={LEFT - 6} y={y(value) + 4} text-anchor="end">
            {(100 * value).toFixed(1)}
          </text>
        ))}
        <line class="zero" x1={LEFT} x2={WIDTH} y1={y(0)} y2={y(0)} />
        {figures.map((figure) => (
          <g key={figure.step}>
            <line class="interval" x1={x(figure.step)} x2={x(figure.step)} y1={y(figure.low)} y2={y(figure.high)} />
            <circle class="difference" cx={x(figure.step)} cy={y(figure.difference)} r={3.5} />
          </g>
        ))}
        <text class="tick" x={x(from)} y={HEIGHT - 3} text-anchor="middle">
          {from}
        </text>
        {to !== from && (
          <text class="tick" x={x(to)} y={HEIGHT - 3} text-anchor="middle">
            {to}
          </text>
        )}
      </svg>
    </figure>
  );
}
