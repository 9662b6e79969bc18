import type { Decimal, Leaf } from "./answer.ts";
import { difference, evaluate, numeral, RATIONALS, visit } from "./expression.ts";
import type { Expression } from "./expression.ts";
import { RESIDUES, sameResidues } from "./modular.ts";
import type { Residues } from "./modular.ts";
import { parseExpression } from "./parse.ts";
import { isFunction } from "./parse-call.ts";
import type { Probes } from "./probes.ts";
import { agree, commonRatio, probe, sameProbes } from "./probes.ts";
import { compareRational, toNumber } from "./rational.ts";
import type { Token } from "./tokens.ts";

/** One spelling for the tokens of a formula. */
export function keyOf(tokens: readonly Token[]): string {
  let key = "";
  let last: Token["kind"] | null = null;
  for (const { kind, value, repeating } of tokens) {
    // 7 3/4 is not 73/4.
    if (kind === "number" && last === "number") key += " ";
    last = kind;
    key += kind === "command" ? `\\${value} ` : kind === "text" ? `"${value}"` : kind === "environment" ? `[${value}]` : value;
    if (repeating !== null) key += `~${repeating}`;
  }
  return key;
}

/** The leaf that the tokens write; its expression is `null` where they are no formula. */
export function leafOf(tokens: readonly Token[]): Leaf {
  const leaf = leafFrom(keyOf(tokens), parseExpression(tokens));
  const alternative = leaf.expression === null ? null : alternativeOf(tokens, leaf.expression);
  return alternative === null ? leaf : { ...leaf, alternative };
}

const HUNDRED = numeral({ top: 100n, bottom: 1n });

/** A percentage as a number, `\log` to the base 10, or angles without their degree signs. */
function alternativeOf(tokens: readonly Token[], expression: Expression): Leaf["alternative"] {
  if (tokens.at(-1)!.value === "%") {
    return { policy: "percent", leaf: leafFrom(`100*(${keyOf(tokens)})`, { kind: "product", factors: [HUNDRED, expression] }) };
  }
  const commands = tokens.filter(({ kind }) => kind === "command");
  const isBareLog = ({ kind, value }: Token, index: number): boolean => kind === "command" && value === "log" && tokens[index + 1]?.value !== "_";
  if (tokens.some(isBareLog)) {
    const common = parseExpression(tokens, "10");
    return common && { policy: "logarithm", leaf: leafFrom(`${keyOf(tokens)}@10`, common) };
  }
  if (!commands.some(({ value }) => value === "circ" || value === "degree") || !commands.some(({ value }) => isFunction(value))) return null;
  const plain = tokens.filter((token, index) => !isDegree(token) && !(token.value === "^" && isDegree(tokens[index + 1])));
  return { policy: "degree", leaf: leafFrom(keyOf(plain), parseExpression(plain)) };
}

const isDegree = (token: Token | undefined): boolean => token?.kind === "command" && (token.value === "circ" || token.value === "degree");

const INFINITIES: ReadonlyMap<string, 1 | -1> = new Map([["\\infty ", 1], ["+\\infty ", 1], ["-\\infty ", -1]]);

export function leafFrom(key: string, expression: Expression | null): Leaf {
  const { variables, imaginary } = expression === null || expression.kind === "number" ? NO_NAMES : namesIn(expression);
  const exact = expression === null || variables.size > 0 ? null : evaluate(expression, RATIONALS);
  const infinite = INFINITIES.get(key) ?? null;
  return { kind: "leaf", key, expression, exact, variables, infinite, decimal: decimalOf(expression), imaginary, known: { residues: undefined, probes: undefined }, alternative: null };
}

const NO_NAMES: { readonly variables: ReadonlySet<string>; readonly imaginary: boolean } = { variables: new Set(), imaginary: false };

function namesIn(expression: Expression): typeof NO_NAMES {
  const variables = new Set<string>();
  const constants = new Set<string>();
  visit(expression, (node) => {
    if (node.kind === "variable") variables.add(node.name);
    else if (node.kind === "constant") constants.add(node.name);
  });
  return { variables, imaginary: constants.has("i") };
}

/** A decimal numeral with its sign, perhaps times a power of ten. */
function decimalOf(expression: Expression | null): Decimal | null {
  if (expression?.kind === "number") {
    if (expression.decimals === null) return null;
    const { top, bottom } = expression.value;
    const scaled = (top < 0n ? -top : top) * (10n ** BigInt(expression.decimals) / bottom);
    return { digits: String(scaled).length, halfUnit: 0.5 * 10 ** -expression.decimals };
  }
  if (expression?.kind !== "product" || expression.factors.length !== 2) return null;
  const [left, right] = expression.factors as [Expression, Expression];
  if (left.kind === "number" && left.value.top === -1n && left.value.bottom === 1n) return decimalOf(right);
  const mantissa = left.kind === "number" ? decimalOf(left) : null;
  const isPowerOfTen = right.kind === "power" && right.base.kind === "number" && right.base.value.top === 10n && right.base.value.bottom === 1n;
  const scale = isPowerOfTen && right.exact ? toNumber(right.exact) : null;
  return mantissa && scale !== null ? { digits: mantissa.digits, halfUnit: mantissa.halfUnit * 10 ** scale } : null;
}

/** Residues at a random point, worked out on first use; `null` where the formula is no rational function. */
export function residuesOf({ known, expression }: Leaf): Residues | null {
  if (known.residues === undefined) known.residues = expression && evaluate(expression, RESIDUES);
  return known.residues;
}

/** Values at the probe points, worked out on first use. */
function probesOf({ known, expression, variables }: Leaf): Probes {
  return (known.probes ??= expression === null ? [] : probe(expression, variables.size > 0));
}

/**
 * Whether two formulas are equal as functions of their variables: by exact fractions, then by residues where
 * both are rational functions, then by values at probe points. What can't be evaluated is equal to nothing
 * but its own spelling.
 */
export function sameLeaf(a: Leaf, b: Leaf): boolean {
  if (a.key === b.key) return true;
  if (a.expression === null || b.expression === null) return a.infinite !== null && a.infinite === b.infinite;
  if (a.exact && b.exact) return compareRational(a.exact, b.exact) === 0;
  const left = residuesOf(a);
  const right = left && residuesOf(b);
  if (left && right) return sameResidues(left, right);
  return sameProbes(probesOf(a), probesOf(b), a.imaginary || b.imaginary ? "complex" : "either");
}

/** Whether two formulas that write no i agree at every probe point where both are real. */
export function sameWhereReal(a: Leaf, b: Leaf): boolean {
  if (a.variables.size === 0 || b.variables.size === 0 || a.imaginary || b.imaginary || a.expression === null || b.expression === null || (residuesOf(a) && residuesOf(b))) return false;
  return sameProbes(probesOf(a), probesOf(b), "common");
}

/** Least significant digits of a decimal that may stand for the exact value it rounds. */
const ROUNDED_DIGITS = 4;

/** Whether one side is a decimal numeral of at least four digits, and the exact other side rounds to it. */
export function roundsTo(a: Leaf, b: Leaf): "left" | "right" | null {
  if (isRounded(a, b)) return "left";
  return isRounded(b, a) ? "right" : null;
}

function isRounded(decimal: Leaf, exact: Leaf): boolean {
  if (!decimal.decimal || decimal.decimal.digits < ROUNDED_DIGITS || exact.decimal || exact.variables.size > 0) return false;
  if (exact.expression === null || exact.expression.kind === "number") return false;
  const [rounded] = probesOf(decimal);
  const [value] = probesOf(exact);
  if (!rounded || !value || Math.abs(value.im) > 1e-12) return false;
  return Math.abs(rounded.re - value.re) <= decimal.decimal.halfUnit * (1 + 1e-9) + 1e-15 * Math.abs(rounded.re);
}

/**
 * The constant c with a = c b, `null` where there is none: equations `a = 0` and `b = 0` that differ by a
 * factor are the same. Residues must not contradict the probes.
 */
export function ratioOf(a: Leaf, b: Leaf): number | null {
  if (a.key === b.key) return 1;
  if (a.expression === null || b.expression === null || a.variables.size === 0 || b.variables.size === 0) return null;
  const ratio = commonRatio(probesOf(a), probesOf(b));
  if (ratio === null) return null;
  const [left, right] = [residuesOf(a), residuesOf(b)];
  if (left && right) {
    // The ratio is the same fraction in every lane; its residues are known only for small fractions.
    const fraction = smallFraction(ratio);
    if (fraction === null) return null;
    const scaled = RESIDUES.multiply(right, fraction);
    return scaled && sameResidues(left, scaled) ? ratio : null;
  }
  return ratio;
}

function smallFraction(value: number): Residues | null {
  for (let bottom = 1; bottom <= 1000; bottom++) {
    const top = Math.round(value * bottom);
    if (Math.abs(value * bottom - top) < 1e-9 * Math.max(1, Math.abs(top))) return RESIDUES.number({ top: BigInt(top), bottom: BigInt(bottom) });
  }
  return null;
}

/** A real constant as a double, for ordering; infinities included, `null` where it is unknown. */
export function realValue(leaf: Leaf): number | null {
  if (leaf.infinite !== null) return leaf.infinite * Infinity;
  if (leaf.variables.size > 0) return null;
  const [value] = probesOf(leaf);
  return value && agree(value, { re: value.re, im: 0, error: value.error }) === true ? value.re : null;
}

export const differenceLeaf = (left: Leaf, right: Leaf): Leaf | null =>
  left.expression && right.expression ? leafFrom(`${left.key}-(${right.key})`, difference(left.expression, right.expression)) : null;
