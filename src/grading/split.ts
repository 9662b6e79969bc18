import type { Token } from "./tokens.ts";

const isOpen = ({ kind, value }: Token): boolean =>
  (kind === "symbol" && (value === "(" || value === "[" || value === "{")) ||
  (kind === "command" && (value === "{" || value === "langle")) ||
  (kind === "environment" && value.startsWith("begin"));
const isClose = ({ kind, value }: Token): boolean =>
  (kind === "symbol" && (value === ")" || value === "]" || value === "}")) ||
  (kind === "command" && (value === "}" || value === "rangle")) ||
  (kind === "environment" && value.startsWith("end"));

/** Positions of the tokens outside all brackets that satisfy a test. */
export function positions(tokens: readonly Token[], test: (token: Token) => boolean): number[] {
  const found: number[] = [];
  let depth = 0;
  tokens.forEach((token, index) => {
    if (isOpen(token)) depth += 1;
    else if (isClose(token)) depth = Math.max(0, depth - 1);
    else if (depth === 0 && test(token)) found.push(index);
  });
  return found;
}

/** Which tokens of interest lie outside all brackets, found in one pass. */
export interface TopLevel {
  readonly separators: number[];
  readonly relations: number[];
  readonly arrows: number[];
  readonly setOperators: number[];
  readonly colons: number[];
}

const KINDS: ReadonlyMap<string, keyof TopLevel> = new Map([
  [",", "separators"], [";", "separators"], ["∧", "separators"], ["∨", "separators"], [":", "colons"], ["∪", "setOperators"], ["∩", "setOperators"],
  ...["=", "≈", "≠", "<", ">", "≤", "≥", "∈"].map((sign) => [sign, "relations"] as const),
]);

export function topLevel(tokens: readonly Token[]): TopLevel {
  const found: TopLevel = { separators: [], relations: [], arrows: [], setOperators: [], colons: [] };
  let depth = 0;
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index]!;
    if (token.kind === "number" || token.kind === "letter") continue;
    if (isOpen(token)) depth += 1;
    else if (isClose(token)) depth = Math.max(0, depth - 1);
    else if (depth === 0 && token.kind === "symbol") {
      const kind = KINDS.get(token.value);
      if (kind) found[kind].push(index);
    } else if (depth === 0 && isCommand(token, "implies")) found.arrows.push(index);
    else if (depth === 0 && isCommand(token, "setminus")) found.setOperators.push(index);
  }
  return found;
}

/** The pieces between the tokens outside all brackets that satisfy a test. */
export function split(tokens: readonly Token[], test: (token: Token) => boolean): (readonly Token[])[] {
  return cut(tokens, positions(tokens, test));
}

/** The pieces between given positions. */
export function cut(tokens: readonly Token[], at: readonly number[]): (readonly Token[])[] {
  if (at.length === 0) return [tokens];
  return [...at, tokens.length].map((end, index) => tokens.slice(index === 0 ? 0 : at[index - 1]! + 1, end));
}

/** Position of the bracket that closes the one at `start`; -1 where there is none. */
export function closingOf(tokens: readonly Token[], start: number): number {
  let depth = 0;
  for (let index = start; index < tokens.length; index++) {
    if (isOpen(tokens[index]!)) depth += 1;
    else if (isClose(tokens[index]!)) depth -= 1;
    if (depth === 0) return index === start ? -1 : index;
  }
  return -1;
}

/** Whether the first token opens a bracket that the last token closes. */
export const isOneGroup = (tokens: readonly Token[]): boolean => tokens.length > 1 && closingOf(tokens, 0) === tokens.length - 1;

export const isSymbol = (token: Token | undefined, ...values: readonly string[]): boolean =>
  token?.kind === "symbol" && values.includes(token.value);
export const isCommand = (token: Token | undefined, ...values: readonly string[]): boolean =>
  token?.kind === "command" && values.includes(token.value);

/** The tokens without separators at either end. */
export function trimmed(tokens: readonly Token[]): readonly Token[] {
  let [start, end] = [0, tokens.length];
  while (start < end && (isSymbol(tokens[start], ",", ";", "∧", "∨", ":", "=", "≈", "*", "&", "\\\\") || isCommand(tokens[start], "implies", "to", "therefore"))) start += 1;
  while (end > start && isSymbol(tokens[end - 1], ",", ";", "∧", "∨", ":", "=", "*", "&", "\\\\", "?", "#")) end -= 1;
  return start === 0 && end === tokens.length ? tokens : tokens.slice(start, end);
}
