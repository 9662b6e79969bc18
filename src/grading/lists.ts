import type { Answer } from "./answer.ts";
import { distinct } from "./compare.ts";
import { keyOf, leafOf } from "./leaf.ts";
import { intersect, region } from "./regions.ts";
import { cut, isSymbol, trimmed } from "./split.ts";
import type { Token } from "./tokens.ts";

export const MAX_ITEMS = 64;

type Read = (tokens: readonly Token[]) => Answer;
type Labelled = Answer & { readonly kind: "labelled" };
const isLabelled = (item: Answer): item is Labelled => item.kind === "labelled";

/** An answer with separators at the given positions. */
export function readSeparated(tokens: readonly Token[], separators: readonly number[], read: Read): Answer {
  const key = keyOf(tokens);
  const parts = cut(tokens, separators).filter((part) => trimmed(part).length > 0);
  if (parts.length > MAX_ITEMS) return { ...leafOf([]), key };
  const items = parts.map(read);
  if (items.length === 1) return items[0]!;
  const [separator] = separators;
  const list = readList(items, connectiveOf(tokens, separators), key);
  if (list === null) return { ...leafOf([]), key };
  if (separators.length > 1 || !isTightComma(tokens, separator!) || (list.kind !== "collection" && !isLabelled(list))) return list;
  return { ...list, decimal: () => read(withDecimalPoint(tokens, separator!)) };
}

/** Whether a comma stands between two whole numbers without a space, as in 3,14. */
function isTightComma(tokens: readonly Token[], at: number): boolean {
  const [before, comma, after] = [tokens[at - 1], tokens[at], tokens[at + 1]];
  if (before?.kind !== "number" || after?.kind !== "number" || !isSymbol(comma, ",") || comma!.spaced || after.spaced) return false;
  return /^\d+$/.test(before.value) && /^\d+$/.test(after.value) && before.repeating === null;
}

export const hasTightComma = (tokens: readonly Token[]): boolean => tokens.some((_, at) => isTightComma(tokens, at));

function withDecimalPoint(tokens: readonly Token[], at: number): readonly Token[] {
  const [whole, digits] = [tokens[at - 1]!, tokens[at + 1]!];
  return [...tokens.slice(0, at - 1), { ...digits, value: `${whole.value}.${digits.value}`, spaced: whole.spaced }, ...tokens.slice(at + 2)];
}

/** How the items hold together: all of them, any of them, as their kind suggests (`list`), or unclear. */
type Connective = "all" | "any" | "list" | "unclear";

function connectiveOf(tokens: readonly Token[], separators: readonly number[]): Connective {
  const signs = new Set(separators.map((at) => tokens[at]!.value));
  if (signs.has("∧")) return signs.size === 1 ? "all" : "unclear";
  if (!signs.has("∨")) return "list";
  // "a, b or c" is any of the three; "a or b, c" may be anything.
  return tokens[separators.at(-1)!]!.value === "∨" ? "any" : "unclear";
}

/**
 * Items side by side: a list, or conditions on one variable, or values of one variable or of several; `null`
 * for what is no list, such as p ∧ q.
 */
function readList(items: readonly Answer[], connective: Connective, key: string): Answer | null {
  const [first, ...rest] = items;
  const isInequality = (item: Answer): boolean => item.kind === "relation" || (isLabelled(item) && item.value.kind === "region");
  if (connective === "all" && !items.every((item) => isLabelled(item) || item.kind === "relation")) return null;
  if (connective === "any" && items.some((item) => item.kind === "relation" && item.operator !== "=")) return { kind: "sequence", key, brackets: "∨", items };
  if (connective === "unclear" && items.some(isInequality)) return null;
  if (!items.every(isLabelled)) {
    const isValues = first && isLabelled(first) && rest.every(({ kind }) => kind !== "labelled" && kind !== "relation" && kind !== "text");
    return isValues ? { kind: "labelled", key, label: first.label, value: collection([first.value, ...rest], true, key), equation: null } : collection(items, true, key);
  }
  const [{ label }] = items as [Labelled];
  const period = items.findIndex((item, index) => index > 0 && item.label === label);
  const isPeriodic = period > 0 && items.length % period === 0 && items.every((item, index) => item.label === items[index % period]!.label);
  if (!isPeriodic) return collection(items, true, key);
  if (period === 1) return { kind: "labelled", key, label, value: combined(items.map(({ value }) => value), connective, key), equation: null };
  return tuples(items, period, key);
}

/** x = 1, y = 2; x = 3, y = 4 is (x, y) = (1, 2), (3, 4). */
function tuples(items: readonly Labelled[], period: number, key: string): Answer {
  const names = items.slice(0, period).map((item) => item.label);
  const values = Array.from({ length: items.length / period }, (_, row): Answer => {
    const entries = items.slice(row * period, (row + 1) * period).map(({ value }) => value);
    return { kind: "sequence", key: `(${entries.map((entry) => entry.key).join(",")})`, brackets: "(", items: entries };
  });
  return { kind: "labelled", key, label: `(${names.join(",")})`, value: collection(values, true, key), equation: null };
}

/** Values or conditions of one variable. Conditions with commas hold together where they can, else they are alternatives. */
function combined(values: readonly Answer[], connective: Connective, key: string): Answer {
  const [first, ...rest] = values;
  if (first?.kind !== "region") return collection(values, true, key);
  let common: Answer = first;
  for (const next of rest) {
    if (next.kind !== "region" || common.kind !== "region") return collection(values, true, key);
    const both = intersect(common.pieces, next.pieces);
    if (both === null) return collection(values, true, key);
    common = connective === "all" || (both.length > 0 && connective !== "any") ? region(both, key) : region([...common.pieces, ...next.pieces], key);
  }
  return common;
}

/** A set or list; nested lists are one list, and a list of one is its item. */
export function collection(items: readonly Answer[], listed: boolean, key: string): Answer {
  const open = items.flatMap((item) => (item.kind === "collection" && item.listed ? item.items : [item]));
  const flat = listed ? open : distinct(open);
  return flat.length === 1 ? flat[0]! : { kind: "collection", key, listed, items: flat };
}
