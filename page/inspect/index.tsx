import { useMemo } from "preact/hooks";
import type { ProblemOverview, RunOverview } from "../../src/watch/protocol.ts";
import type { Address, Go } from "../address.ts";
import { fetchProblem, fetchProblems, fetchRecordings } from "../api.ts";
import { CONDITIONS, filterProblems, formatFilter, parseFilter } from "./filter.ts";
import type { Condition, Filter } from "./filter.ts";
import { ProblemList } from "./list.tsx";
import { ProblemView } from "./problem.tsx";
import { useRequest } from "./request.ts";
import "./inspect.css";

interface ViewProps {
  readonly runs: readonly RunOverview[];
  readonly address: Address;
  readonly go: Go;
}

/** The votes of one run: its recorded steps, their problems, and of one problem all that was sampled. The first of the chosen runs is shown. */
export function Inspector({ runs, address, go }: ViewProps) {
  const asked = address.runs?.[0];
  const run = runs.find(({ id }) => id === asked) ?? runs[0];
  const version = run === undefined ? "" : `${run.revision}:${run.recordings}`;
  const recordings = useRequest(run?.id ?? null, version, (signal) => fetchRecordings(run!.id, signal));
  if (run === undefined) return <p class="empty">There is no run yet whose votes could be shown.</p>;
  const steps = recordings.value ?? [];
  // A step that was pinned in the charts need not be recorded: the last one before it is, or else the first.
  const step = (address.step === null ? steps.at(-1) : (steps.findLast((recorded) => recorded <= address.step!) ?? steps[0])) ?? null;
  const others = (address.runs ?? runs.map(({ id }) => id)).filter((id) => id !== run.id);
  return (
    <section class="inspector" aria-label="Vote inspector">
      <div class="inspector-choice">
        <label>
          Run{" "}
          <select value={run.id} onChange={({ currentTarget: { value } }) => go({ runs: [value, ...others, run.id].filter((id, place, all) => all.indexOf(id) === place), step: null, problem: null })}>
            {runs.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        {step !== null && steps.length > 0 && <StepChoice steps={steps} step={step} choose={(next) => go({ step: next, problem: null }, "replace")} />}
      </div>
      {asked !== undefined && asked !== run.id && <p role="alert">The run that the address names is not here; this is {run.name}.</p>}
      {recordings.error !== null && <p role="alert">{recordings.error}</p>}
      {recordings.value === null && recordings.error === null && <p class="empty">Reading the recorded steps…</p>}
      {recordings.value?.length === 0 && <p class="empty">This run has recorded no samples so far.</p>}
      {step !== null && recordings.value !== null && steps.length > 0 && <Step run={run} step={step} address={address} go={go} />}
    </section>
  );
}

function StepChoice({ steps, step, choose }: { steps: readonly number[]; step: number; choose: (step: number) => void }) {
  const found = steps.findIndex((recorded) => recorded >= step);
  const place = found < 0 ? steps.length - 1 : found;
  const at = (next: number) => () => choose(steps[next]!);
  return (
    <div class="step-choice" role="group" aria-label="Recorded step">
      <button type="button" disabled={place === 0} onClick={at(place - 1)} aria-label="Previous recorded step">
        ‹
      </button>
      <input type="range" min={0} max={steps.length - 1} value={place} aria-label="Recorded step" aria-valuetext={`step ${step}`} onInput={({ currentTarget }) => choose(steps[Number(currentTarget.value)]!)} />
      <button type="button" disabled={place === steps.length - 1} onClick={at(place + 1)} aria-label="Next recorded step">
        ›
      </button>
      <output>
        step {step} ({place + 1} of {steps.length} recorded)
      </output>
    </div>
  );
}

function Step({ run, step, address, go }: { run: RunOverview; step: number; address: Address; go: Go }) {
  const filter = useMemo(() => parseFilter(address.filter), [address.filter]);
  const key = `${run.id}/${step}`;
  const problems = useRequest(key, String(run.revision), (signal) => fetchProblems(run.id, step, signal));
  const listed = useMemo(() => filterProblems(problems.value ?? [], filter), [problems.value, filter]);
  const index = address.problem ?? listed[0]?.index ?? null;
  const problem = useRequest(index === null ? null : `${key}/${index}`, String(run.revision), (signal) => fetchProblem(run.id, step, index!, signal));
  if (problems.error !== null) return <p role="alert">{problems.error}</p>;
  if (problems.value === null) return <p class="empty">Reading the problems of step {step}…</p>;
  return (
    <div class="inspector-step">
      <div class="inspector-side">
        <Filters filter={filter} all={problems.value} listed={listed.length} change={(next, how) => go({ filter: formatFilter(next), problem: null }, how)} />
        <ProblemList problems={listed} chosen={index} choose={(next) => go({ problem: next })} />
      </div>
      {problem.error !== null && <p role="alert">{problem.error}</p>}
      {index === null && <p class="empty">No problem of this step is so: take a filter off, or choose another step.</p>}
      {problem.value !== null && <ProblemView key={`${key}/${index ?? ""}`} problem={problem.value} />}
    </div>
  );
}

const CONDITION_NAMES: Readonly<Record<Condition, string>> = { wrong: "majority wrong", tie: "tie", flipped: "flipped since last time", nobox: "no box" };

interface FiltersProps {
  readonly filter: Filter;
  readonly all: readonly ProblemOverview[];
  readonly listed: number;
  readonly change: (filter: Filter, how: "push" | "replace") => void;
}

function Filters({ filter, all, listed, change }: FiltersProps) {
  const toggle = (condition: Condition) => () =>
    change({ ...filter, conditions: CONDITIONS.filter((other) => (other === condition) !== filter.conditions.includes(other)) }, "push");
  const counts = useMemo(() => CONDITIONS.map((condition) => countOf(all, condition)), [all]);
  return (
    <div class="filters" role="group" aria-label="Filters">
      <input type="search" aria-label="Search the questions" placeholder="Search the questions" value={filter.search} onInput={({ currentTarget }) => change({ ...filter, search: currentTarget.value }, "replace")} />
      {CONDITIONS.map((condition, place) => (
        <label key={condition}>
          <input type="checkbox" checked={filter.conditions.includes(condition)} onChange={toggle(condition)} /> {CONDITION_NAMES[condition]} <span class="facts">{counts[place]}</span>
        </label>
      ))}
      <output>
        {listed} of {all.length} problems
      </output>
    </div>
  );
}

/** How many problems are so, or why that can't be told of any. */
function countOf(all: readonly ProblemOverview[], condition: Condition): string {
  if (condition === "wrong" && all.every(({ majorityCorrect }) => majorityCorrect === null)) return "(no true answers are recorded)";
  if (condition === "flipped" && all.every(({ flipped }) => flipped === null)) return "(none was seen before)";
  return String(filterProblems(all, { conditions: [condition], search: "" }).length);
}
