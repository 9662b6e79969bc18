import { call, evaluate, numeral, RATIONALS, substitute, visit } from "./expression.ts";
import type { Expression } from "./expression.ts";
import { rational } from "./rational.ts";
import { nested, peek, readTokens, sees, unreadable } from "./reader.ts";
import type { Reader } from "./reader.ts";
import type { Token } from "./tokens.ts";

/** Sums and products are written out up to this many terms and nodes; longer ones stay symbols. */
const MAX_TERMS = 100n;
const MAX_NODES = 3000;
/** Stands for every bound variable, so that renaming it changes nothing. */
const BOUND: Expression = { kind: "variable", name: "#" };

/**
 * `\\sum`, `\\prod`, `\\int` or `\\lim`, whose command was just read. Short sums and products are written out;
 * everything else is an unknown function of its bounds and body, equal where those are equal.
 */
export function readBound(reader: Reader, name: "sum" | "prod" | "int" | "lim"): Expression {
  let [lower, upper]: [readonly Token[], readonly Token[]] = [[], []];
  while (sees(reader, "_") || sees(reader, "^")) {
    const isLower = sees(reader, "_");
    reader.at += 1;
    const part = argumentTokens(reader);
    if (isLower) lower = part;
    else upper = part;
  }
  if (name === "int") return readIntegral(reader, lower, upper);
  const separator = lower[1];
  const [variable] = lower;
  if (!variable || separator?.value !== (name === "lim" ? "to" : "=")) unreadable();
  const from = limit(reader, lower.slice(2));
  const body = nested(reader, () => reader.grammar.product(reader));
  const bound = nameOf(variable);
  if (name === "lim") return call("?lim", from, substitute(body, bound, BOUND));
  const to = limit(reader, upper);
  return writtenOut(name, bound, from, to, body) ?? call(`?${name}`, from, to, substitute(body, bound, BOUND));
}

const nameOf = ({ kind, value }: Token): string => (kind === "command" ? `\\${value}` : value);

function argumentTokens(reader: Reader): readonly Token[] {
  const start = reader.at;
  if (!sees(reader, "{")) {
    if (!peek(reader)) unreadable();
    reader.at += sees(reader, "-") ? 2 : 1;
    return reader.tokens.slice(start, reader.at);
  }
  let depth = 0;
  do {
    const token = peek(reader) ?? unreadable();
    depth += token.value === "{" ? 1 : token.value === "}" ? -1 : 0;
    reader.at += 1;
  } while (depth > 0);
  return reader.tokens.slice(start + 1, reader.at - 1);
}

/** A bound; infinities are symbols, and 3^+ is 3 from above. */
function limit(reader: Reader, tokens: readonly Token[]): Expression {
  const last = tokens.at(-1);
  if (last?.value === "infty" && tokens.length <= 2) return { kind: "variable", name: tokens[0]!.value === "-" ? "-\\infty" : "\\infty" };
  const side = tokens.filter(({ value }) => value !== "{" && value !== "}").slice(-2).map(({ value }) => value).join("");
  const approached = side === "^+" ? "?above" : side === "^-" ? "?below" : null;
  const end = tokens.findLastIndex(({ value }) => value === "^");
  const at = readTokens(reader, approached === null ? tokens : tokens.slice(0, end));
  return approached === null ? at : call(approached, at);
}

function writtenOut(name: "sum" | "prod", variable: string, from: Expression, to: Expression, body: Expression): Expression | null {
  const [first, last] = [evaluate(from, RATIONALS), evaluate(to, RATIONALS)];
  if (first?.bottom !== 1n || last?.bottom !== 1n || last.top < first.top || last.top - first.top >= MAX_TERMS) return null;
  let nodes = 0;
  visit(body, () => (nodes += 1));
  if (nodes * Number(last.top - first.top + 1n) > MAX_NODES) return null;
  const parts: Expression[] = [];
  for (let index = first.top; index <= last.top; index++) parts.push(substitute(body, variable, numeral(rational(index) ?? unreadable())));
  return name === "sum" ? { kind: "sum", terms: parts } : { kind: "product", factors: parts };
}

/** The integrand ends at the first `dx` outside all brackets. */
function readIntegral(reader: Reader, lower: readonly Token[], upper: readonly Token[]): Expression {
  let depth = 0;
  for (let at = reader.at; at + 1 < reader.end; at++) {
    const { kind, value } = reader.tokens[at]!;
    if (value === "(" || value === "{" || value === "[") depth += 1;
    else if (value === ")" || value === "}" || value === "]") depth -= 1;
    const next = reader.tokens[at + 1]!;
    if (depth !== 0 || kind !== "letter" || value !== "d" || (next.kind !== "letter" && next.kind !== "command")) continue;
    const body = at === reader.at ? numeral({ top: 1n, bottom: 1n }) : readPart(reader, at);
    reader.at = at + 2;
    const bounds = lower.length > 0 && upper.length > 0 ? [limit(reader, lower), limit(reader, upper)] : [];
    // Without bounds the variable stays free: it is the variable of the result.
    const integrand = bounds.length > 0 ? substitute(body, nameOf(next), BOUND) : body;
    return call("?int", ...bounds, integrand, ...(bounds.length > 0 ? [] : [{ kind: "variable", name: nameOf(next) } as const]));
  }
  return unreadable();
}

function readPart(reader: Reader, end: number): Expression {
  const part: Reader = { ...reader, end };
  const body = nested(part, () => part.grammar.sum(part));
  return part.at === end ? body : unreadable();
}

/** `\\frac{d}{dx}` and what it is applied to; `null`, with nothing read, for any other fraction. */
export function readDerivative(reader: Reader): Expression | null {
  const { tokens, at } = reader;
  const written = tokens.slice(at, at + 7).map(({ value }) => value);
  if (written.slice(0, 5).join("") !== "{d}{d" || written[6] !== "}" || at + 7 > reader.end) return null;
  reader.at = at + 7;
  const body = nested(reader, () => reader.grammar.product(reader));
  return call("?derivative", body, { kind: "variable", name: nameOf(tokens[at + 5]!) });
}
