import { call, difference, MINUS_ONE, negated, numeral, power, quotient } from "./expression.ts";
import type { Expression } from "./expression.ts";
import { readNumeral, readPlainNumeral, readPrimary, subscript } from "./parse-primary.ts";
import { addRational, isInteger, rational } from "./rational.ts";
import { peek, sees, unreadable, UNREADABLE } from "./reader.ts";
import type { Grammar, Reader } from "./reader.ts";
import type { Token } from "./tokens.ts";

const DEGREE: Expression = quotient({ kind: "constant", name: "pi" }, numeral({ top: 180n, bottom: 1n }));
const HUNDRED = numeral({ top: 100n, bottom: 1n });

/** The formula that the tokens write, or `null` when they don't write one. */
export function parseExpression(tokens: readonly Token[], logBase: "e" | "10" = "e"): Expression | null {
  if (tokens.length === 0) return null;
  const reader: Reader = { tokens, at: 0, end: tokens.length, depth: 0, bars: 0, logBase, grammar: GRAMMAR };
  try {
    const expression = readWhole(reader);
    return reader.at === reader.end ? expression : null;
  } catch (error) {
    if (error === UNREADABLE) return null;
    throw error;
  }
}

/** A sum, or `n \choose k`, which takes all of its group. */
function readWhole(reader: Reader): Expression {
  const sum = readSum(reader);
  if (!sees(reader, "choose", "command")) return sum;
  reader.at += 1;
  return call("binomial", sum, readSum(reader));
}

function readSum(reader: Reader): Expression {
  const terms: Expression[] = [];
  for (;;) {
    let negative = false;
    let signed = false;
    while (sees(reader, "+") || sees(reader, "-")) {
      negative = sees(reader, "-") !== negative;
      signed = true;
      reader.at += 1;
    }
    if (terms.length > 0 && !signed) break;
    const term = readProduct(reader);
    terms.push(negative ? negate(term) : term);
  }
  return terms.length === 1 ? terms[0]! : { kind: "sum", terms };
}

function negate(expression: Expression): Expression {
  if (expression.kind !== "number") return negated(expression);
  return numeral({ top: -expression.value.top, bottom: expression.value.bottom }, expression.decimals);
}

function readProduct(reader: Reader): Expression {
  let product = readRun(reader);
  for (;;) {
    if (sees(reader, "*")) {
      reader.at += 1;
      product = multiply(product, readSigned(reader, readRun));
    } else if (sees(reader, "/")) {
      reader.at += 1;
      // After a plain fraction of numerals a factor multiplies: 1/2x is x/2. Otherwise a/bc is a/(bc).
      const plain = product.kind === "number" && peek(reader)?.kind === "number";
      product = quotient(product, readSigned(reader, plain ? readFactor : readRun));
      if (plain && startsFactor(reader)) product = multiply(product, readRun(reader));
    } else if (sees(reader, "mod", "command")) {
      reader.at += 1;
      const modulus = readRun(reader);
      product = difference(product, multiply(modulus, call("floor", quotient(product, modulus))));
    } else return product;
  }
}

function readSigned(reader: Reader, read: (reader: Reader) => Expression): Expression {
  const negative = sees(reader, "-");
  if (negative || sees(reader, "+")) reader.at += 1;
  return negative ? negate(read(reader)) : read(reader);
}

function multiply(left: Expression, right: Expression): Expression {
  return { kind: "product", factors: left.kind === "product" && left.factors[0] !== MINUS_ONE ? [...left.factors, right] : [left, right] };
}

/** Factors side by side: 2x(x+1), and mixed numbers such as 7\frac34 and 7 3/4. */
function readRun(reader: Reader): Expression {
  const factors = [readFactor(reader)];
  while (startsFactor(reader)) {
    const mixed = factors.length === 1 ? readMixed(reader, factors[0]!) : null;
    if (mixed) factors[0] = mixed;
    else if (peek(reader)!.kind === "number" && factors.at(-1)!.kind === "number" && reader.tokens[reader.at - 1]!.kind === "number") unreadable();
    else factors.push(readFactor(reader));
  }
  return factors.length === 1 ? factors[0]! : { kind: "product", factors };
}

function readMixed(reader: Reader, whole: Expression): Expression | null {
  const { tokens, at, end } = reader;
  if (whole.kind !== "number" || !isInteger(whole.value) || whole.decimals !== null || tokens[at - 1]!.kind !== "number") return null;
  const isFraction = sees(reader, "frac", "command");
  const isInline = tokens[at]!.kind === "number" && at + 2 < end && tokens[at + 1]!.value === "/" && tokens[at + 2]!.kind === "number";
  if (!isFraction && !isInline) return null;
  const start = reader.at;
  const parsed = isInline ? inlineFraction(reader) : readFactor(reader);
  if (parsed.kind === "quotient" && parsed.top.kind === "number" && parsed.bottom.kind === "number") {
    const { top, bottom } = parsed;
    const value = rational(top.value.top, bottom.value.top);
    if (value && isInteger(top.value) && isInteger(bottom.value) && top.value.top > 0n && top.value.top < bottom.value.top) {
      const total = addRational(whole.value, value);
      if (total) return numeral(total);
    }
  }
  if (isInline) unreadable();
  reader.at = start;
  return null;
}

function inlineFraction(reader: Reader): Expression {
  const top = readNumeral(reader);
  reader.at += 1;
  return quotient(top, readNumeral(reader));
}

const STOPPERS = new Set(["+", "-", "*", "/", ")", "]", "}", ",", ";", "∧", "∨", ":", "=", "<", ">", "≤", "≥", "≠", "≈", "∈", "∪", "∩", "±", "∓", "&", "\\\\", "^", "_", "!", "'", "%", "‖", "#", "?", "@", "\""]);
const CLOSERS = new Set(["rfloor", "rceil", "}", "rangle", "implies", "to", "setminus", "circ", "degree", "infty", "choose", "dollar", "pmod", "mod"]);

function startsFactor(reader: Reader): boolean {
  const token = peek(reader);
  if (!token || token.kind === "text" || token.kind === "environment") return false;
  if (token.kind === "command") return !CLOSERS.has(token.value);
  if (token.kind !== "symbol") return true;
  return token.value === "|" ? reader.bars === 0 : !STOPPERS.has(token.value);
}

/** A primary with its exponents, subscripts, factorials and percent signs. */
function readFactor(reader: Reader): Expression {
  let expression = readPrimary(reader);
  const exponents: Expression[] = [];
  for (;;) {
    const token = peek(reader);
    if (token?.kind === "symbol" && token.value === "^") {
      reader.at += 1;
      if (readDegree(reader)) expression = { kind: "product", factors: [expression, DEGREE] };
      else exponents.push(readArgument(reader));
    } else if (token?.kind === "symbol" && (token.value === "_" || token.value === "'")) {
      if (expression.kind !== "variable") unreadable();
      reader.at += 1;
      expression = { kind: "variable", name: expression.name + (token.value === "'" ? "'" : `_${subscript(reader)}`) };
    } else if (token?.kind === "symbol" && (token.value === "!" || token.value === "%")) {
      reader.at += 1;
      const raised = raise(expression, exponents.splice(0));
      expression = token.value === "!" ? call("factorial", raised) : quotient(raised, HUNDRED);
    } else if (token?.kind === "command" && token.value === "degree") {
      reader.at += 1;
      expression = { kind: "product", factors: [expression, DEGREE] };
    } else return raise(expression, exponents);
  }
}

/** a^b^c is a^(b^c), however the exponents are bracketed. */
function raise(base: Expression, exponents: readonly Expression[]): Expression {
  if (exponents.length > 1) return power(base, raise(exponents[0]!, exponents.slice(1)));
  return exponents.length === 0 ? base : power(base, exponents[0]!);
}

function readDegree(reader: Reader): boolean {
  const braced = sees(reader, "{") && reader.tokens[reader.at + 1]?.value === "circ" && reader.tokens[reader.at + 2]?.value === "}";
  if (!braced && !sees(reader, "circ", "command")) return false;
  reader.at += braced ? 3 : 1;
  return true;
}

/** An exponent or an argument of a command: a group in braces, or one signed primary. */
function readArgument(reader: Reader): Expression {
  if (sees(reader, "-") || sees(reader, "+")) {
    const negative = sees(reader, "-");
    reader.at += 1;
    const value = readArgument(reader);
    return negative ? negate(value) : value;
  }
  return peek(reader)?.kind === "number" ? readPlainNumeral(reader) : readPrimary(reader);
}

const GRAMMAR: Grammar = { whole: readWhole, sum: readSum, product: readProduct, factor: readFactor, argument: readArgument };
