import { useMemo } from "preact/hooks";
import type { RunOverview } from "../src/watch/protocol.ts";
import { formatAddress, type Address, type Go } from "./address.ts";
import { Chart } from "./chart.tsx";
import type { RunData } from "./data.ts";
import { Details } from "./details.tsx";
import { SECTIONS, type Figure } from "./figures.ts";
import { Readout } from "./readout.tsx";
import { RunList } from "./run-list.tsx";
import { MANY, type ChartRun } from "./series.ts";
import { createTold } from "./told.ts";
import { createTurns } from "./turns.ts";

interface OverviewProps {
  readonly runs: readonly RunOverview[];
  readonly chosen: readonly RunOverview[];
  readonly data: ReadonlyMap<string, RunData>;
  readonly address: Address;
  readonly go: Go;
  readonly scheme: string;
}

/** Limit of the sign of collapse that a figure shows; `null` where it shows none, or the limit can't be told. */
function limitOf(run: RunOverview, { columns }: Figure): number | null {
  return run.health.signs.find(({ key }) => columns.includes(key))?.limit ?? null;
}

function Switches({ address, go, many }: { readonly address: Address; readonly go: Go; readonly many: boolean }) {
  return (
    <fieldset class="switches">
      <legend>Axes</legend>
      <label><input type="checkbox" checked={address.logX} onChange={() => go({ logX: !address.logX })} /> log x (0 at the edge)</label>
      <label><input type="checkbox" checked={address.logY} onChange={() => go({ logY: !address.logY })} /> log y (unbounded figures)</label>
      <label>
        smoothing{" "}
        <select value={String(address.smoothing)} onChange={(event: Event) => go({ smoothing: Number((event.target as HTMLSelectElement).value) })}>
          {[...new Set([0, 5, 20, 100, address.smoothing])].sort((a, b) => a - b).map((steps) => (
            <option key={steps} value={String(steps)}>{steps === 0 ? "off" : `${steps} steps`}</option>
          ))}
        </select>
      </label>
      {address.range !== null && <button type="button" onClick={() => go({ range: null })}>steps {address.range.join("–")}: show all</button>}
      {address.step !== null && (
        <span>
          <button type="button" onClick={() => go({ step: null })}>step {address.step}: let go</button>{" "}
          <a href={formatAddress({ ...address, view: "inspect", problem: null })}>its votes</a>
        </span>
      )}
      {many && <span class="empty">Many runs are drawn faintly: point at one, here or in a chart, to see it alone.</span>}
    </fieldset>
  );
}

/** The first screen: the runs with their verdicts, and the figures of the chosen ones. */
export function Overview({ runs, chosen, data, address, go, scheme }: OverviewProps) {
  const cursor = useMemo(() => createTold<number | null>(null), []);
  const focus = useMemo(() => createTold<string | null>(null), []);
  const turns = useMemo(createTurns, []);
  const detailed = runs.find(({ id }) => id === address.details);
  const drawn = (figure: Figure | null): ChartRun[] =>
    chosen.map((run) => ({
      id: run.id,
      name: run.name,
      place: runs.indexOf(run),
      data: data.get(run.id),
      limit: figure && limitOf(run, figure),
    }));
  return (
    <>
      <RunList runs={runs} chosen={chosen} go={go} focus={focus} />
      {detailed !== undefined && <Details key={detailed.id} run={detailed} close={() => go({ details: null })} />}
      <Switches address={address} go={go} many={chosen.length > MANY} />
      {chosen.length === 0 && <p class="empty">No run is chosen: check one in the list.</p>}
      {chosen.length > 0 && SECTIONS.map(({ title, figures }) => (
        <section key={title}>
          <h2>{title}</h2>
          <div class="charts">
            {figures.map((figure) => (
              <Chart key={figure.title} figure={figure} runs={drawn(figure)} address={address} go={go} scheme={scheme} cursor={cursor} focus={focus} turns={turns} />
            ))}
          </div>
        </section>
      ))}
      {chosen.length > 0 && <Readout runs={drawn(null)} pinned={address.step} cursor={cursor} focus={focus} />}
    </>
  );
}
