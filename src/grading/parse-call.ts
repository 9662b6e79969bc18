import { call, numeral, power, quotient } from "./expression.ts";
import type { Expression } from "./expression.ts";
import type { Rational } from "./rational.ts";
import { expect, nested, peek, readGroup, sees, unreadable } from "./reader.ts";
import type { Reader } from "./reader.ts";

const TEN: Rational = { top: 10n, bottom: 1n };
const SIMPLE = new Set(
  ("sin cos tan cot sec csc sinh cosh tanh coth sech csch arcsin arccos arctan arccot arcsec arccsc " +
    "arcsinh arccosh arctanh ln log lg exp").split(" "),
);
const LISTED = new Set(["min", "max", "gcd", "lcm", "abs", "sgn", "floor", "ceil"]);
const INVERTIBLE = new Set("sin cos tan cot sec csc sinh cosh tanh".split(" "));

export const isFunction = (name: string): boolean => SIMPLE.has(name) || LISTED.has(name);

/** Reads the arguments of a function whose name was just read. */
export function parseCall(reader: Reader, name: string): Expression {
  if (!SIMPLE.has(name)) return call(name, ...readList(reader));
  let called = name;
  let base: Expression | null = null;
  let exponent: Expression | null = null;
  while (sees(reader, "^") || sees(reader, "_")) {
    const raised = sees(reader, "^");
    reader.at += 1;
    const part = reader.grammar.argument(reader);
    if (!raised) base = part;
    else if (part.kind === "number" && part.value.top === -1n && INVERTIBLE.has(name)) called = `arc${name}`;
    else exponent = part;
  }
  const value = applied(called, readOperand(reader), base, reader.logBase);
  return exponent === null ? value : power(value, exponent);
}

function applied(name: string, operand: Expression, base: Expression | null, logBase: "e" | "10"): Expression {
  if (name === "exp") return power({ kind: "constant", name: "e" }, operand);
  const isLog = name === "log" || name === "lg" || name === "ln";
  if (!isLog) return base === null ? call(name, operand) : unreadable();
  const decimal = name === "lg" || (name === "log" && logBase === "10");
  const by = base ?? (decimal ? numeral(TEN) : null);
  return by === null ? call("ln", operand) : quotient(call("ln", operand), call("ln", by));
}

/** What a function without brackets takes: factors up to the next function, bracket or operator. */
function readOperand(reader: Reader): Expression {
  if (sees(reader, "(") || sees(reader, "[") || sees(reader, "{")) return reader.grammar.argument(reader);
  if (sees(reader, "-")) return reader.grammar.argument(reader);
  const factors = [reader.grammar.factor(reader)];
  while (continuesOperand(reader)) factors.push(reader.grammar.factor(reader));
  return factors.length === 1 ? factors[0]! : { kind: "product", factors };
}

function continuesOperand(reader: Reader): boolean {
  const token = peek(reader);
  if (!token) return false;
  if (token.kind === "letter") return true;
  return token.kind === "command" && ["frac", "sqrt", "pi", "theta", "alpha", "beta", "phi", "omega", "lambda"].includes(token.value);
}

const BRACKETS: readonly (readonly [string, string, "symbol" | "command"])[] = [
  ["(", ")", "symbol"],
  ["[", "]", "symbol"],
  ["{", "}", "command"],
  ["{", "}", "symbol"],
];

function readList(reader: Reader): Expression[] {
  for (const [open, close, kind] of BRACKETS) {
    if (!sees(reader, open, kind)) continue;
    if (kind === "symbol" && open === "{" && reader.tokens[reader.at + 1]?.value === "(") return [readGroup(reader, open, close, kind)];
    reader.at += 1;
    return nested(reader, () => {
      const parts = [reader.grammar.sum(reader)];
      while (sees(reader, ",")) {
        reader.at += 1;
        parts.push(reader.grammar.sum(reader));
      }
      expect(reader, close, kind);
      return parts;
    });
  }
  return [reader.grammar.argument(reader)];
}
