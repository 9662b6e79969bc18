import { ALIASES, asciiDigits, IGNORED, SYMBOLS, TEXT_COMMANDS, UNWRAPPED, WORDS } from "./spellings.ts";
import { isUnitWord } from "./units.ts";

export interface Token {
  /**
   * `number` a numeral without grouping; `letter` one letter; `command` a LaTeX command or named function,
   * without its backslash; `symbol` an operator or bracket; `text` words; `environment` `begin:name` or `end:name`.
   */
  readonly kind: "number" | "letter" | "command" | "symbol" | "text" | "environment";
  readonly value: string;
  /** Whether white space precedes it. */
  readonly spaced: boolean;
  /** Digits of a repeating decimal after those of `value`: 0.1\overline{6} is `0.1` and `6`. */
  readonly repeating: string | null;
}

/** Longer answers are compared as strings only. */
const MAX_TOKENS = 600;
const MAX_LEVEL = 12;

const NUMERAL = /(?:\d+(?:(?:\s?\{,\s?\}\s?|\\[,!: ]|,\\[!,;: ]\s?)\d{3}(?!\d))*|(?=\.\d))(?:(?:\.|\{\.\})\d+)?/y;
const PLAIN_GROUPS = /(?:,\d{3}(?!\d))+(?:\.\d+)?|(?: \d{3}(?![\d/]))+(?:\.\d+)?/y;
/** 3{,}14 and 0{,}125, whose comma groups no thousands. */
const DECIMAL_BRACES = /\s?\{,\}\s?(\d+)/y;
const REPEATING = /\s*(?:\\overline|\\bar|\\dot)\s*\{(\d{1,30})\}/y;
const COMMAND = /\\(?:[A-Za-z]+\*?|[^A-Za-z])/y;
/** Commands that are often run into the letters after them, as in \quadx and \pmx, and end where they are known. */
const RUN_ON = /^(?:q?quad(?=[A-Za-z])|(?:pm|mp|cdot|times|div|leq|geq|neq)(?=[A-Za-z]$)(?!b$|q$))/;
const EXPONENT = /[eE][-+]?\d{1,4}(?![A-Za-z\d])/y;
const FOREIGN = /[\p{L}\p{M}]{1,60}/uy;
const DOTS = /\.+/y;
const LETTERS = /[A-Za-z]+/y;
/** Units such as m/s and m/s^2, whose letters are no variables. */
const QUOTIENT_UNIT = /^[A-Za-z]{1,3}\s?\/\s?[A-Za-z]{1,3}(?:\^?\{?[23²³]\}?)?$/;
const TRIM = /^[\s.,;:]+|(?<![\s.;:])[\s.;:]{1,40}$/g;

/** Tokens of an answer in one pass; `null` when it is too long. All typesettings of one thing give one token. */
export function tokenize(text: string, level = 0): readonly Token[] | null {
  if (text.length > MAX_TOKENS * 8 || level > MAX_LEVEL) return null;
  const tokens: Token[] = [];
  const state: State = { text: unescape(asciiDigits(text)), at: 0, spaced: false, depth: 0, singles: [0], tokens, level };
  while (state.at < state.text.length) {
    step(state);
    if (tokens.length > MAX_TOKENS) return null;
  }
  return tokens;
}

interface State {
  readonly text: string;
  at: number;
  spaced: boolean;
  /** Brackets that are open: inside them a comma separates. */
  depth: number;
  /** For each open brace, how many arguments of \frac still take a single digit. */
  readonly singles: number[];
  readonly tokens: Token[];
  /** Arguments of \boxed, \text and the like that the text lies in. */
  readonly level: number;
}

/** Some writers double every backslash; in a matrix that would be the end of a row. */
function unescape(text: string): string {
  return text.includes("\\\\") && !text.includes("\\begin") ? text.replace(/\\\\(?=[A-Za-z])/g, "\\") : text;
}

function step(state: State): void {
  const { text, at } = state;
  const character = text[at]!;
  if (character === " " || character === "\n" || character === "\t" || character === "$" || character === "~" || character === "\r") {
    state.at += 1;
    state.spaced = true;
    return;
  }
  if (text.startsWith("..", at)) {
    state.at += matchAt(DOTS, text, at)![0].length;
    push(state, "command", "ldots");
  } else if (text.startsWith("=/=", at)) {
    state.at += 3;
    push(state, "symbol", "≠");
  } else if (isPower(state)) {
    state.at += 2;
    push(state, "symbol", "^");
  } else if ((character >= "0" && character <= "9") || (character === "." && /\d/.test(text[at + 1] ?? ""))) numeral(state);
  else if (character === "\\") command(state);
  else if (/[A-Za-z]/.test(character)) letters(state);
  else {
    state.at += 1;
    if (character === "=" && mergesWithEquals(state)) return;
    const spelled = SYMBOLS.get(character);
    if (spelled !== undefined) for (const part of spelled) push(state, part.startsWith("\\") ? "command" : "symbol", part.replace("\\", ""));
    else if (/\p{L}/u.test(character)) foreignWord(state);
    else if (character !== "." && character !== "`") push(state, "symbol", character);
  }
}

/** `**` after a base is a power; around a value it is Markdown's bold type. */
function isPower({ text, at, tokens, spaced }: State): boolean {
  const base = tokens.at(-1);
  if (!base || !text.startsWith("**", at) || spaced !== (text[at + 2] === " ")) return false;
  return (base.kind === "number" || base.kind === "letter" || base.value === ")" || base.value === "}") && /^ ?[\w(+\\-]/.test(text.slice(at + 2, at + 4));
}

/** Plain-text comparisons: `<=`, `>=` and ` !=`; without a space before it, `5!=120` has a factorial. */
function mergesWithEquals({ tokens, spaced }: State): boolean {
  const before = tokens.at(-1);
  const merged = before?.value === "<" ? "≤" : before?.value === ">" ? "≥" : before?.value === "!" && before.spaced ? "≠" : null;
  if (!before || merged === null || spaced) return false;
  tokens[tokens.length - 1] = { ...before, value: merged };
  return true;
}

function push(state: State, kind: Token["kind"], value: string, repeating: string | null = null): void {
  const { singles, spaced } = state;
  state.tokens.push({ kind, value, spaced, repeating });
  state.spaced = false;
  if (value === "(" || value === "[" || (value === "{" && kind === "command")) state.depth += 1;
  else if (value === ")" || value === "]" || (value === "}" && kind === "command")) state.depth -= 1;
  else if (value === "{" && kind === "symbol") singles.push(0);
  else if (value === "}" && kind === "symbol") {
    if (singles.length > 1) singles.pop();
    consumeArgument(state);
  } else if (value === "frac" || value === "binom") singles[singles.length - 1] = 2;
}

function consumeArgument({ singles }: State): void {
  const last = singles.length - 1;
  if (singles[last]! > 0) singles[last] = singles[last]! - 1;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function numeral(state: State): void {
  const { text, at, singles } = state;
  if (singles.at(-1)! > 0 && text[at] !== ".") {
    // \frac12 is one half: each argument without braces is one digit.
    state.at += 1;
    push(state, "number", text[at]!);
    consumeArgument(state);
    return;
  }
  let written = matchAt(NUMERAL, text, at)![0];
  if (/^0\D/.test(written) && !written.includes(".")) written = "0";
  if (state.depth === 0 && /^[1-9]\d{0,2}$/.test(written)) written += matchAt(PLAIN_GROUPS, text, at + written.length)?.[0] ?? "";
  const decimals = written.includes(".") ? null : matchAt(DECIMAL_BRACES, text, at + written.length);
  state.at = at + written.length + (decimals?.[0].length ?? 0);
  const digits = written.replace(/[^\d.]/g, "") + (decimals ? `.${decimals[1]!}` : "");
  if (scientific(state, digits)) return;
  const point = /\.\s*$/.test(text.slice(state.at, state.at + 1)) && !digits.includes(".") ? 1 : 0;
  const repeating = matchAt(REPEATING, text, state.at + point);
  if (repeating && (point === 1 || digits.includes("."))) {
    state.at += point + repeating[0].length;
    push(state, "number", digits, repeating[1]);
  } else push(state, "number", digits);
}

/** 1.5e-3 and 2E5. Without point or plus sign `2e-3` is the number e. */
function scientific(state: State, digits: string): boolean {
  const written = matchAt(EXPONENT, state.text, state.at)?.[0];
  if (written === undefined || (!digits.includes(".") && /^e-/.test(written))) return false;
  state.at += written.length;
  push(state, "number", digits);
  push(state, "symbol", "*");
  push(state, "number", "10");
  push(state, "symbol", "^");
  if (written[1] === "-") push(state, "symbol", "-");
  push(state, "number", written.replace(/\D/g, ""));
  return true;
}

function letters(state: State): void {
  const run = matchAt(LETTERS, state.text, state.at)![0];
  state.at += run.length;
  const word = WORDS.get(run) ?? WORDS.get(run.toLowerCase());
  if (run.length > 1 && word !== undefined) push(state, word.startsWith("\\") ? "command" : "symbol", word.replace("\\", ""));
  else if (isUnit(state, run)) push(state, "text", run.toLowerCase());
  else for (const letter of run) push(state, "letter", letter);
}

/** Words outside `\text{}` that name what is counted: units, words after a value as in `4 apples`, and words after those. */
function isUnit({ text, tokens, spaced }: State, run: string): boolean {
  const before = tokens.at(-1);
  if (isUnitWord(run)) return before !== undefined || text.trim() === run;
  if (!spaced || !before) return false;
  if (before.kind === "text") return run.length > 1;
  return run.length >= 4 && /[aeiouy]/i.test(run) && (before.kind === "number" || before.value === "}");
}

/** Letters of other alphabets are words, such as a unit. */
function foreignWord(state: State): void {
  const run = matchAt(FOREIGN, state.text, state.at - 1)?.[0] ?? "";
  state.at += Math.max(0, run.length - 1);
  push(state, "text", run.toLowerCase());
}

function command(state: State): void {
  const written = matchAt(COMMAND, state.text, state.at)?.[0] ?? "\\";
  const name = RUN_ON.exec(written.slice(1))?.[0] ?? written.slice(1).replace(/\*$/, "");
  state.at += written.at(-1) === "*" ? written.length : name.length + 1;
  if (name === "") return;
  if (IGNORED.has(name)) {
    if ((name === "left" || name === "right") && state.text[state.at] === ".") state.at += 1;
    state.spaced = true;
  } else if (TEXT_COMMANDS.has(name)) words(state, braces(state));
  else if (UNWRAPPED.has(name)) unwrap(state);
  else if (name === "begin" || name === "end") environment(state, name);
  else if (name === "mathbb" || name === "Bbb") push(state, "command", `mathbb{${braces(state)}}`);
  else if (name === "\\") push(state, "symbol", "\\\\");
  else {
    const alias = ALIASES.get(name) ?? (name.length === 1 ? name : `\\${name}`);
    push(state, alias.startsWith("\\") ? "command" : "symbol", alias.replace("\\", ""));
  }
}

/** `\boxed{...}`, `\mathbf{...}` and the like are their content. */
function unwrap(state: State): void {
  const content = braces(state);
  if (content === "") return;
  const inner = content.length === 1 && /[A-Za-z]/.test(content) ? [{ kind: "letter" as const, value: content, spaced: state.spaced, repeating: null }] : tokenize(content, state.level + 1);
  state.tokens.push(...(inner ?? []));
  consumeArgument(state);
}

function environment(state: State, edge: "begin" | "end"): void {
  const name = braces(state).replace(/\*$/, "");
  if (/matrix$|^array$/.test(name)) {
    if (name === "array" && edge === "begin") braces(state);
    push(state, "environment", `${edge}:${name === "vmatrix" || name === "cases" ? name : "matrix"}`);
  } else if (name === "cases") push(state, "environment", `${edge}:cases`);
}

/** The content of the braces that start here, or the one letter or digit; "" where there is neither. */
function braces(state: State): string {
  const { text } = state;
  let start = state.at;
  while (text[start] === " ") start += 1;
  if (text[start] !== "{") {
    if (!/[A-Za-z0-9]/.test(text[start] ?? "")) return "";
    state.at = start + 1;
    return text[start]!;
  }
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "{") depth += 1;
    else if (text[at] === "}" && --depth === 0) {
      state.at = at + 1;
      return text.slice(start + 1, at);
    }
  }
  state.at = text.length;
  return text.slice(start + 1);
}

/** `5\text{ m}` has a unit, `\text{(B)}`, `2\mathrm{e}` and `2\mathrm{i}` don't. */
function isLetterUnit({ tokens }: State, content: string, letter: string): boolean {
  const before = tokens.at(-1);
  if (!before || letter === "e" || letter === "i" || content.includes("(")) return false;
  return before.kind === "number" || (before.value === "}" && content.startsWith(" "));
}

/** Items of a list within `\text{...}`; `false`, with nothing read, where there is no list. */
function listed(state: State, content: string): boolean {
  const pieces = content.split(/(,|\b(?:and|or)\b)/);
  const items = pieces.filter((piece, index) => index % 2 === 0 && piece.trim() !== "");
  if (items.length < 2 || items.length >= 20) return false;
  let isAlternative = false;
  let count = 0;
  for (const [index, piece] of pieces.entries()) {
    if (index % 2 === 1) isAlternative ||= piece === "or";
    else if (piece.trim() !== "") {
      if (count > 0) push(state, "symbol", isAlternative ? "∨" : ",");
      words(state, piece);
      isAlternative = false;
      count += 1;
    }
  }
  return true;
}

/** The content of `\text{...}`: a connective, a letter, a function's name, mathematics, or words. */
function words(state: State, content: string): void {
  if (!content.includes("$") && listed(state, content)) return;
  const trimmed = content.replace(TRIM, "").trim();
  const lower = trimmed.toLowerCase();
  const letter = /^[A-Za-z]$/.exec(trimmed)?.[0];
  const known = WORDS.get(lower);
  if (QUOTIENT_UNIT.test(trimmed) && state.tokens.length > 0) push(state, "text", lower.replace(/\s/g, ""));
  else if (letter !== undefined) push(state, isLetterUnit(state, content, letter) ? "text" : "letter", letter);
  else if (known !== undefined) push(state, known.startsWith("\\") ? "command" : "symbol", known.replace("\\", ""));
  else if (trimmed === "") {
    if (content.includes(",")) push(state, "symbol", ",");
    else state.spaced = true;
  } else if (/\$/.test(content) || !/\p{L}{2}/u.test(content)) state.tokens.push(...(content.includes("\\text") ? [] : (tokenize(content, state.level + 1) ?? [])));
  else push(state, "text", lower.replace(/\s+/g, " "));
}
