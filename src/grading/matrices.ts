import { MINUS_ONE, negated, quotient } from "./expression.ts";
import type { Expression } from "./expression.ts";
import { parseExpression } from "./parse.ts";
import { closingOf, isOneGroup, isSymbol, positions, split } from "./split.ts";
import type { Token } from "./tokens.ts";

/** A matrix of formulas, `[row][column]`; a scalar is the formula alone. */
type Value = { readonly rows: readonly (readonly Expression[])[]; readonly terms: number } | { readonly scalar: Expression };

const MAX_SIZE = 6;
/** Products are written out, so their entries grow with every factor: up to this many terms. */
const MAX_TERMS = 500;

const sum = (terms: readonly Expression[]): Expression => (terms.length === 1 ? terms[0]! : { kind: "sum", terms });
const product = (...factors: readonly Expression[]): Expression => ({ kind: "product", factors });

/**
 * The value of sums, products, powers, transposes and determinants of matrices; `null` where the tokens are
 * something else or the sizes don't fit.
 */
export function evaluateMatrices(tokens: readonly Token[]): Value | null {
  const signs = positions(tokens, (token) => isSymbol(token, "+", "-")).filter((at) => at > 0 && !isSymbol(tokens[at - 1], "*", "^"));
  const starts = [0, ...signs];
  let total: Value | null = null;
  for (const [index, start] of starts.entries()) {
    const isSigned = isSymbol(tokens[start], "+", "-");
    const term = evaluateTerm(tokens.slice(start + Number(isSigned), starts[index + 1] ?? tokens.length));
    const signed: Value | null = term && isSymbol(tokens[start], "-") ? multiply({ scalar: MINUS_ONE }, term) : term;
    total = signed && (index === 0 ? signed : total && add(total, signed));
    if (total === null) return null;
  }
  return total;
}

function evaluateTerm(tokens: readonly Token[]): Value | null {
  let result: Value | null = null;
  for (let at = 0; at < tokens.length; ) {
    if (isSymbol(tokens[at], "*")) {
      at += 1;
      continue;
    }
    const end = factorEnd(tokens, at);
    const base = evaluateFactor(tokens.slice(at, end));
    const [value, next] = base ? raised(base, tokens, end) : [null, end];
    if (value === null) return null;
    result = result === null ? value : multiply(result, value);
    if (result === null) return null;
    at = next;
  }
  return result;
}

/** Where the bracket or matrix that begins here ends, or else the scalar before the next matrix. */
function factorEnd(tokens: readonly Token[], start: number): number {
  const holdsMatrix = (at: number): boolean => {
    const close = closingOf(tokens, at);
    return close > 0 && tokens.slice(at, close).some(({ kind }) => kind === "environment");
  };
  const isOpener = (token: Token): boolean => token.kind === "environment" || isSymbol(token, "(", "[");
  if (isOpener(tokens[start]!) && holdsMatrix(start)) return closingOf(tokens, start) + 1;
  const next = positions(tokens.slice(start), (token) => isSymbol(token, "*"))[0] ?? tokens.length - start;
  const matrix = tokens.findIndex((token, index) => index > start && isOpener(token) && holdsMatrix(index));
  return matrix < 0 ? start + next : Math.min(matrix, start + next);
}

function evaluateFactor(tokens: readonly Token[]): Value | null {
  const [first] = tokens;
  if (first?.kind !== "environment") {
    if (tokens.every(({ kind }) => kind !== "environment")) {
      const scalar = parseExpression(tokens);
      return scalar && { scalar };
    }
    return isOneGroup(tokens) ? evaluateMatrices(tokens.slice(1, -1)) : null;
  }
  const rows = split(tokens.slice(1, -1), (token) => isSymbol(token, "\\\\"))
    .filter((row) => row.length > 0)
    .map((row) => split(row, (token) => isSymbol(token, "&")).map((cell) => parseExpression(cell)));
  const [width] = rows.map((row) => row.length);
  const cells = rows.map((row) => row.flatMap((cell) => (cell ? [cell] : [])));
  if (width === undefined || cells.some((row) => row.length !== width) || rows.length > MAX_SIZE || width > MAX_SIZE) return null;
  if (first.value !== "begin:vmatrix") return { rows: cells, terms: 1 };
  const scalar = determinant(cells);
  return scalar && { scalar };
}

/** The exponent after a matrix: T, -1 or a small natural number. */
function raised(base: Value, tokens: readonly Token[], at: number): [Value | null, number] {
  if (!isSymbol(tokens[at], "^") || "scalar" in base) return [base, at];
  const isBraced = isSymbol(tokens[at + 1], "{");
  const end = isBraced ? tokens.findIndex((token, index) => index > at && isSymbol(token, "}")) : at + 1;
  const exponent = tokens.slice(at + (isBraced ? 2 : 1), isBraced ? end : at + 2).map(({ value }) => value).join("");
  if (["T", "top", "t"].includes(exponent)) return [{ ...base, rows: base.rows[0]!.map((_, column) => base.rows.map((row) => row[column]!)) }, end + 1];
  if (exponent === "-1") return [inverse(base.rows, base.terms), end + 1];
  const power = /^[1-9]$/.test(exponent) ? Number(exponent) : 0;
  if (power < 1) return [null, end + 1];
  let result: Value | null = base;
  for (let count = 1; count < power && result; count++) result = multiply(result, base);
  return [result, end + 1];
}

function add(a: Value, b: Value): Value | null {
  if ("scalar" in a || "scalar" in b) return "scalar" in a && "scalar" in b ? { scalar: sum([a.scalar, b.scalar]) } : null;
  if (a.rows.length !== b.rows.length || a.rows[0]!.length !== b.rows[0]!.length) return null;
  return { terms: a.terms + b.terms, rows: a.rows.map((row, index) => row.map((cell, column) => sum([cell, b.rows[index]![column]!]))) };
}

function multiply(a: Value, b: Value): Value | null {
  if ("scalar" in a) return "scalar" in b ? { scalar: product(a.scalar, b.scalar) } : { ...b, rows: b.rows.map((row) => row.map((cell) => product(a.scalar, cell))) };
  if ("scalar" in b) return multiply(b, a);
  const terms = b.rows.length * (a.terms + b.terms);
  if (a.rows[0]!.length !== b.rows.length || terms > MAX_TERMS) return null;
  return { terms, rows: a.rows.map((row) => b.rows[0]!.map((_, column) => sum(row.map((cell, index) => product(cell, b.rows[index]![column]!))))) };
}

type Rows = readonly (readonly Expression[])[];

const minor = (rows: Rows, row: number, column: number): Rows => rows.filter((_, index) => index !== row).map((cells) => cells.filter((_, index) => index !== column));

/** By expansion along the first row, for sizes up to 4. */
function determinant(rows: Rows): Expression | null {
  if (rows.length !== rows[0]!.length || rows.length > 4) return null;
  if (rows.length === 1) return rows[0]![0]!;
  const terms: Expression[] = [];
  for (const [column, cell] of rows[0]!.entries()) {
    const rest = determinant(minor(rows, 0, column));
    if (rest === null) return null;
    const term = product(cell, rest);
    terms.push(column % 2 === 0 ? term : negated(term));
  }
  return sum(terms);
}

/** The adjugate over the determinant, for sizes 2 and 3. */
function inverse(rows: Rows, terms: number): Value | null {
  const scale = rows.length >= 2 && rows.length <= 3 ? determinant(rows) : null;
  if (scale === null) return null;
  return {
    terms: 9 * terms,
    rows: rows.map((row, index) =>
      row.map((_, column) => {
        const cofactor = determinant(minor(rows, column, index))!;
        return quotient((index + column) % 2 === 0 ? cofactor : negated(cofactor), scale);
      }),
    ),
  };
}
