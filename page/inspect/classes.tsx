import type { ComponentChildren } from "preact";
import type { AnswerClass, InspectedProblem } from "../../src/watch/protocol.ts";
import { Short } from "./short.tsx";

interface ClassesProps {
  readonly problem: InspectedProblem;
  readonly raw: boolean;
  /** Shows the completions of a class; of those without an answer for `null`. */
  readonly show: (group: number | null) => void;
}

/** The classes of a problem as bars; one with several spellings says why they are equal. */
export function Classes({ problem, raw, show }: ClassesProps) {
  return (
    <ol class="classes">
      {problem.groups.map((group, place) => (
        <li key={place}>
          <Bar name={`class ${place + 1}`} count={group.count} of={problem.samples} said={standing(group, place, problem.tied)} show={() => show(place)}>
            <Short text={group.answer} raw={raw} />
          </Bar>
          {group.spellings.length > 1 && <Spellings of={group} />}
        </li>
      ))}
      {problem.abstentions > 0 && (
        <li>
          <Bar name="those without an answer" count={problem.abstentions} of={problem.samples} said={["∅ no vote"]} show={() => show(null)}>
            <em>without an answer</em>
          </Bar>
        </li>
      )}
    </ol>
  );
}

/** What a class is, by symbol and word. */
export function standing({ correct }: AnswerClass, place: number, tied: boolean): string[] {
  const said = place === 0 ? [tied ? "★ majority, by tie" : "★ majority"] : [];
  if (correct !== null) said.push(correct ? "✓ true" : "✗ wrong");
  return said;
}

function Spellings({ of: { spellings } }: { of: AnswerClass }) {
  return (
    <details open>
      <summary>{spellings.length} spellings</summary>
      <ul>
        {spellings.map(({ text, count, rule }) => (
          <li key={text}>
            <code>
              <Short text={text} raw />
            </code>{" "}
            × {count}: {rule}
          </li>
        ))}
      </ul>
    </details>
  );
}

interface BarProps {
  readonly name: string;
  readonly count: number;
  readonly of: number;
  readonly said: readonly string[];
  readonly show: () => void;
  readonly children: ComponentChildren;
}

function Bar({ name, count, of, said, show, children }: BarProps) {
  const share = of === 0 ? 0 : (100 * count) / of;
  return (
    <div class="bar">
      {children}
      <div class="bar-track" aria-hidden="true">
        <div class="bar-fill" style={{ width: `${share}%` }} />
      </div>
      <span>
        {[`${count} of ${of} (${Math.round(share)} %)`, ...said].join(" · ")}{" "}
        <button type="button" class="quiet" aria-label={`Show the completions of ${name}`} onClick={show}>
          show
        </button>
      </span>
    </div>
  );
}
