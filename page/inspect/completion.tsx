import { useState } from "preact/hooks";
import type { InspectedCompletion } from "../../src/watch/protocol.ts";
import { MathText, RawText } from "../math/index.tsx";
import { Tokens } from "./tokens.tsx";

export type Mode = "typeset" | "raw" | "tokens";

/** Characters shown while folded, and at most at once when not: a longer text is turned over page by page. */
const FOLDED = 1200;
const PAGE = 20_000;

interface CompletionProps {
  readonly completion: InspectedCompletion;
  /** Its place in the recording, from 1. */
  readonly number: number;
  /** What it answers, and what its class is. */
  readonly answer: string;
  readonly mode: Mode;
}

/** One completion: what came of it, and its text. */
export function CompletionView({ completion, number, answer, mode }: CompletionProps) {
  const [open, setOpen] = useState(false);
  const [page, setPage] = useState(0);
  const fold = (): void => {
    setOpen(!open);
    setPage(0);
  };
  const length = completion.text.length;
  const start = open ? wholeAt(completion.text, page * PAGE) : 0;
  const end = wholeAt(completion.text, open ? Math.min(length, start + PAGE) : FOLDED);
  return (
    <section class="completion" id={completionId(number)} tabIndex={-1} aria-label={`Completion ${number}`}>
      <h3>
        Completion {number}{" "}
        <span class="facts">
          <RawText text={answer} />
        </span>
      </h3>
      <p class="facts">{facts(completion).join(" · ")}</p>
      <Body completion={completion} start={start} end={end} mode={mode} />
      {length > FOLDED && (
        <button type="button" aria-expanded={open} onClick={fold}>
          {open ? "fold" : `show all ${length.toLocaleString("en")} characters`}
        </button>
      )}
      {open && length > PAGE && (
        <span class="turn">
          <button type="button" disabled={page === 0} onClick={() => setPage(page - 1)}>
            previous
          </button>
          <output>
            characters {(start + 1).toLocaleString("en")} to {end.toLocaleString("en")}
          </output>
          <button type="button" disabled={end >= length} onClick={() => setPage(page + 1)}>
            next
          </button>
        </span>
      )}
    </section>
  );
}

/** The place, moved on by one where it would part a surrogate pair. */
function wholeAt(text: string, at: number): number {
  const pair = at > 0 && at < text.length && /[\ud800-\udbff]/.test(text[at - 1]!) && /[\udc00-\udfff]/.test(text[at]!);
  return Math.min(text.length, pair ? at + 1 : at);
}

/** Id of the element of a completion. */
export const completionId = (number: number): string => `completion-${number}`;

const ENDS: Readonly<Record<string, string>> = { stop: "ended by itself", length: "cut off at the limit" };

/** What came of a completion, in the words of all places that tell it. */
export function facts({ reward, advantage, tokens, kl, stopReason }: InspectedCompletion): string[] {
  return [`reward ${Number(reward.toFixed(3))}`, `advantage ${signed(advantage)}`, `${tokens} tokens`, `KL ${kl.toFixed(4)}`, ENDS[stopReason] ?? stopReason];
}

const signed = (value: number): string => (value > 0 ? "+" : "") + value.toFixed(3);

function Body({ completion, start, end, mode }: { completion: InspectedCompletion; start: number; end: number; mode: Mode }) {
  const text = completion.text.slice(start, end);
  const { answerAt, tokenEnds } = completion;
  const mark = answerAt && { start: answerAt.start - start, end: answerAt.end - start };
  if (mode === "tokens" && tokenEnds !== null) return <Tokens completion={completion} ends={tokenEnds} start={start} end={end} />;
  return <div class="untrusted completion-text">{mode === "typeset" ? <MathText text={text} mark={mark} /> : <RawText text={text} mark={mark} />}</div>;
}
