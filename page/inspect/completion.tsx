import { useState } from "preact/hooks";
import type { InspectedCompletion } from "../../src/watch/protocol.ts";
import { MathText, RawText } from "../math/index.tsx";
import type { Span } from "../math/index.tsx";

export type Mode = "typeset" | "raw" | "tokens";

/** Characters shown while folded, and at most at once when not: a longer text is turned over page by page. */
const FOLDED = 1200;
const PAGE = 20_000;

/** One completion: what came of it, and its text. */
export function CompletionView({ completion, place, mode }: { completion: InspectedCompletion; place: number; mode: Mode }) {
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
    <section class="completion" aria-label={`Completion ${place + 1}`}>
      <h3>Completion {place + 1}</h3>
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

function facts({ answer, group, reward, advantage, tokens, kl, stopReason }: InspectedCompletion): string[] {
  return [
    answer === null || group === null ? "∅ no answer" : `class ${group + 1}`,
    `reward ${reward}`,
    `advantage ${advantage.toFixed(3)}`,
    `${tokens} tokens`,
    `KL ${kl.toFixed(4)}`,
    `stopped by ${stopReason}`,
  ];
}

function Body({ completion, start, end, mode }: { completion: InspectedCompletion; start: number; end: number; mode: Mode }) {
  const text = completion.text.slice(start, end);
  const { answerAt, tokenEnds } = completion;
  const mark = answerAt && { start: answerAt.start - start, end: answerAt.end - start };
  if (mode === "tokens" && tokenEnds !== null) return <Tokens completion={completion} ends={tokenEnds} start={start} end={end} />;
  return (
    <>
      {mode === "tokens" && <p class="facts">This recording has no token places, so that logprobs can't be laid over the text.</p>}
      <div class="untrusted completion-text">{mode === "typeset" ? <MathText text={text} mark={mark} /> : <RawText text={text} mark={mark} />}</div>
    </>
  );
}

/** Logprobs at which the shades begin, from sure to surprising. */
const SHADES = [-0.05, -0.5, -1, -2, -4] as const;

/** The tokens between two places, each shaded by its logprob; hovering or the arrow keys read one out. */
function Tokens({ completion, ends, start, end }: { completion: InspectedCompletion; ends: readonly number[]; start: number; end: number }) {
  const [active, setActive] = useState<number | null>(null);
  const tokens = ends
    .map((tokenEnd, place) => ({ place, from: Math.max(start, place === 0 ? 0 : ends[place - 1]!), to: Math.min(end, tokenEnd) }))
    .filter(({ from, to }) => from < to);
  const move = (event: KeyboardEvent): void => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const [first, last] = [tokens[0]?.place, tokens.at(-1)?.place];
    if (by === undefined || first === undefined || last === undefined) return;
    event.preventDefault();
    setActive(active === null ? first : Math.min(last, Math.max(first, active + by)));
  };
  return (
    <>
      <p class="legend">
        logprob:{" "}
        {SHADES.map((limit, shade) => (
          <span key={limit} class={`shade-${shade}`}>
            {shade === 0 ? `≥ ${limit}` : `< ${SHADES[shade - 1]!}`}
          </span>
        ))}
        <output aria-live="polite">{active === null ? "" : `token ${active + 1}: logprob ${completion.logprobs[active]?.toFixed(4) ?? "not recorded"}`}</output>
      </p>
      <div class="untrusted completion-text" role="group" tabIndex={0} aria-label="Tokens; arrow keys read out their logprobs" onKeyDown={move}>
        {tokens.map(({ place, from, to }) => (
          <Token key={place} text={completion.text.slice(from, to)} logprob={completion.logprobs[place]} active={place === active} mark={within(completion.answerAt, from, to)} activate={() => setActive(place)} />
        ))}
      </div>
    </>
  );
}

const within = (span: Span | null, from: number, to: number): Span | null => span && { start: span.start - from, end: span.end - from < to - from ? span.end - from : to - from };

interface TokenProps {
  readonly text: string;
  readonly logprob: number | undefined;
  readonly active: boolean;
  readonly mark: Span | null;
  readonly activate: () => void;
}

function Token({ text, logprob, active, mark, activate }: TokenProps) {
  const shade = logprob === undefined ? 0 : SHADES.findIndex((limit) => logprob >= limit);
  return (
    <span class={`token shade-${shade < 0 ? SHADES.length - 1 : shade}${active ? " active" : ""}`} title={logprob === undefined ? "" : `logprob ${logprob.toFixed(4)}`} onMouseEnter={activate}>
      <RawText text={text} mark={mark} />
    </span>
  );
}
