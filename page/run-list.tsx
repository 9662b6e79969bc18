import type { RunOverview } from "../src/watch/protocol.ts";
import type { Go } from "./address.ts";
import { formatDuration, formatFigure } from "./format.ts";
import { Swatch } from "./style-of-run.tsx";
import type { Told } from "./told.ts";

const SYMBOLS = { healthy: "✓", watch: "!", collapsed: "✕", unknown: "?" } as const;

interface RunListProps {
  readonly runs: readonly RunOverview[];
  readonly chosen: readonly RunOverview[];
  readonly go: Go;
  readonly focus: Told<string | null>;
}

/** All runs with their verdicts; the checked ones are drawn, and the one that the mouse or the keyboard is at is drawn on top. */
export function RunList({ runs, chosen, go, focus }: RunListProps) {
  const ids = new Set(chosen.map(({ id }) => id));
  const toggle = (id: string): void => go({ runs: runs.map((run) => run.id).filter((other) => (other === id ? !ids.has(id) : ids.has(other))) });
  return (
    <div class="runs" tabIndex={0} role="region" aria-label="Runs">
      <table>
        <thead>
          <tr>
            {["Run", "State", "Verdict", "Step", "Per step", "Left", ""].map((title) => <th scope="col" key={title}>{title}</th>)}
          </tr>
        </thead>
        <tbody>
          {runs.map((run, place) => (
            <tr key={run.id} onMouseEnter={() => focus.set(run.id)} onMouseLeave={() => focus.set(null)} onFocusIn={() => focus.set(run.id)} onFocusOut={() => focus.set(null)}>
              <th scope="row">
                <label>
                  <input type="checkbox" checked={ids.has(run.id)} onChange={() => toggle(run.id)} /> <Swatch place={place} /> {run.name}
                </label>
                {run.note !== null && <p class="note">{run.note}</p>}
              </th>
              <td>{run.state}</td>
              <td class={`verdict ${run.health.level}`}>
                <span aria-hidden="true">{SYMBOLS[run.health.level]}</span> {run.health.text}
              </td>
              <td class="number">{run.step} / {run.steps}</td>
              <td class="number">{run.secondsPerStep === null ? "–" : `${formatFigure(run.secondsPerStep)} s`}</td>
              <td class="number">{run.secondsLeft === null ? "–" : formatDuration(run.secondsLeft)}</td>
              <td><button type="button" onClick={() => go({ details: run.id })} aria-label={`Details of ${run.name}`}>Details</button></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
