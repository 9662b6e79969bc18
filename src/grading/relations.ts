import type { Answer, Leaf, Operator, Piece } from "./answer.ts";
import { evaluate, negated, numeral, rationalsAt } from "./expression.ts";
import { labelOf } from "./labels.ts";
import { differenceLeaf, keyOf, leafFrom, leafOf, realValue, residuesOf } from "./leaf.ts";
import { addRational, compareRational, divideRational, multiplyRational, rational } from "./rational.ts";
import type { Rational } from "./rational.ts";
import { above, below, interval, REALS, region, symmetric, without, writtenInterval } from "./regions.ts";
import { cut, isSymbol } from "./split.ts";
import type { Token } from "./tokens.ts";

type Read = (tokens: readonly Token[]) => Answer;

/** An answer with relation signs at the given positions. */
export function readRelation(tokens: readonly Token[], at: readonly number[], read: Read): Answer {
  const parts = cut(tokens, at);
  const signs = at.map((position) => tokens[position]!.value);
  const key = keyOf(tokens);
  if (!parts.every((part) => part.some((token) => !isSymbol(token, "+", "-", "*", "/", "^")))) return leafOf(tokens);
  if (signs.every((sign) => sign === "=" || sign === "≈")) return readChain(parts, signs, key, read);
  if (signs.length === 1 && signs[0] === "∈") return readMembership(parts, key, read);
  if (signs.length === 1 && signs[0] === "≠") return readInequation(parts, key, read);
  return readInequality(parts, signs, key) ?? leafOf(tokens);
}

/** a = b = c: the last exact value, under the names that it is given. What follows ≈ only rounds it. */
function readChain(parts: readonly (readonly Token[])[], signs: readonly string[], key: string, read: Read): Answer {
  const [first, second] = parts as [readonly Token[], readonly Token[]];
  const lastEqual = signs.lastIndexOf("=");
  if (lastEqual < 0) return labelOf(first) === null ? read(first) : labelled(first, second, key, read);
  if (parts.length === 2) return readEquation(first, second, key, read);
  const value = parts[lastEqual + 1]!;
  const names = parts.slice(0, lastEqual + 1).filter((part) => labelOf(part) !== null);
  if (names.length === 0) {
    const answer = read(value);
    return answer.kind === "leaf" && answer.variables.size > 0 ? { ...leafOf([]), key } : answer;
  }
  const items = names.map((name) => labelled(name, value, key, read));
  return items.length === 1 ? items[0]! : { kind: "collection", key, listed: true, items };
}

function labelled(name: readonly Token[], value: readonly Token[], key: string, read: Read): Answer {
  const answer = read(value);
  const equation = answer.kind === "leaf" ? () => differenceLeaf(leafOf(name), answer) : null;
  return { kind: "labelled", key, label: labelOf(name)!, value: answer, equation };
}

function readEquation(left: readonly Token[], right: readonly Token[], key: string, read: Read): Answer {
  if (labelOf(left) !== null) return labelled(left, right, key, read);
  if (labelOf(right) !== null) return labelled(right, left, key, read);
  const [a, b] = [leafOf(left), leafOf(right)];
  // 35 + 70 = 105 is a calculation, and its result the answer; so is 3 m = 300 cm.
  if (b.variables.size === 0 && isConstant(a)) return read(right);
  if (!a.expression && isConstant(read(left))) return read(right);
  const difference = differenceLeaf(a, b);
  return difference ? { kind: "relation", key, operator: "=", difference } : { ...leafOf([]), key };
}

function isConstant(answer: Answer): boolean {
  if (answer.kind === "quantity") return isConstant(answer.value);
  return answer.kind === "leaf" && answer.expression !== null && answer.variables.size === 0;
}

function readMembership([subject = [], set = []]: readonly (readonly Token[])[], key: string, read: Read): Answer {
  const label = labelOf(subject);
  const value = read(set);
  if (label === null) return { ...leafOf([]), key };
  const open = value.kind === "sequence" && value.items.length === 2 ? intervalOf(value) : null;
  return { kind: "labelled", key, label, value: open ?? value, equation: null };
}

/** After ∈, (a, b) can only be an interval. */
function intervalOf({ items, brackets, key }: Answer & { readonly kind: "sequence" }): Answer | null {
  const [low, high] = items;
  if (low?.kind !== "leaf" || high?.kind !== "leaf" || !["(", "["].includes(brackets)) return null;
  return writtenInterval(low, high, brackets === "[", brackets === "[", key);
}

function readInequation(sides: readonly (readonly Token[])[], key: string, read: Read): Answer {
  const [first = [], second = []] = sides;
  const [left, right] = labelOf(first) === null && labelOf(second) !== null ? [second, first] : [first, second];
  const label = labelOf(left);
  const value = read(right);
  const points = value.kind === "collection" ? value.items : [value];
  const leaves = points.flatMap((item) => (item.kind === "leaf" && realValue(item) !== null ? [item] : []));
  const rest = leaves.length === points.length ? without([REALS], leaves) : null;
  if (label !== null && rest) return { kind: "labelled", key, label, value: region(rest, key), equation: null };
  const difference = differenceLeaf(leafOf(left), leafOf(right));
  return difference ? { kind: "relation", key, operator: "≠", difference } : { ...leafOf([]), key };
}

interface Bound {
  readonly leaf: Leaf;
  readonly closed: boolean;
}

/** a < b or a < b < c, either way round; `null` where the signs don't run one way. */
function readInequality(parts: readonly (readonly Token[])[], signs: readonly string[], key: string): Answer | null {
  const rising = signs.every((sign) => sign === "<" || sign === "≤");
  if (!rising && !signs.every((sign) => sign === ">" || sign === "≥")) return null;
  const ordered = rising ? parts : [...parts].reverse();
  const closed = (rising ? signs : [...signs].reverse()).map((sign) => sign === "≤" || sign === "≥");
  if (ordered.length === 3) {
    const [low, middle, high] = ordered as [readonly Token[], readonly Token[], readonly Token[]];
    return bounded(middle, { leaf: leafOf(low), closed: closed[0]! }, { leaf: leafOf(high), closed: closed[1]! }, key);
  }
  if (ordered.length !== 2) return null;
  const [left, right] = ordered.map(leafOf) as [Leaf, Leaf];
  const solved =
    bounded(ordered[0]!, null, { leaf: right, closed: closed[0]! }, key) ??
    bounded(ordered[1]!, { leaf: left, closed: closed[0]! }, null, key) ??
    solveLinear(left, right, closed[0]!, key);
  if (solved) return solved;
  const operator: Operator = closed[0] ? "≤" : "<";
  const difference = differenceLeaf(left, right);
  return difference && { kind: "relation", key, operator, difference };
}

const negate = (leaf: Leaf): Leaf =>
  leaf.infinite !== null || leaf.expression === null ? leaf : leafFrom(`-(${leaf.key})`, negated(leaf.expression));

/** What low < subject < high says of a named subject, of its absolute value, or of the x in a x + b. */
function bounded(subject: readonly Token[], low: Bound | null, high: Bound | null, key: string): Answer | null {
  const bounds = [low, high].flatMap((bound) => (bound ? [bound.leaf] : []));
  const isAbsolute = subject.length > 2 && isSymbol(subject[0], "|") && isSymbol(subject.at(-1), "|");
  const label = labelOf(isAbsolute ? subject.slice(1, -1) : subject);
  if (bounds.some((bound) => bound.expression === null && bound.infinite === null)) return null;
  if (bounds.some(({ variables }) => variables.size > 0)) {
    // a < x < b bounds x; of x < y either side could be the subject.
    if (isAbsolute || label === null || !low || !high || bounds.some(({ variables }) => variables.has(label))) return null;
  }
  if (label !== null && isAbsolute) {
    const pieces = symmetric(low?.leaf ?? null, high?.leaf ?? null, low?.closed ?? false, high?.closed ?? false, negate);
    if (pieces) return { kind: "labelled", key, label, value: region(pieces, key), equation: null };
  }
  if (label !== null) return { kind: "labelled", key, label, value: region([pieceOf(low, high)], key), equation: null };
  return low && high ? solveBetween(leafOf(subject), low, high, key) : null;
}

function pieceOf(low: Bound | null, high: Bound | null): Piece {
  if (low && high) return interval(low.leaf, high.leaf, low.closed, high.closed);
  return low ? above(low.leaf, low.closed) : below(high!.leaf, high!.closed);
}

/** The slope and offset of a formula that is linear in its one variable with rational coefficients. */
function linearForm(leaf: Leaf): { name: string; slope: Rational; offset: Rational } | null {
  const [name] = leaf.variables;
  const { expression } = leaf;
  if (name === undefined || leaf.variables.size !== 1 || expression === null) return null;
  const at = (value: bigint): Rational | null => evaluate(expression, rationalsAt(() => rational(value)));
  const [offset, one, distant] = [at(0n), at(1n), at(101n)];
  const slope = offset && one && addRational(one, { top: -offset.top, bottom: offset.bottom });
  const far = slope && multiplyRational(slope, { top: 101n, bottom: 1n });
  const expected = far && addRational(far, offset);
  if (!distant || !expected || compareRational(distant, expected) !== 0 || slope.top === 0n) return null;
  // Three points don't make a line of everything: the line must hold at a random point too.
  const line = leafFrom("line", { kind: "sum", terms: [{ kind: "product", factors: [numeral(slope), { kind: "variable", name }] }, numeral(offset)] });
  const [seen, drawn] = [residuesOf(leaf), residuesOf(line)];
  return seen && drawn && seen.every((residue, lane) => residue === drawn[lane]) ? { name, slope, offset } : null;
}

const leafOfRational = (value: Rational): Leaf => leafFrom(`${value.top}/${value.bottom}`, numeral(value));

/** left < right, solved for the one variable. */
function solveLinear(left: Leaf, right: Leaf, closed: boolean, key: string): Answer | null {
  const difference = differenceLeaf(left, right);
  const form = difference && linearForm(difference);
  if (!form) return null;
  const root = divideRational({ top: -form.offset.top, bottom: form.offset.bottom }, form.slope);
  if (!root) return null;
  const piece = form.slope.top > 0n ? below(leafOfRational(root), closed) : above(leafOfRational(root), closed);
  return { kind: "labelled", key, label: form.name, value: region([piece], key), equation: null };
}

/** low < a x + b < high, solved for x. */
function solveBetween(subject: Leaf, low: Bound, high: Bound, key: string): Answer | null {
  const form = linearForm(subject);
  if (!form || !low.leaf.exact || !high.leaf.exact) return null;
  const { slope, offset } = form;
  const solve = (value: Rational): Rational | null => {
    const shifted = addRational(value, { top: -offset.top, bottom: offset.bottom });
    return shifted && divideRational(shifted, slope);
  };
  const [start, end] = [solve(low.leaf.exact), solve(high.leaf.exact)];
  if (!start || !end) return null;
  const [one, other] = [leafOfRational(start), leafOfRational(end)];
  const piece = slope.top > 0n ? interval(one, other, low.closed, high.closed) : interval(other, one, high.closed, low.closed);
  return { kind: "labelled", key, label: form.name, value: region([piece], key), equation: null };
}
