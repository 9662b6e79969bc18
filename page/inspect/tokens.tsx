import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { InspectedCompletion } from "../../src/watch/protocol.ts";
import { RawText } from "../math/index.tsx";
import type { Span } from "../math/index.tsx";

/** Logprobs below which a deeper shade begins. */
const LIMITS = [-0.05, -0.5, -1, -2] as const;

/** What the shades mean. */
export function ShadeLegend() {
  return (
    <p class="legend">
      logprob of a token:
      <span>
        {["sure", ...LIMITS.map((limit) => `below ${limit}`)].map((said, shade) => (
          <span key={said} class={`shade-key shade-${shade}`}>
            {said}
          </span>
        ))}
      </span>
    </p>
  );
}

interface TokensProps {
  readonly completion: InspectedCompletion;
  readonly ends: readonly number[];
  /** Part of the text that is shown. */
  readonly start: number;
  readonly end: number;
}

/** The tokens between two places, each shaded by its logprob; hovering or the arrow keys read one out. */
export function Tokens({ completion, ends, start, end }: TokensProps) {
  const { text, logprobs, answerAt } = completion;
  const tokens = useMemo(() => tokensBetween(ends, start, end), [ends, start, end]);
  const [active, setActive] = useState<number | null>(null);
  const box = useRef<HTMLDivElement>(null);
  // Elements that stay the same are not looked at again: to move from token to token takes no time in a long text.
  const shown = useMemo(
    () => tokens.map(({ place, from, to }, at) => <Token key={place} at={at} text={text.slice(from, to)} logprob={logprobs[place]} mark={within(answerAt, from, to)} />),
    [tokens, completion],
  );
  useLayoutEffect(() => setActive(null), [tokens]);
  useLayoutEffect(() => {
    const element = active === null ? null : box.current?.children[active];
    element?.classList.add("active");
    return () => element?.classList.remove("active");
  }, [active, shown]);
  const go = (at: number): void => {
    setActive(at);
    box.current?.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined || tokens.length === 0) return;
    event.preventDefault();
    go(active === null ? 0 : Math.min(tokens.length - 1, Math.max(0, active + by)));
  };
  const onMouseOver = ({ target }: MouseEvent): void => {
    const at = target instanceof Element ? target.closest<HTMLElement>(".token")?.dataset["at"] : undefined;
    if (at !== undefined) setActive(Number(at));
  };
  const logprobAt = (at: number): number => logprobs[tokens[at]!.place] ?? 0;
  const leastLikely = (): number => tokens.reduce((least, _, at) => (logprobAt(at) < logprobAt(least) ? at : least), 0);
  const read = active === null ? undefined : tokens[active];
  return (
    <>
      <p class="legend">
        <button type="button" disabled={tokens.length === 0} onClick={() => go(leastLikely())}>
          least likely token
        </button>
        <output aria-live="polite">{read && `token ${read.place + 1}: logprob ${logprobs[read.place]?.toFixed(4) ?? "not recorded"}`}</output>
      </p>
      <div ref={box} class="untrusted completion-text" role="group" tabIndex={0} aria-label="Tokens; arrow keys read out their logprobs" onKeyDown={onKeyDown} onMouseOver={onMouseOver}>
        {shown}
      </div>
    </>
  );
}

/** The tokens with text between two places, each with the part of it that lies there. */
function tokensBetween(ends: readonly number[], start: number, end: number) {
  return ends
    .map((tokenEnd, place) => ({ place, from: Math.max(start, place === 0 ? 0 : ends[place - 1]!), to: Math.min(end, tokenEnd) }))
    .filter(({ from, to }) => from < to);
}

const within = (span: Span | null, from: number, to: number): Span | null => span && { start: span.start - from, end: Math.min(span.end, to) - from };

function Token({ at, text, logprob, mark }: { at: number; text: string; logprob: number | undefined; mark: Span | null }) {
  const shade = LIMITS.filter((limit) => logprob !== undefined && logprob < limit).length;
  return (
    <span class={`token shade-${shade}`} data-at={at} title={logprob === undefined ? "" : `logprob ${logprob.toFixed(4)}`}>
      <RawText text={text} mark={mark} />
    </span>
  );
}
