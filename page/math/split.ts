/** Where mathematics stands in a text of LaTeX in prose. Pure: it reads the text and builds nothing. */

export interface Piece {
  /** `inline` and `display` are typeset, `plain` is shown as it is. */
  readonly kind: "plain" | "inline" | "display";
  /** Place in the text, with the delimiters. */
  readonly start: number;
  readonly end: number;
  /** What is to be typeset, without its delimiters; of plain text, the text. */
  readonly source: string;
}

/** A longer piece of mathematics stays plain text, and so does all that follows so many pieces. */
const LONGEST_MATH = 2000;
const MOST_PIECES = 300;

const DELIMITERS = [
  { open: "$$", close: "$$", kind: "display" },
  { open: "\\[", close: "\\]", kind: "display" },
  { open: "\\(", close: "\\)", kind: "inline" },
  { open: "$", close: "$", kind: "inline" },
] as const;

/**
 * The text as pieces in order that cover it all. Mathematics is `$…$`, `$$…$$`, `\(…\)`, `\[…\]` and `\boxed{…}`.
 * A `$` of money opens nothing: inside, `$…$` neither begins nor ends with a space and has no empty line, and no
 * digit follows it.
 */
export function splitMath(text: string): Piece[] {
  const pieces: Piece[] = [];
  let plainFrom = 0;
  const openers = /\\[\s\S]|\$\$?/g;
  for (let match = openers.exec(text); match !== null && pieces.length < MOST_PIECES; match = openers.exec(text)) {
    const piece = mathAt(text, match.index);
    if (piece === null) continue;
    if (piece.start > plainFrom) pieces.push(plain(text, plainFrom, piece.start));
    pieces.push(piece);
    plainFrom = piece.end;
    openers.lastIndex = piece.end;
  }
  if (plainFrom < text.length) pieces.push(plain(text, plainFrom, text.length));
  return pieces;
}

const plain = (text: string, start: number, end: number): Piece => ({ kind: "plain", start, end, source: text.slice(start, end) });

function mathAt(text: string, start: number): Piece | null {
  if (text.startsWith("\\boxed{", start)) {
    const end = closingBrace(text, start + "\\boxed".length);
    return end === null ? null : { kind: "inline", start, end, source: text.slice(start, end) };
  }
  const delimiter = DELIMITERS.find(({ open }) => text.startsWith(open, start));
  if (delimiter === undefined) return null;
  const from = start + delimiter.open.length;
  const reach = text.slice(from, from + LONGEST_MATH + delimiter.close.length);
  const length = closing(reach, delimiter.close);
  if (length <= 0) return null;
  const source = reach.slice(0, length);
  const end = from + length + delimiter.close.length;
  if (delimiter.open === "$" && (/^\s|\s$|\n\s*\n/.test(source) || /\d/.test(text.charAt(end)))) return null;
  return { kind: delimiter.kind, start, end, source };
}

/** Place of the first `close` that no backslash escapes; -1: none. */
function closing(text: string, close: string): number {
  for (let at = 0; at < text.length; at++) {
    if (text.startsWith(close, at)) return at;
    if (text[at] === "\\") at++;
  }
  return -1;
}

/** The place after the brace that closes the one at `open`; `null` where none does within reach. */
function closingBrace(text: string, open: number): number | null {
  let depth = 0;
  const last = Math.min(text.length, open + LONGEST_MATH);
  for (let at = open; at < last; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "{") depth++;
    else if (text[at] === "}" && --depth === 0) return at + 1;
  }
  return null;
}
