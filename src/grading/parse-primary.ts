import { call, MINUS_ONE, numeral, power, quotient } from "./expression.ts";
import type { Expression } from "./expression.ts";
import { readBound, readDerivative } from "./parse-bound.ts";
import { isFunction, parseCall } from "./parse-call.ts";
import { addRational, ONE, parseDecimal, rational } from "./rational.ts";
import type { Rational } from "./rational.ts";
import { expect, nested, peek, readGroup, sees, unreadable } from "./reader.ts";
import type { Reader } from "./reader.ts";

const HALF: Rational = { top: 1n, bottom: 2n };

/** The text of a subscript, which is part of a name. */
export function subscript(reader: Reader): string {
  const start = reader.at;
  if (!sees(reader, "{") && !sees(reader, "{", "command")) {
    reader.at += 1;
    return peek({ ...reader, at: start })?.value ?? unreadable();
  }
  let depth = 0;
  do {
    const token = peek(reader) ?? unreadable();
    if (token.value === "{") depth += 1;
    if (token.value === "}") depth -= 1;
    reader.at += 1;
  } while (depth > 0);
  return reader.tokens.slice(start + 1, reader.at - 1).map(({ value }) => value).join("");
}

const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

export function readPrimary(reader: Reader): Expression {
  const token = peek(reader) ?? unreadable();
  if (token.kind === "number") return readNumeral(reader);
  if (token.kind === "letter") return readLetter(reader);
  if (token.kind === "command") return readCommand(reader);
  if (token.value === "|" && token.kind === "symbol") {
    reader.at += 1;
    const inner = nested(reader, () => {
      reader.bars = 1;
      return reader.grammar.sum(reader);
    });
    expect(reader, "|");
    return call("abs", inner);
  }
  return token.kind === "symbol" && Object.hasOwn(CLOSING, token.value) ? readGroup(reader, token.value, CLOSING[token.value]!, "symbol") : unreadable();
}

export function readNumeral(reader: Reader): Expression {
  const token = peek(reader) ?? unreadable();
  const value = readPlainNumeral(reader);
  if (!sees(reader, "_")) return value;
  reader.at += 1;
  return inBase(token.value, subscript(reader));
}

/** A numeral; a subscript after it belongs to something else, as in x^2_1. */
export function readPlainNumeral(reader: Reader): Expression {
  const token = peek(reader) ?? unreadable();
  if (token.kind !== "number") unreadable();
  reader.at += 1;
  const value = token.repeating === null ? parseDecimal(token.value) : repeatingDecimal(token.value, token.repeating);
  if (value === null) unreadable();
  const point = token.value.indexOf(".");
  return numeral(value, point < 0 || token.repeating !== null ? null : token.value.length - point - 1);
}

function repeatingDecimal(digits: string, repeating: string): Rational | null {
  const start = parseDecimal(digits);
  const places = digits.includes(".") ? digits.length - digits.indexOf(".") - 1 : 0;
  const tail = rational(BigInt(repeating), (10n ** BigInt(repeating.length) - 1n) * 10n ** BigInt(places));
  return start && tail && addRational(start, tail);
}

/** A numeral with its base as a subscript: 204_5 is 54. */
function inBase(digits: string, written: string): Expression {
  const base = /^\d{1,2}$/.test(written) ? Number(written) : 0;
  if (base < 2 || base > 36 || !/^\d+$/.test(digits)) unreadable();
  let value = 0n;
  for (const digit of digits) {
    if (Number(digit) >= base) unreadable();
    value = value * BigInt(base) + BigInt(digit);
  }
  return numeral(rational(value) ?? unreadable());
}

/** Letters that are functions when a bracket follows. Others multiply: a(x + 1). */
const FUNCTION_LETTERS = new Set(["f", "g", "F", "G"]);

function readLetter(reader: Reader): Expression {
  const { value } = peek(reader)!;
  reader.at += 1;
  if (FUNCTION_LETTERS.has(value)) {
    let name = `?${value}`;
    const start = reader.at;
    while (sees(reader, "'")) {
      name += "'";
      reader.at += 1;
    }
    if (sees(reader, "(")) return parseCall(reader, name);
    if (sees(reader, "{") && reader.tokens[reader.at + 1]?.value === "(") {
      reader.at += 1;
      const called = parseCall(reader, name);
      expect(reader, "}");
      return called;
    }
    reader.at = start;
  }
  if (value === "e") return { kind: "constant", name: "e" };
  return value === "i" || value === "I" ? { kind: "constant", name: "i" } : { kind: "variable", name: value };
}

function readCommand(reader: Reader): Expression {
  const { value } = peek(reader)!;
  if (value === "{") return readGroup(reader, "{", "}", "command");
  reader.at += 1;
  if (value === "pi") return { kind: "constant", name: "pi" };
  if (value === "lfloor" || value === "lceil") {
    const inner = nested(reader, () => reader.grammar.sum(reader));
    expect(reader, value === "lfloor" ? "rfloor" : "rceil", "command");
    return call(value === "lfloor" ? "floor" : "ceil", inner);
  }
  if (ACCENTS.has(value)) return call(`?${value}`, reader.grammar.argument(reader));
  if (value === "frac") return readDerivative(reader) ?? quotient(reader.grammar.argument(reader), reader.grammar.argument(reader));
  if (value === "binom") return call("binomial", reader.grammar.argument(reader), reader.grammar.argument(reader));
  if (value === "sqrt") return readRoot(reader);
  if (value === "root") return readPlainRoot(reader);
  if (value === "Gamma" && sees(reader, "(")) return gamma(reader.grammar.argument(reader));
  if (value === "sum" || value === "prod" || value === "int" || value === "lim") return readBound(reader, value);
  if (isFunction(value)) return parseCall(reader, value);
  return SYMBOL_NAMES.has(value) ? { kind: "variable", name: `\\${value}` } : unreadable();
}

/** Marks that make another quantity of one: the conjugate, the mean, the vector. */
const ACCENTS = new Set(["bar", "hat", "tilde", "vec", "dot", "ddot"]);

function readRoot(reader: Reader): Expression {
  let degree: Expression | null = null;
  if (sees(reader, "[")) degree = readGroup(reader, "[", "]", "symbol");
  const radicand = reader.grammar.argument(reader);
  return power(radicand, degree === null ? numeral(HALF) : quotient(numeral(ONE), degree));
}

/** TeX's `\root 3 \of x`, and `\root{3}{x}`. */
function readPlainRoot(reader: Reader): Expression {
  const degree = reader.grammar.argument(reader);
  if (sees(reader, "of", "command")) reader.at += 1;
  return power(reader.grammar.argument(reader), quotient(numeral(ONE), degree));
}

/** Gamma(x) = (x - 1)! */
const gamma = (argument: Expression): Expression => call("factorial", { kind: "sum", terms: [argument, MINUS_ONE] });

const SYMBOL_NAMES = new Set(
  ("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi psi omega " +
    "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell hbar").split(" "),
);
