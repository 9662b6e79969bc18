import { useEffect, useState } from "preact/hooks";
import { SECTIONS, type Figure } from "./figures.ts";
import { formatFigure } from "./format.ts";
import { valueAt, type ChartRun } from "./series.ts";
import { Swatch } from "./style-of-run.tsx";

/** The step under the cursor, told at most once a frame. */
export interface Cursor {
  readonly set: (step: number | null) => void;
  readonly follow: (listener: (step: number | null) => void) => () => void;
}

export function createCursor(): Cursor {
  const listeners = new Set<(step: number | null) => void>();
  let next: number | null = null;
  let frame = 0;
  return {
    set(step) {
      next = step;
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        for (const listener of listeners) listener(next);
      });
    },
    follow(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

const CELLS: readonly { readonly figure: Figure; readonly column: number; readonly title: string }[] = SECTIONS.flatMap(({ figures }) =>
  figures.flatMap((figure) =>
    figure.columns.length > 1
      ? [
          { figure, column: 0, title: "Pseudo-reward" },
          { figure, column: 1, title: "True accuracy" },
        ]
      : [{ figure, column: 0, title: figure.title }],
  ),
);

/** All figures of the chosen runs at the step under the cursor, or at their last. */
export function Readout({ runs, cursor }: { readonly runs: readonly ChartRun[]; readonly cursor: Cursor }) {
  const [step, setStep] = useState<number | null>(null);
  useEffect(() => cursor.follow(setStep), [cursor]);
  return (
    <div class="readout" tabIndex={0} role="region" aria-label="Figures at the step under the cursor">
      <table>
        <thead>
          <tr>
            <th scope="col">{step === null ? "Last step" : `Step ${step}`}</th>
            {CELLS.map(({ title }) => <th scope="col" key={title}>{title}</th>)}
          </tr>
        </thead>
        <tbody>
          {runs.map(({ id, name, place, data }) => (
            <tr key={id}>
              <th scope="row"><Swatch place={place} /> {name}</th>
              {CELLS.map(({ figure, column, title }) => (
                <td key={title}>{formatFigure(valueAt(figure, data, step ?? Math.max(data?.steps ?? 0, figure.evaluation ? Infinity : 0), column))}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
