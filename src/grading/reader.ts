import type { Token } from "./tokens.ts";

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
