import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { RunOverview } from "../src/watch/protocol.ts";
import { formatAddress, useAddress, VIEWS } from "./address.ts";
import { fetchRuns, followRuns } from "./api.ts";
import { Compare } from "./compare/index.tsx";
import { createReader, type RunData } from "./data.ts";
import { COLUMNS } from "./figures.ts";
import { Inspector } from "./inspect/index.tsx";
import { Overview } from "./overview.tsx";
import { SCHEMES, useScheme } from "./scheme.ts";

/** Most runs that are drawn before a choice is made. */
const DRAWN = 20;
const TITLES = { overview: "Overview", inspect: "Votes", compare: "Compare" } as const;

function merged(runs: readonly RunOverview[] | null, changed: readonly RunOverview[]): RunOverview[] {
  const byId = new Map([...(runs ?? []), ...changed].map((run) => [run.id, run]));
  return [...byId.values()];
}

/** The runs as they change, whether the server answers, and what it said last when it could not. */
function useRuns() {
  const [runs, setRuns] = useState<readonly RunOverview[] | null>(null);
  const [connected, setConnected] = useState(true);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    const readAll = (): void => {
      fetchRuns().then(
        (all) => {
          setRuns(all);
          setError(null);
        },
        (failure: unknown) => setError(failure instanceof Error ? failure.message : String(failure)),
      );
    };
    readAll();
    const leave = (ids: readonly string[]): void => setRuns((before) => before && before.filter(({ id }) => !ids.includes(id)));
    return followRuns((changed) => setRuns((before) => merged(before, changed)), leave, (open) => {
      setConnected(open);
      if (open) readAll();
    });
  }, []);
  return { runs, connected, error, setError };
}

function useData(chosen: readonly RunOverview[], onError: (sentence: string) => void): ReadonlyMap<string, RunData> {
  const [data, setData] = useState<ReadonlyMap<string, RunData>>(new Map());
  const reader = useMemo(() => createReader(COLUMNS, (news) => setData((before) => new Map([...before, ...news])), onError), []);
  useEffect(() => {
    for (const run of chosen) reader.update(run);
  }, [chosen]);
  return data;
}

/** Verdicts that changed since the page was opened, for a screen reader. */
function Announcer({ runs }: { readonly runs: readonly RunOverview[] }) {
  const before = useRef(new Map<string, string>());
  const [said, say] = useState("");
  useEffect(() => {
    const changed = runs.filter(({ id, health }) => before.current.has(id) && before.current.get(id) !== health.text);
    before.current = new Map(runs.map(({ id, health }) => [id, health.text]));
    if (changed.length > 0) say(changed.map(({ name, health }) => `${name}: ${health.text}`).join(". "));
  }, [runs]);
  return <p class="hidden" role="status" aria-live="polite">{said}</p>;
}

/** The page: a heading with the views, and the view that the address names. */
export function App() {
  const [address, go] = useAddress();
  const { runs, connected, error, setError } = useRuns();
  const scheme = useScheme();
  const all = runs ?? [];
  const chosen = useMemo(() => {
    const ids = address.runs && new Set(address.runs);
    return ids ? all.filter(({ id }) => ids.has(id)) : all.slice(0, DRAWN);
  }, [runs, address.runs?.join()]);
  const data = useData(chosen, setError);
  return (
    <>
      <header>
        <h1>selftrain</h1>
        <nav aria-label="Views">
          {VIEWS.map((view) => (
            <a key={view} href={formatAddress({ ...address, view })} aria-current={view === address.view ? "page" : undefined}>{TITLES[view]}</a>
          ))}
        </nav>
        <label>
          colours{" "}
          <select value={scheme.chosen} onChange={(event: Event) => scheme.choose(SCHEMES.find((name) => name === (event.target as HTMLSelectElement).value) ?? "system")}>
            {SCHEMES.map((name) => <option key={name} value={name}>{name}</option>)}
          </select>
        </label>
      </header>
      <main>
        {!connected && <p class="notice" role="alert">The server does not answer; what is shown is the last that it said.</p>}
        {error !== null && <p class="notice" role="alert">{error}</p>}
        {runs === null && error === null && <p class="empty">Reading the runs…</p>}
        {runs?.length === 0 && <p class="empty">No run yet in the directories that are watched. A run shows up here by itself as soon as it begins.</p>}
        {all.length > 0 && address.view === "overview" && <Overview runs={all} chosen={chosen} data={data} address={address} go={go} scheme={scheme.inForce} />}
        {all.length > 0 && address.view === "inspect" && <Inspector runs={all} address={address} go={go} />}
        {all.length > 0 && address.view === "compare" && <Compare runs={all} address={address} go={go} />}
        <Announcer runs={all} />
      </main>
    </>
  );
}
