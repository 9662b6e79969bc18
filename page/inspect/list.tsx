import { useEffect, useRef, useState } from "preact/hooks";
import type { ProblemOverview } from "../../src/watch/protocol.ts";
import { RawText } from "../math/index.tsx";

/** Height of a row in pixels, as in the style sheet: rows out of sight are not built. */
const ROW = 56;
const SPARE = 6;

/** The problems as a list of which only the rows in sight exist; arrow keys, Page Up, Page Down, Home and End move the choice. */
export function ProblemList({ problems, chosen, choose }: { problems: readonly ProblemOverview[]; chosen: number | null; choose: (index: number) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const place = problems.findIndex(({ index }) => index === chosen);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const element = box.current;
    if (element === null || place < 0) return;
    if (place * ROW < element.scrollTop) element.scrollTop = place * ROW;
    else if ((place + 1) * ROW > element.scrollTop + element.clientHeight) element.scrollTop = (place + 1) * ROW - element.clientHeight;
  }, [place]);
  const first = Math.max(0, Math.floor(top / ROW) - SPARE);
  const shown = problems.slice(first, Math.ceil((top + height) / ROW) + SPARE);
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = moved(event.key, place, problems.length, Math.max(1, Math.floor(height / ROW) - 1));
    if (next === null) return;
    event.preventDefault();
    choose(problems[next]!.index);
  };
  return (
    <div
      ref={box}
      class="problem-list"
      role="listbox"
      tabIndex={0}
      aria-label={`${problems.length} problems`}
      {...(shown.some(({ index }) => index === chosen) && { "aria-activedescendant": `problem-${chosen ?? ""}` })}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
    >
      <div class="problem-rows" style={{ height: `${problems.length * ROW}px` }}>
        {shown.map((problem, offset) => (
          <Row key={problem.index} problem={problem} place={first + offset} of={problems.length} chosen={problem.index === chosen} choose={choose} />
        ))}
      </div>
    </div>
  );
}

/** The place that a key leads to; `null` for other keys and empty lists. */
function moved(key: string, place: number, count: number, page: number): number | null {
  const moves: Readonly<Record<string, number>> = { ArrowDown: place + 1, ArrowUp: place - 1, PageDown: place + page, PageUp: place - page, Home: 0, End: count - 1 };
  const next = moves[key];
  return next === undefined || count === 0 ? null : Math.min(count - 1, Math.max(0, next));
}

interface RowProps {
  readonly problem: ProblemOverview;
  readonly place: number;
  readonly of: number;
  readonly chosen: boolean;
  readonly choose: (index: number) => void;
}

function Row({ problem, place, of, chosen, choose }: RowProps) {
  return (
    <div
      id={`problem-${problem.index}`}
      class="problem-row"
      role="option"
      aria-selected={chosen}
      aria-posinset={place + 1}
      aria-setsize={of}
      style={{ transform: `translateY(${place * ROW}px)` }}
      onClick={() => choose(problem.index)}
    >
      <span class="problem-prompt">
        <RawText text={problem.prompt.replace(/\s+/g, " ")} />
      </span>
      <span class="problem-facts">
        {problem.majorityCorrect === false && <strong>✗ majority wrong · </strong>}
        {facts(problem).join(" · ")}
      </span>
    </div>
  );
}

/** What else is to be said of a problem in a line. */
function facts(problem: ProblemOverview): string[] {
  const said = [`#${problem.index}`];
  if (problem.majorityCorrect === true) said.push("✓ majority right");
  said.push(`${Math.round(problem.shareOfAll * 100)} % of ${problem.samples} agree`);
  if (problem.tied) said.push("= tie");
  if (problem.flipped === true) said.push("↻ flipped");
  if (problem.abstentions > 0) said.push(`∅ ${problem.abstentions} without an answer`);
  return said;
}
