import { SECTIONS, type Figure } from "./figures.ts";
import { formatFigure } from "./format.ts";
import { valueAt, type ChartRun } from "./series.ts";
import { Swatch } from "./style-of-run.tsx";
import { useTold, type Told } from "./told.ts";

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

interface ReadoutProps {
  readonly runs: readonly ChartRun[];
  readonly pinned: number | null;
  readonly cursor: Told<number | null>;
  readonly focus: Told<string | null>;
}

/** All figures of the chosen runs at the step under the mouse, at the pinned one, or at their last. */
export function Readout({ runs, pinned, cursor, focus }: ReadoutProps) {
  const step = useTold(cursor, null) ?? pinned;
  const focused = useTold(focus, null);
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
            <tr key={id} class={id === focused ? "focused" : undefined} onMouseEnter={() => focus.set(id)} onMouseLeave={() => focus.set(null)}>
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
