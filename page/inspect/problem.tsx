import { useState } from "preact/hooks";
import type { AnswerClass, InspectedProblem } from "../../src/watch/protocol.ts";
import { MathText, RawText } from "../math/index.tsx";
import { CompletionView } from "./completion.tsx";
import type { Mode } from "./completion.tsx";

/** Completions built at once. */
const AT_ONCE = 16;
/** Characters of an answer or a question that are shown. */
const LONGEST_SHOWN = 4000;

/** One problem: question, vote and completions. */
export function ProblemView({ problem }: { problem: InspectedProblem }) {
  const [mode, setMode] = useState<Mode>("typeset");
  const [count, setCount] = useState(AT_ONCE);
  return (
    <article class="problem" aria-label={`Problem ${problem.index}`}>
      <div class="modes" role="group" aria-label="How text is shown">
        {(["typeset", "raw", "tokens"] as const).map((name) => (
          <button key={name} type="button" aria-pressed={mode === name} onClick={() => setMode(name)}>
            {{ typeset: "typeset", raw: "raw text", tokens: "token logprobs" }[name]}
          </button>
        ))}
      </div>
      <h2>Question</h2>
      <Short text={problem.prompt} raw={mode !== "typeset"} />
      <dl class="labels">
        <dt>Pseudo-label</dt>
        <dd>{problem.pseudoLabel === null ? "none" : <Short text={problem.pseudoLabel} raw={mode !== "typeset"} />}</dd>
        <dt>True answer</dt>
        <dd>{problem.truth === null ? "not recorded" : <Short text={problem.truth} raw={mode !== "typeset"} />}</dd>
        <dt>Group</dt>
        <dd>{problem.status}</dd>
      </dl>
      <h2>Vote</h2>
      <Classes problem={problem} raw={mode !== "typeset"} />
      <h2>Completions</h2>
      {problem.completions.slice(0, count).map((completion, place) => (
        <CompletionView key={place} completion={completion} place={place} mode={mode} />
      ))}
      {count < problem.completions.length && (
        <button type="button" onClick={() => setCount(count + AT_ONCE)}>
          show more of {problem.completions.length} completions
        </button>
      )}
    </article>
  );
}

function Short({ text, raw }: { text: string; raw: boolean }) {
  const shown = text.slice(0, LONGEST_SHOWN);
  return (
    <div class="untrusted">
      {raw ? <RawText text={shown} /> : <MathText text={shown} />}
      {text.length > shown.length && <em> … {text.length - shown.length} more characters</em>}
    </div>
  );
}

function Classes({ problem, raw }: { problem: InspectedProblem; raw: boolean }) {
  return (
    <ol class="classes">
      {problem.groups.map((group, place) => (
        <li key={place}>
          <Short text={group.answer} raw={raw} />
          <Bar count={group.count} of={problem.samples} said={standing(group, place, problem.tied)} />
          <details>
            <summary>{group.spellings.length === 1 ? "1 spelling" : `${group.spellings.length} spellings`}</summary>
            <ul>
              {group.spellings.map(({ text, count, rule }) => (
                <li key={text}>
                  <code class="untrusted">
                    <RawText text={text.slice(0, LONGEST_SHOWN)} />
                  </code>{" "}
                  × {count}: {rule}
                </li>
              ))}
            </ul>
          </details>
        </li>
      ))}
      {problem.abstentions > 0 && (
        <li>
          <em>without an answer</em>
          <Bar count={problem.abstentions} of={problem.samples} said={["∅ no vote"]} />
        </li>
      )}
    </ol>
  );
}

/** What a class is, by symbol and word. */
function standing({ correct }: AnswerClass, place: number, tied: boolean): string[] {
  const said = place === 0 ? [tied ? "★ majority, by tie" : "★ majority"] : [];
  if (correct !== null) said.push(correct ? "✓ true" : "✗ wrong");
  return said;
}

function Bar({ count, of, said }: { count: number; of: number; said: readonly string[] }) {
  const share = of === 0 ? 0 : (100 * count) / of;
  return (
    <div class="bar">
      <div class="bar-track" aria-hidden="true">
        <div class="bar-fill" style={{ width: `${share}%` }} />
      </div>
      <span>{[`${count} of ${of} (${Math.round(share)} %)`, ...said].join(" · ")}</span>
    </div>
  );
}
