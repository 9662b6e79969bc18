import { useEffect, useMemo, useState } from "preact/hooks";
import type { InspectedProblem } from "../../src/watch/protocol.ts";
import { Classes, standing } from "./classes.tsx";
import { completionId, CompletionView } from "./completion.tsx";
import type { Mode } from "./completion.tsx";
import { Glance } from "./glance.tsx";
import type { Numbered } from "./glance.tsx";
import { Short } from "./short.tsx";
import { ShadeLegend } from "./tokens.tsx";

/** Completions built at once. */
const AT_ONCE = 16;
/** Characters of an answer beside a completion's number. */
const LONGEST_ANSWER = 60;

const MODES: Readonly<Record<Mode, string>> = { typeset: "typeset", raw: "raw text", tokens: "token logprobs" };
const STATUS: Readonly<Record<string, string>> = {
  "trained": "trained on",
  "unlabelled": "not trained on: it has no label",
  "no-signal": "not trained on: all rewards are the same",
  "left-out": "not trained on: others have a larger majority share",
};

/** One problem: question, vote and completions. */
export function ProblemView({ problem }: { problem: InspectedProblem }) {
  const [mode, setMode] = useState<Mode>("typeset");
  const raw = mode !== "typeset";
  const placed = problem.completions.some(({ tokenEnds }) => tokenEnds !== null);
  return (
    <article class="problem" aria-label={`Problem ${problem.index}`}>
      <div class="modes" role="group" aria-label="How text is shown">
        {(Object.keys(MODES) as Mode[]).map((name) => (
          <button key={name} type="button" aria-pressed={mode === name} onClick={() => setMode(name)}>
            {MODES[name]}
          </button>
        ))}
        {mode === "tokens" && (placed ? <ShadeLegend /> : <span role="status">This recording does not say where tokens end, so that logprobs can't be laid over the text.</span>)}
      </div>
      <h2>Question</h2>
      <Short text={problem.prompt} raw={raw} />
      <dl class="labels">
        <dt>Pseudo-label</dt>
        <dd>{problem.pseudoLabel === null ? "none" : <Short text={problem.pseudoLabel} raw={raw} />}</dd>
        <dt>True answer</dt>
        <dd>{problem.truth === null ? "not recorded" : <Short text={problem.truth} raw={raw} />}</dd>
        <dt>This step</dt>
        <dd>{STATUS[problem.status] ?? problem.status}</dd>
      </dl>
      <Votes problem={problem} mode={mode} />
    </article>
  );
}

/** The classes and, in their order, the completions: the majority's first, those without an answer last. */
function Votes({ problem, mode }: { problem: InspectedProblem; mode: Mode }) {
  const completions = useMemo(() => byClass(problem), [problem]);
  const [page, setPage] = useState(0);
  const [sought, seek] = useState<Numbered | null>(null);
  useEffect(() => {
    const element = sought && document.getElementById(completionId(sought.number));
    element?.focus({ preventScroll: true });
    element?.scrollIntoView({ block: "nearest" });
  }, [sought]);
  const show = (place: number): void => {
    setPage(Math.floor(place / AT_ONCE));
    seek({ ...completions[place]! });
  };
  const classNames = problem.groups.map((group, place) => [group.answer.slice(0, LONGEST_ANSWER), ...standing(group, place, problem.tied)].join(" · "));
  return (
    <>
      <h2>Vote</h2>
      <Classes problem={problem} raw={mode !== "typeset"} show={(group) => show(completions.findIndex(({ completion }) => completion.group === group))} />
      <h2>Completions, by class</h2>
      <Glance completions={completions} show={show} />
      <div class="completions">
        {completions.slice(page * AT_ONCE, (page + 1) * AT_ONCE).map(({ number, completion }) => (
          <CompletionView key={number} completion={completion} number={number} answer={completion.group === null ? "∅ no answer" : `class ${completion.group + 1}: ${classNames[completion.group] ?? ""}`} mode={mode} />
        ))}
      </div>
      {completions.length > AT_ONCE && <Pages page={page} of={completions.length} turn={(next) => show(next * AT_ONCE)} />}
    </>
  );
}

function byClass({ completions }: InspectedProblem): readonly Numbered[] {
  const rank = ({ completion }: Numbered): number => completion.group ?? Infinity;
  return completions.map((completion, place) => ({ number: place + 1, completion })).sort((first, second) => (rank(first) === rank(second) ? 0 : rank(first) - rank(second)));
}

function Pages({ page, of, turn }: { page: number; of: number; turn: (page: number) => void }) {
  const end = Math.min(of, (page + 1) * AT_ONCE);
  return (
    <p class="turn">
      <button type="button" disabled={page === 0} onClick={() => turn(page - 1)}>
        previous {AT_ONCE}
      </button>
      <output>
        {page * AT_ONCE + 1} to {end} of {of} completions
      </output>
      <button type="button" disabled={end === of} onClick={() => turn(page + 1)}>
        next {Math.min(AT_ONCE, of - end)}
      </button>
    </p>
  );
}
