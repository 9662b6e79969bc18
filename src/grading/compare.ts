import type { Answer, Leaf, Piece } from "./answer.ts";
import { leafFrom, ratioOf, realValue, roundsTo, sameLeaf, sameWhereReal } from "./leaf.ts";
import { quotient } from "./expression.ts";
import type { Expression } from "./expression.ts";
import { POLICIES } from "./policies.ts";
import type { PolicyName } from "./policies.ts";
import { interval, region } from "./regions.ts";

/**
 * Whether two answers are equal without any policy. This is an equivalence: reflexive, symmetric, and
 * transitive as far as probes decide.
 */
export function identical(a: Answer, b: Answer): boolean {
  if (a.key === b.key) return true;
  if (a.kind === "leaf") return b.kind === "leaf" && sameLeaf(a, b);
  switch (a.kind) {
    case "text":
      return false;
    case "sequence":
      return b.kind === "sequence" && a.brackets === b.brackets && (a.brackets === ":" ? proportional(a.items, b.items) : pairwise(a.items, b.items, identical));
    case "collection":
      if (b.kind === "labelled") return identical(b, a);
      return b.kind === "collection" && matches(a.items, b.items, identical);
    case "region":
      return b.kind === "region" && a.pieces.length === b.pieces.length && a.pieces.every((piece, index) => samePiece(piece, b.pieces[index]!, sameLeaf));
    case "matrix":
      return b.kind === "matrix" && a.rows.length === b.rows.length && a.rows.every((row, index) => pairwise(row, b.rows[index]!, identical));
    case "quantity":
      return b.kind === "quantity" && a.unit === b.unit && identical(a.value, b.value);
    case "labelled":
      if (b.kind === "labelled") return sameLabelled(a, b);
      if (b.kind === "collection") return b.items.length > 0 && matches(components(a), b.items, identical);
      return b.kind === "relation" && b.operator === "=" && sameEquation(a.equation?.() ?? null, b.difference);
    case "relation": {
      if (b.kind === "labelled") return identical(b, a);
      if (b.kind !== "relation" || a.operator !== b.operator) return false;
      const ratio = ratioOf(a.difference, b.difference);
      return ratio !== null && (ratio > 0 || a.operator === "=" || a.operator === "≠");
    }
  }
}

type Labelled = Answer & { readonly kind: "labelled" };

/** x = 2y and y = x/2 are one equation; x = 3 and x = 4 need no look at theirs. */
function sameLabelled(a: Labelled, b: Labelled): boolean {
  if (a.label === b.label && identical(a.value, b.value)) return true;
  const isConstant = (value: Answer): boolean => value.kind !== "leaf" || value.variables.size === 0;
  if (isConstant(a.value) || isConstant(b.value)) return false;
  return sameEquation(a.equation?.() ?? null, b.equation?.() ?? null);
}

/** (x, y) = (3, 4) is x = 3, y = 4. */
function components({ key, label, value }: Labelled): readonly Answer[] {
  const names = label.startsWith("(") ? label.slice(1, -1).split(/[,;]/) : [];
  if (value.kind !== "sequence" || names.length !== value.items.length) return [];
  return value.items.map((item, index) => ({ kind: "labelled", key: `${key}@${index}`, label: names[index]!, value: item, equation: null }));
}

const sameEquation = (a: Leaf | null, b: Leaf | null): boolean => a !== null && b !== null && ratioOf(a, b) !== null;

function pairwise<T>(a: readonly T[], b: readonly T[], same: (left: T, right: T) => boolean): boolean {
  return a.length === b.length && a.every((item, index) => same(item, b[index]!));
}

/** Ratios are equal when one is a multiple of the other. */
function proportional(a: readonly Answer[], b: readonly Answer[]): boolean {
  const [first, other] = [a[0], b[0]];
  if (a.length !== b.length || first?.kind !== "leaf" || other?.kind !== "leaf" || !first.expression || !other.expression) return false;
  const scaled = (items: readonly Answer[], by: Leaf): (Leaf | null)[] =>
    items.map((item) => (item.kind === "leaf" && item.expression && by.expression ? leafFrom(`${item.key}/(${by.key})`, quotient(item.expression, by.expression)) : null));
  return pairwise(scaled(a, first), scaled(b, other), (left, right) => left !== null && right !== null && sameLeaf(left, right));
}

/** The items of a set, each once. */
export function distinct(items: readonly Answer[]): readonly Answer[] {
  const kept: Answer[] = [];
  for (const item of items) if (!kept.some((other) => identical(item, other))) kept.push(item);
  return kept;
}

/** The items of both lists without those that are spelled the same in the other. */
function unpaired(a: readonly Answer[], b: readonly Answer[]): [readonly Answer[], readonly Answer[]] {
  const counts = new Map<string, number>();
  for (const { key } of b) counts.set(key, (counts.get(key) ?? 0) + 1);
  const paired = new Map<string, number>();
  const left = a.filter(({ key }) => {
    const count = counts.get(key) ?? 0;
    if (count === 0) return true;
    counts.set(key, count - 1);
    paired.set(key, (paired.get(key) ?? 0) + 1);
    return false;
  });
  const right = b.filter(({ key }) => {
    const count = paired.get(key) ?? 0;
    paired.set(key, count - 1);
    return count <= 0;
  });
  return [left, right];
}

/** Whether the items can be paired off, in any order: augmenting paths (Kuhn 1955). */
function matches(all: readonly Answer[], others: readonly Answer[], same: (left: Answer, right: Answer) => boolean): boolean {
  if (all.length !== others.length) return false;
  const [a, b] = unpaired(all, others);
  const partner = new Map<number, number>();
  const place = (left: number, tried: Set<number>): boolean =>
    b.some((item, right) => {
      if (tried.has(right) || !same(a[left]!, item)) return false;
      tried.add(right);
      const taken = partner.get(right);
      if (taken !== undefined && !place(taken, tried)) return false;
      partner.set(right, left);
      return true;
    });
  return a.every((_, left) => place(left, new Set()));
}

function samePiece(a: Piece, b: Piece, same: (left: Leaf, right: Leaf) => boolean): boolean {
  return a.lowClosed === b.lowClosed && a.highClosed === b.highClosed && same(a.low, b.low) && same(a.high, b.high);
}

/** A policy that made two answers equal, and the side that it leaves open. */
export interface Decision {
  readonly policy: PolicyName;
  readonly open: "left" | "right";
}

const NONE_USED: ReadonlySet<PolicyName> = new Set();

type Side = "left" | "right";
const opposite = (side: Side): Side => (side === "left" ? "right" : "left");
const decision = (policy: PolicyName, reader: Side): Decision => ({ policy, open: POLICIES[policy].open === "reader" ? reader : opposite(reader) });

/**
 * Whether two answers are equal, policies included: the policies that it took (none when the answers are
 * identical), or `null` when they differ.
 */
export function reconcile(a: Answer, b: Answer, used: ReadonlySet<PolicyName> = NONE_USED): readonly Decision[] | null {
  return identical(a, b) ? [] : reconcileDistinct(a, b, used);
}

/** The same for two answers that are known not to be identical. */
export function reconcileDistinct(a: Answer, b: Answer, used: ReadonlySet<PolicyName> = NONE_USED): readonly Decision[] | null {
  return byParts(a, b, used) ?? byReading(a, b, used, "left") ?? byReading(b, a, used, "right");
}

/** Longer lists are compared without policies: trying them on every pair of items would take too long. */
const MAX_RECONCILED = 12;

function byParts(a: Answer, b: Answer, used: ReadonlySet<PolicyName>): readonly Decision[] | null {
  if (a.kind !== b.kind) return null;
  if (a.kind === "leaf" && b.kind === "leaf") {
    const side = used.has("rounded") ? null : roundsTo(a, b);
    if (side) return [decision("rounded", side)];
    // Either may be the one with more points, so either may be the one to join the other's class.
    return sameWhereReal(a, b) ? [decision("domain", "left"), decision("domain", "right")] : null;
  }
  const decisions: Decision[] = [];
  const same = (left: Answer, right: Answer): boolean => {
    const found = reconcile(left, right, used);
    if (found) decisions.push(...found);
    return found !== null;
  };
  const isSame = (): boolean => {
    if (a.kind === "sequence" && b.kind === "sequence") return a.brackets === b.brackets && a.brackets !== ":" && pairwise(a.items, b.items, same);
    if (a.kind === "collection" && b.kind === "collection") return a.items.length <= MAX_RECONCILED && matches(a.items, b.items, same);
    if (a.kind === "matrix" && b.kind === "matrix") return pairwise(a.rows, b.rows, (left, right) => pairwise(left, right, same));
    if (a.kind === "labelled" && b.kind === "labelled") return a.label === b.label && same(a.value, b.value);
    if (a.kind === "quantity" && b.kind === "quantity") return a.unit === b.unit && same(a.value, b.value);
    return a.kind === "region" && b.kind === "region" && pairwise(a.pieces, b.pieces, (left, right) => samePiece(left, right, same));
  };
  return isSame() ? decisions : null;
}

function byReading(reader: Answer, other: Answer, used: ReadonlySet<PolicyName>, side: Side): readonly Decision[] | null {
  for (const { policy, answer } of readings(reader)) {
    // Only what was written with brackets can be an interval.
    if (used.has(policy) || (policy === "interval" && (used.has("ordered") || used.has("vector")))) continue;
    const taken = new Set([...used, policy]);
    const rest = side === "left" ? reconcile(answer, other, taken) : reconcile(other, answer, taken);
    if (rest) return [decision(policy, side), ...rest];
  }
  return null;
}

/** Of answers that are identical, the one that leaves least open; on a tie the first by its spelling. */
export function clearer(a: Answer, b: Answer): Answer {
  const byOpenness = opennessOf(a) - opennessOf(b);
  return byOpenness < 0 || (byOpenness === 0 && a.key <= b.key) ? a : b;
}

/** How many policies could read an answer in another way; counted without making the readings. */
function opennessOf(answer: Answer): number {
  if (answer.kind === "leaf") return Number(answer.alternative !== null) + Number(answer.decimal !== null);
  if (answer.kind === "collection") return Number(answer.listed) + Number(answer.decimal !== undefined);
  if (answer.kind === "labelled") return 1 + Number(answer.decimal !== undefined);
  if (answer.kind === "text") return Number(answer.letters !== null);
  return answer.kind === "region" || answer.kind === "relation" ? 0 : 1;
}

interface Reading {
  readonly policy: PolicyName;
  readonly answer: Answer;
}

/** What else an answer may mean, by policy. */
function readings(answer: Answer): Reading[] {
  switch (answer.kind) {
    case "labelled":
      return [{ policy: "label", answer: answer.value }, ...choiceReading(answer.label), ...decimalReading(answer)];
    case "quantity":
      return [{ policy: "unit", answer: answer.value }];
    case "leaf":
      return answer.alternative ? [{ policy: answer.alternative.policy, answer: answer.alternative.leaf }] : [];
    case "collection":
      return answer.listed ? [{ policy: "ordered", answer: { kind: "sequence", key: `(${answer.key})`, brackets: "(", items: answer.items } }, ...decimalReading(answer)] : [];
    case "matrix": {
      const isVector = answer.rows.length === 1 || answer.rows.every((row) => row.length === 1);
      return isVector ? ["(", "["].map((brackets): Reading => ({ policy: "vector", answer: { kind: "sequence", key: `${brackets}${answer.key}`, brackets, items: answer.rows.flat() } })) : [];
    }
    case "sequence":
      return sequenceReadings(answer);
    case "text":
      return answer.letters === null ? [] : [{ policy: "letters", answer: productOf(answer.letters) }];
    default:
      return [];
  }
}

function productOf(letters: string): Leaf {
  const factors = Array.from(letters, (name): Expression => ({ kind: "variable", name }));
  return leafFrom(`product ${letters}`, { kind: "product", factors });
}

const decimalReading = ({ decimal }: { readonly decimal?: () => Answer }): Reading[] => (decimal ? [{ policy: "comma", answer: decimal() }] : []);

/** `(B) 12` is also the choice B. */
function choiceReading(label: string): Reading[] {
  const letter = /^\(([A-J])\)$/.exec(label)?.[1];
  return letter === undefined ? [] : [{ policy: "choice", answer: leafFrom(letter, { kind: "variable", name: letter }) }];
}

function sequenceReadings({ items, brackets, key }: Answer & { readonly kind: "sequence" }): Reading[] {
  const [low, high] = items;
  if (items.length !== 2 || low?.kind !== "leaf" || high?.kind !== "leaf" || !low.expression || !high.expression) return [];
  if (brackets === ":") return [{ policy: "ratio", answer: leafFrom(`(${low.key})/(${high.key})`, quotient(low.expression, high.expression)) }];
  const [start, end] = [realValue(low), realValue(high)];
  if (brackets !== "(" && brackets !== "[") return [];
  const isSymbolic = low.variables.size + high.variables.size > 0;
  if (!isSymbolic && (start === null || end === null || start >= end)) return [];
  return [{ policy: "interval", answer: region([interval(low, high, brackets === "[", brackets === "[")], `interval ${key}`) }];
}
