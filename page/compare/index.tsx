import type { Comparison, Interval, PairedFigure, RunOverview } from "../../src/watch/protocol.ts";
import type { Address, Go } from "../address.ts";
import { fetchComparison } from "../api.ts";
import { useRequest } from "../inspect/request.ts";
import { Differences } from "./chart.tsx";
import "./compare.css";

interface ViewProps {
  readonly runs: readonly RunOverview[];
  readonly address: Address;
  readonly go: Go;
}

/** Two runs side by side, the first two of those chosen: what differs in their configs, and the paired differences of their evaluations. */
export function Compare({ runs, address, go }: ViewProps) {
  const chosen = (address.runs ?? runs.map(({ id }) => id)).filter((id) => runs.some((run) => run.id === id));
  const first = chosen[0] ?? runs[0]?.id;
  const second = chosen.find((id) => id !== first) ?? runs.find(({ id }) => id !== first)?.id;
  const pair = first !== undefined && second !== undefined ? `${first}/${second}` : null;
  const version = runs.filter(({ id }) => id === first || id === second).map(({ revision, evaluations }) => `${revision}:${evaluations}`);
  const comparison = useRequest(pair, version.join(), (signal) => fetchComparison(first!, second!, signal));
  if (first === undefined || second === undefined) return <p class="empty">A comparison takes two runs; there {runs.length === 1 ? "is one" : "is none"}.</p>;
  const nameOf = (id: string): string => runs.find((run) => run.id === id)?.name ?? id;
  const choose = (a: string, b: string): void => go({ runs: [a, b, ...chosen.filter((id) => id !== a && id !== b)] });
  return (
    <section class="compare" aria-label="Comparison of two runs">
      <div class="compare-choice">
        <Choice name="First" runs={runs} value={first} choose={(id) => choose(id, id === second ? first : second)} />
        <Choice name="Second" runs={runs} value={second} choose={(id) => choose(id === first ? second : first, id)} />
      </div>
      {address.runs?.slice(0, 2).some((id) => id !== first && id !== second) && <p role="alert">A run that the address names is not here; these are others.</p>}
      {comparison.error !== null && <p role="alert">{comparison.error}</p>}
      {comparison.value === null ? comparison.error === null && <p class="empty">Comparing…</p> : <Result comparison={comparison.value} names={[nameOf(first), nameOf(second)]} />}
    </section>
  );
}

function Choice({ name, runs, value, choose }: { name: string; runs: readonly RunOverview[]; value: string; choose: (id: string) => void }) {
  return (
    <label>
      {name}{" "}
      <select value={value} onChange={({ currentTarget }) => choose(currentTarget.value)}>
        {runs.map((run) => (
          <option key={run.id} value={run.id}>
            {run.name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Of the first run, of the second. */
type Names = readonly [first: string, second: string];

function Result({ comparison: { config, differences, reason }, names }: { comparison: Comparison; names: Names }) {
  const same = config.filter(({ differs }) => !differs);
  return (
    <>
      <h2>
        Held-out accuracy, {names[1]} minus {names[0]}
      </h2>
      {differences.length === 0 ? <p class="empty">{reason ?? "There are no paired differences."}</p> : <Figures differences={differences} names={names} />}
      <h2>Configs</h2>
      {same.length === config.length ? <p>They don't differ.</p> : <ConfigTable rows={config.filter(({ differs }) => differs)} names={names} />}
      <details>
        <summary>The same in both ({same.length})</summary>
        <ConfigTable rows={same} names={names} />
      </details>
    </>
  );
}

function ConfigTable({ rows, names }: { rows: Comparison["config"]; names: Names }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">key</th>
          {names.map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, first, second }) => (
          <tr key={key}>
            <th scope="row">{key}</th>
            <td>{first ?? "not set"}</td>
            <td>{second ?? "not set"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const points = (value: number): string => `${value > 0 ? "+" : ""}${(100 * value).toFixed(1)}`;
const interval = ({ difference, low, high }: Interval): string => `${points(difference)} (${points(low)} to ${points(high)})`;

/** What a 95 % interval of a difference says, in words. */
function verdict({ difference, low, high }: Interval, [first, second]: Names): string {
  const by = `by ${Math.abs(100 * difference).toFixed(1)} points (${points(low)} to ${points(high)})`;
  if (low > 0) return `${second} is better ${by}`;
  if (high < 0) return `${first} is better ${by}`;
  return `no difference is shown: the interval, ${points(low)} to ${points(high)} points, holds 0`;
}

function Figures({ differences, names }: { differences: readonly PairedFigure[]; names: Names }) {
  const last = differences.at(-1)!;
  return (
    <>
      <p>
        At step {last.step}, over {last.problems} problems: by pass@1 {verdict(last.passAt1, names)}; by maj@k {verdict(last.majAtK, names)}.
      </p>
      <div class="compare-charts">
        <Differences name="pass@1" figures={differences.map(({ step, passAt1 }) => ({ step, ...passAt1 }))} />
        <Differences name="maj@k" figures={differences.map(({ step, majAtK }) => ({ step, ...majAtK }))} />
      </div>
      <table>
        <caption>Differences in points of accuracy, with 95 % intervals</caption>
        <thead>
          <tr>
            <th scope="col">step</th>
            <th scope="col">problems</th>
            <th scope="col">pass@1</th>
            <th scope="col">maj@k</th>
          </tr>
        </thead>
        <tbody>
          {differences.map(({ step, problems, passAt1, majAtK }) => (
            <tr key={step}>
              <th scope="row">{step}</th>
              <td>{problems}</td>
              <td>{interval(passAt1)}</td>
              <td>{interval(majAtK)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
