/** A piece of a text: the content lies in [contentStart, contentEnd), delimiters included in [start, end). */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly content: string;
}

const BOX = /^\\(?:boxed|fbox)(?![A-Za-z])\s*/;
const MATH_ENVIRONMENT = /^\\(begin|end)\{(?:align|equation|gather|multline|eqnarray|displaymath)\*?\}/;

/**
 * The outermost `\boxed{...}` groups in order, matched by braces in one pass. A box that is never closed
 * was cut off, and one with nothing in it holds no answer; `\boxed 5` without braces holds the one token that TeX would box.
 */
export function boxedSpans(text: string): Span[] {
  const open: { start: number; contentStart: number; boxed: boolean }[] = [];
  const spans: Span[] = [];
  // Nothing before the first box matters: the braces around it were opened for good or closed again.
  for (let at = Math.max(0, firstBox(text)); at < text.length; at++) {
    const character = text[at];
    if (character === "\\") {
      const box = BOX.exec(text.slice(at, at + 24));
      const after = at + (box?.[0].length ?? 0);
      if (box && text[after] === "{") open.push({ start: at, contentStart: after + 1, boxed: true });
      else if (box) pushBareBox(text, at, after, spans);
      at = box && text[after] === "{" ? after : at + 1;
    } else if (character === "{") open.push({ start: at, contentStart: at + 1, boxed: false });
    else if (character === "}") {
      const group = open.pop();
      if (!group?.boxed) continue;
      const content = text.slice(group.contentStart, at);
      let inner: Span | undefined;
      while (spans.length > 0 && spans.at(-1)!.start > group.start) inner = spans.pop();
      const isDouble = inner !== undefined && content.trim() === text.slice(inner.start, inner.end);
      if (content.trim() !== "") spans.push({ start: group.start, end: at + 1, content: isDouble ? inner!.content : content });
    }
  }
  return spans;
}

function firstBox(text: string): number {
  const [boxed, framed] = [text.indexOf("\\boxed"), text.indexOf("\\fbox")];
  return boxed < 0 ? framed : framed < 0 ? boxed : Math.min(boxed, framed);
}

function pushBareBox(text: string, start: number, at: number, spans: Span[]): void {
  const token = /^(?:\d+|[A-Za-z])/.exec(text.slice(at, at + 24))?.[0];
  if (token !== undefined) spans.push({ start, end: at + token.length, content: token });
}

/** Mathematics in a text, in order: `$...$`, `$$...$$`, `\(...\)`, `\[...\]` and display environments. */
export function mathSpans(text: string): Span[] {
  const spans: Span[] = [];
  let open: { start: number; contentStart: number; closer: string } | null = null;
  for (let at = 0; at < text.length; ) {
    const delimiter = delimiterAt(text, at);
    if (delimiter === null) {
      at += text[at] === "\\" ? 2 : 1;
      continue;
    }
    const end = at + delimiter.length;
    if (open !== null && delimiter.kind === open.closer) {
      const content = text.slice(open.contentStart, at);
      // Two amounts of money in one sentence look like a formula; words between them tell.
      if (open.closer === "$" && isProse(content)) open = { start: at, contentStart: end, closer: "$" };
      else {
        if (content.trim() !== "") spans.push({ start: open.start, end, content });
        open = null;
      }
    } else if (open === null && delimiter.opens !== null) open = { start: at, contentStart: end, closer: delimiter.opens };
    at = end;
  }
  return spans;
}

/** A delimiter of mathematics: its kind as a closer, and the kind that would close it. */
function delimiterAt(text: string, at: number): { kind: string; opens: string | null; length: number } | null {
  if (text[at] === "$") {
    const kind = text[at + 1] === "$" ? "$$" : "$";
    return { kind, opens: kind, length: kind.length };
  }
  if (text[at] !== "\\") return null;
  const next = text[at + 1];
  if (next === "(") return { kind: "\\(", opens: "\\)", length: 2 };
  if (next === "[") return { kind: "\\[", opens: "\\]", length: 2 };
  if (next === ")" || next === "]") return { kind: `\\${next}`, opens: null, length: 2 };
  if (next !== "b" && next !== "e") return null;
  const environment = MATH_ENVIRONMENT.exec(text.slice(at, at + 24));
  if (!environment) return null;
  return { kind: environment[1]!, opens: environment[1] === "begin" ? "end" : null, length: environment[0].length };
}

function isProse(content: string): boolean {
  if (content.length > 400) return true;
  return /(?:^|[\s\d])[a-z]{2,20}\s+[a-z]{2,20}(?:\s|$)/i.test(content.replace(/\\[a-z]+(?:\{[^{}]*\})?/gi, " "));
}

/**
 * The last group of spans, its contents joined by commas or "or": spans with nothing between them but
 * delimiters, commas and a few words that end in "and" or "or" are one answer in several parts.
 */
export function lastGroup(text: string, spans: readonly Span[]): string | null {
  const last = spans.at(-1);
  if (!last) return null;
  let joined = last.content.trim();
  let isRepeated = true;
  for (let index = spans.length - 2; index >= 0; index--) {
    const gap = text.slice(spans[index]!.end, spans[index + 1]!.start);
    if (!joins(gap)) break;
    const part = spans[index]!.content.trim();
    isRepeated &&= part === last.content.trim();
    joined = `${part}${OR.test(gap) ? " or " : ", "}${joined}`;
  }
  // A box repeated is one answer, not a list.
  return isRepeated ? last.content.trim() : joined;
}

const OR = /(?<!\p{L})(?:or|ou|o|oder|или)(?!\p{L})|或|または|もしくは|또는/iu;

function joins(gap: string): boolean {
  if (gap.length > 60 || /\n\s*\n/.test(gap)) return false;
  const words = gap
    .replace(/\\(?:text|mbox|textbf|mathrm|quad|qquad|[()[\],;!: ])/g, " ")
    .replace(/[${}~&\\]/g, " ")
    .trim()
    .toLowerCase();
  if (/^[,;、，]?$/.test(words)) return true;
  // "... and y_2 = \boxed{...}"
  if (/^(?:,?(?:and|or)|,)\s+[a-z]\w{0,4}\s*=$/.test(words)) return true;
  const list = words.split(/\s+/);
  return list.length <= 4 && !/[.!?:=]/.test(words) && /^(?:,?(?:and|or|和|或|或者|または|もしくは|および|及び|et|ou|y|o|und|oder|и|или|및|또는)|.*,)$/.test(list.at(-1)!);
}
