import katex from "katex";
import "katex/dist/katex.min.css";
import { useLayoutEffect, useRef } from "preact/hooks";
import { visible } from "./escape.ts";
import { splitMath } from "./split.ts";
import type { Piece } from "./split.ts";
import "./math.css";

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A longer text is shown as it is written: to typeset it would hold the page up. */
const LONGEST_TYPESET = 60_000;

/** Text that a model or a data set wrote, as text: what would not show is escaped, the span of the answer is marked. */
export function RawText({ text, mark = null }: { text: string; mark?: Span | null }) {
  if (mark === null || mark.end <= mark.start || mark.start >= text.length || mark.end <= 0) return <Visible text={text} />;
  const start = Math.max(0, mark.start);
  return (
    <>
      <Visible text={text.slice(0, start)} />
      <mark>
        <Visible text={text.slice(start, mark.end)} />
      </mark>
      <Visible text={text.slice(mark.end)} />
    </>
  );
}

/** The same with its mathematics typeset. Where KaTeX can't, the source stands as text. */
export function MathText({ text, mark = null }: { text: string; mark?: Span | null }) {
  if (text.length > LONGEST_TYPESET) return <RawText text={text} mark={mark} />;
  return (
    <>
      {splitMath(text).map((piece) => (
        <PieceView key={piece.start} piece={piece} mark={mark} text={text} />
      ))}
    </>
  );
}

function PieceView({ piece, mark, text }: { piece: Piece; mark: Span | null; text: string }) {
  if (piece.kind === "plain")
    return <RawText text={piece.source} mark={mark && { start: mark.start - piece.start, end: mark.end - piece.start }} />;
  const math = <Formula source={piece.source} raw={text.slice(piece.start, piece.end)} display={piece.kind === "display"} />;
  const holdsAnswer = mark !== null && mark.start < piece.end && mark.end > piece.start;
  return holdsAnswer ? <mark>{math}</mark> : math;
}

/** Commands that KaTeX gives a style as an attribute, which the content policy forbids, as what looks much the same. */
const WITHOUT_STYLE = { "\\pmb": "\\boldsymbol{#1}", "\\fcolorbox": "\\textcolor{#1}{}\\colorbox{#2}{#3}" };

/** Commands that would link, load or write attributes. KaTeX refuses them, but drops what they were given; so the source stands. */
const NOT_TYPESET = /\\(?:href|url|html|includegraphics)/;

/** One formula. KaTeX builds nodes, not HTML in a string, and whatever it refuses is left as text. */
function Formula({ source, raw, display }: { source: string; raw: string; display: boolean }) {
  const place = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return;
    try {
      if (NOT_TYPESET.test(source)) throw new Error("left as it is written");
      const limits = { trust: false, strict: "ignore", maxSize: 10, maxExpand: 100, throwOnError: true } as const;
      katex.render(source, element, { ...limits, displayMode: display, macros: { ...WITHOUT_STYLE } });
    } catch {
      element.replaceChildren(...visible(raw).map(runNode));
    }
  }, [source, raw, display]);
  return <span ref={place} class={display ? "formula display" : "formula"} />;
}

function runNode({ text, escaped }: { text: string; escaped: boolean }): Node {
  if (!escaped) return document.createTextNode(text);
  const node = document.createElement("span");
  node.className = "escape";
  node.textContent = text;
  return node;
}

function Visible({ text }: { text: string }) {
  return (
    <>
      {visible(text).map((run, index) =>
        run.escaped ? (
          <span key={index} class="escape">
            {run.text}
          </span>
        ) : (
          run.text
        ),
      )}
    </>
  );
}
