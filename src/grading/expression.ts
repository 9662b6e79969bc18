import { addRational, compareRational, divideRational, floorRational, greatestDivisor, isInteger, multiplyRational, ONE, powerRational, rational, ZERO } from "./rational.ts";
import type { Rational } from "./rational.ts";

/** A formula. Sums and products are flat lists, so that length never becomes depth. */
export type Expression =
  | { readonly kind: "number"; readonly value: Rational; readonly decimals: number | null }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "constant"; readonly name: ConstantName }
  | { readonly kind: "sum"; readonly terms: readonly Expression[] }
  | { readonly kind: "product"; readonly factors: readonly Expression[] }
  | { readonly kind: "quotient"; readonly top: Expression; readonly bottom: Expression }
  | { readonly kind: "power"; readonly base: Expression; readonly exponent: Expression; readonly exact: Rational | null }
  | { readonly kind: "call"; readonly name: string; readonly arguments: readonly Expression[] };

type ConstantName = "pi" | "e" | "i";

export const numeral = (value: Rational, decimals: number | null = null): Expression => ({ kind: "number", value, decimals });
export const MINUS_ONE: Expression = numeral({ top: -1n, bottom: 1n });
export const negated = (expression: Expression): Expression => ({ kind: "product", factors: [MINUS_ONE, expression] });
export const quotient = (top: Expression, bottom: Expression): Expression => ({ kind: "quotient", top, bottom });
export const difference = (left: Expression, right: Expression): Expression => ({ kind: "sum", terms: [left, negated(right)] });
export const call = (name: string, ...parts: readonly Expression[]): Expression => ({ kind: "call", name, arguments: parts });

/** base ^ exponent; the exponent's exact value, where it has one, is worked out once. */
export function power(base: Expression, exponent: Expression): Expression {
  return { kind: "power", base, exponent, exact: evaluate(exponent, RATIONALS) };
}

/** An arithmetic in which a formula can be evaluated. `null` is *unknown*, and spreads. */
export interface Arithmetic<T> {
  readonly number: (value: Rational) => T | null;
  readonly variable: (name: string) => T | null;
  readonly constant: (name: ConstantName) => T | null;
  readonly add: (a: T, b: T) => T | null;
  readonly multiply: (a: T, b: T) => T | null;
  readonly divide: (a: T, b: T) => T | null;
  /** `exact` is the exponent as a fraction, or `null` when it isn't one. */
  readonly power: (base: T, exponent: T | null, exact: Rational | null) => T | null;
  readonly call: (name: string, values: readonly T[]) => T | null;
}

/** Value of a formula in an arithmetic; `null` when any part of it is unknown there. */
export function evaluate<T>(expression: Expression, arithmetic: Arithmetic<T>): T | null {
  switch (expression.kind) {
    case "number":
      return arithmetic.number(expression.value);
    case "variable":
      return arithmetic.variable(expression.name);
    case "constant":
      return arithmetic.constant(expression.name);
    case "sum":
      return fold(expression.terms, arithmetic.add, arithmetic);
    case "product":
      return fold(expression.factors, arithmetic.multiply, arithmetic);
    case "quotient": {
      const top = evaluate(expression.top, arithmetic);
      const bottom = top === null ? null : evaluate(expression.bottom, arithmetic);
      return top === null || bottom === null ? null : arithmetic.divide(top, bottom);
    }
    case "power": {
      const base = evaluate(expression.base, arithmetic);
      if (base === null) return null;
      return arithmetic.power(base, evaluate(expression.exponent, arithmetic), expression.exact);
    }
    case "call": {
      const values: T[] = [];
      for (const part of expression.arguments) {
        const value = evaluate(part, arithmetic);
        if (value === null) return null;
        values.push(value);
      }
      return arithmetic.call(expression.name, values);
    }
  }
}

function fold<T>(parts: readonly Expression[], combine: (a: T, b: T) => T | null, arithmetic: Arithmetic<T>): T | null {
  let total = evaluate(parts[0]!, arithmetic);
  for (let index = 1; index < parts.length && total !== null; index++) {
    const next = evaluate(parts[index]!, arithmetic);
    total = next === null ? null : combine(total, next);
  }
  return total;
}

/** Calls a function on every node of a formula. */
export function visit(expression: Expression, see: (node: Expression) => void): void {
  see(expression);
  if (expression.kind === "sum") for (const term of expression.terms) visit(term, see);
  else if (expression.kind === "product") for (const factor of expression.factors) visit(factor, see);
  else if (expression.kind === "call") for (const part of expression.arguments) visit(part, see);
  else if (expression.kind === "quotient") {
    visit(expression.top, see);
    visit(expression.bottom, see);
  } else if (expression.kind === "power") {
    visit(expression.base, see);
    visit(expression.exponent, see);
  }
}

/** The formula with another in place of a variable. */
export function substitute(expression: Expression, name: string, by: Expression): Expression {
  const inside = (part: Expression): Expression => substitute(part, name, by);
  switch (expression.kind) {
    case "variable":
      return expression.name === name ? by : expression;
    case "sum":
      return { kind: "sum", terms: expression.terms.map(inside) };
    case "product":
      return { kind: "product", factors: expression.factors.map(inside) };
    case "quotient":
      return quotient(inside(expression.top), inside(expression.bottom));
    case "power":
      return power(inside(expression.base), inside(expression.exponent));
    case "call":
      return { ...expression, arguments: expression.arguments.map(inside) };
    default:
      return expression;
  }
}

/** Exact arithmetic on fractions: no variables, no irrational numbers. */
export const RATIONALS: Arithmetic<Rational> = {
  number: (value) => value,
  variable: () => null,
  constant: () => null,
  add: addRational,
  multiply: multiplyRational,
  divide: divideRational,
  power: (base, exponent) => (exponent === null ? null : powerRational(base, exponent)),
  call: callRational,
};

/** The fractions with values for the variables. */
export const rationalsAt = (valueOf: (name: string) => Rational | null): Arithmetic<Rational> => ({ ...RATIONALS, variable: valueOf });

const FACTORIAL_LIMIT = 2500n;

function callRational(name: string, values: readonly Rational[]): Rational | null {
  const [first, second] = values;
  if (!first) return null;
  switch (name) {
    case "abs":
      return first.top < 0n ? { top: -first.top, bottom: first.bottom } : first;
    case "sgn":
      return rational(first.top < 0n ? -1n : first.top > 0n ? 1n : 0n);
    case "floor":
      return rational(floorRational(first));
    case "ceil":
      return rational(-floorRational({ top: -first.top, bottom: first.bottom }));
    case "min":
      return values.reduce((a, b) => (compareRational(b, a) < 0 ? b : a));
    case "max":
      return values.reduce((a, b) => (compareRational(b, a) > 0 ? b : a));
    case "gcd":
      return values.every(isInteger) ? rational(values.reduce((divisor, { top }) => greatestDivisor(divisor, top), 0n)) : null;
    case "lcm":
      return values.every(isInteger) ? leastMultiple(values) : null;
    case "factorial":
      return factorial(first);
    case "binomial":
      return second ? binomial(first, second) : null;
    default:
      return null;
  }
}

function leastMultiple(values: readonly Rational[]): Rational | null {
  let multiple: Rational | null = ONE;
  for (const { top } of values) {
    if (multiple === null || top === 0n) return multiple && ZERO;
    const size = top < 0n ? -top : top;
    multiple = rational((multiple.top / greatestDivisor(multiple.top, size)) * size);
  }
  return multiple;
}

function factorial({ top, bottom }: Rational): Rational | null {
  if (bottom !== 1n || top < 0n || top > FACTORIAL_LIMIT) return null;
  let product = 1n;
  for (let factor = 2n; factor <= top; factor++) product *= factor;
  return rational(product);
}

function binomial(n: Rational, k: Rational): Rational | null {
  if (!isInteger(n) || !isInteger(k) || n.top < 0n || k.top < 0n) return null;
  if (k.top > n.top) return ZERO;
  const size = k.top * 2n > n.top ? n.top - k.top : k.top;
  if (size > FACTORIAL_LIMIT) return null;
  let value: Rational | null = ONE;
  for (let index = 1n; index <= size && value !== null; index++) value = rational((value.top * (n.top - size + index)) / index);
  return value;
}
