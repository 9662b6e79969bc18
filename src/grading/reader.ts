import type { Expression } from "./expression.ts";
import type { Token } from "./tokens.ts";

/** The rules that need one another. They meet in the reader, so that their files don't import in a circle. */
export interface Grammar {
  readonly whole: Rule;
  readonly sum: Rule;
  readonly product: Rule;
  readonly factor: Rule;
  readonly argument: Rule;
}
export type Rule = (reader: Reader) => Expression;

/** A place in the tokens of one formula. */
export interface Reader {
  readonly tokens: readonly Token[];
  at: number;
  readonly end: number;
  /** Brackets that are open around the reader. */
  depth: number;
  /** Bars of absolute values that are open in the innermost bracket. */
  bars: number;
  /** Base of a `\log` without one: e (as in computer algebra) or 10 (as in schools). */
  readonly logBase: "e" | "10";
  readonly grammar: Grammar;
}

const MAX_DEPTH = 60;
/** Raised where the tokens are no formula. It never leaves `parseExpression`. */
export const UNREADABLE = new Error("not a formula");

export function unreadable(): never {
  throw UNREADABLE;
}

export const peek = ({ tokens, at, end }: Reader): Token | null => (at < end ? tokens[at]! : null);
export const sees = (reader: Reader, value: string, kind: Token["kind"] = "symbol"): boolean => {
  const token = peek(reader);
  return token !== null && token.value === value && token.kind === kind;
};

export function expect(reader: Reader, value: string, kind: Token["kind"] = "symbol"): void {
  if (!sees(reader, value, kind)) unreadable();
  reader.at += 1;
}

/** Reads inside a bracket: one level deeper, with bars of its own. */
export function nested<T>(reader: Reader, read: () => T): T {
  if (reader.depth >= MAX_DEPTH) unreadable();
  const { bars } = reader;
  reader.depth += 1;
  reader.bars = 0;
  const result = read();
  reader.depth -= 1;
  reader.bars = bars;
  return result;
}

/** A formula in brackets. */
export function readGroup(reader: Reader, open: string, close: string, kind: "symbol" | "command"): Expression {
  expect(reader, open, kind);
  const inner = nested(reader, () => reader.grammar.whole(reader));
  expect(reader, close, kind);
  return inner;
}

/** The formula that some other tokens write, all of them. */
export function readTokens(reader: Reader, tokens: readonly Token[]): Expression {
  const inner: Reader = { ...reader, tokens, at: 0, end: tokens.length, bars: 0 };
  const expression = nested(inner, () => reader.grammar.whole(inner));
  return inner.at === inner.end ? expression : unreadable();
}
