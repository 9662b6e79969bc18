import type { Answer } from "./answer.ts";
import { keyOf, leafFrom, leafOf } from "./leaf.ts";
import { numeral } from "./expression.ts";
import { labelOf } from "./labels.ts";
import { collection, hasTightComma, MAX_ITEMS, readSeparated } from "./lists.ts";
import { evaluateMatrices } from "./matrices.ts";
import { isFunction } from "./parse-call.ts";
import { REALS, region, writtenInterval } from "./regions.ts";
import { readRelation } from "./relations.ts";
import { readSetAlgebra } from "./set-algebra.ts";
import { cut, isCommand, isOneGroup, isSymbol, split, topLevel, trimmed } from "./split.ts";
import type { TopLevel } from "./split.ts";
import { SYMBOLS, WORDS } from "./spellings.ts";
import { tokenize } from "./tokens.ts";
import type { Token } from "./tokens.ts";
import { canonicalUnit, isQualifier, multiplierOf } from "./units.ts";

const MAX_DEPTH = 12;
const WORDS_ONLY = /^[\s.]*\p{L}[\p{L}'’-]{0,30}(?:[\s,]+\p{L}[\p{L}'’-]{0,30}){0,12}[\s.!]*$/u;
const isSeparator = (token: Token): boolean => isSymbol(token, ",", ";", "∨");

/** Gives the structure of an answer as written; `null` when nothing is left of it without typesetting. */
export type ReadAnswer = (text: string) => Answer | null;

/**
 * A reader that remembers what it read lately, by text and by tokens: the same answer typeset in ten ways is
 * read and evaluated once.
 */
export function createReader(remembered = 1024): ReadAnswer {
  const byText = new Map<string, Answer | null>();
  const byTokens = new Map<string, Answer | null>();
  return (text) => {
    const known = byText.get(text);
    if (known !== undefined) return known;
    if (byText.size >= remembered) for (const memory of [byText, byTokens]) memory.clear();
    const answer = readWordedChoice(text) ?? readWords(text) ?? readTokens(text, byTokens);
    byText.set(text, answer);
    return answer;
  };
}

function readTokens(text: string, byTokens: Map<string, Answer | null>): Answer | null {
  const tokens = tokenize(text);
  if (tokens === null) return { kind: "text", key: `'${text.trim()}`, letters: null };
  const kept = trimmed(tokens);
  // Tokens of one key are read alike: the parser sees no spaces, but for 3,14 and 3, 14.
  const key = hasTightComma(kept) ? `${keyOf(kept)},` : keyOf(kept);
  const known = byTokens.get(key);
  if (known !== undefined) return known;
  const answer = kept.length === 0 ? null : structureOf(kept, 0);
  byTokens.set(key, answer);
  return answer;
}

const WORDED_CHOICE = /^\s*(?:([A-J])[).]\s+(?=\S)|\(([A-J])\)\s+(?=\p{L}{3}))/u;

/** `B) Paris`, `B. x = 2` and `(B) Paris`: a choice whose bracket can't be one of a formula, and its value. */
function readWordedChoice(text: string): Answer | null {
  const choice = WORDED_CHOICE.exec(text);
  if (!choice) return null;
  const rest = text.slice(choice[0].length);
  const value = readWords(rest) ?? readTokens(rest, new Map());
  return value && { kind: "labelled", key: `(${choice[1] ?? choice[2]!})${value.key}`, label: `(${choice[1] ?? choice[2]!})`, value, equation: null };
}

/** Words without mathematics, or a list of them; `null` for anything that may be a formula, such as `xyz`. */
function readWords(text: string): Answer | null {
  if (text.length > 400 || /[\d\\$]/.test(text) || !WORDS_ONLY.test(text)) return null;
  const items = text.split(/,|\b(?:and|or)\b/i).map((item) => item.replace(/[^\p{L}'’-]+/gu, " ").trim()).filter((item) => item !== "");
  if (items.length === 0 || !items.every(isWords)) return null;
  return collection(items.map(textAnswer), true, `"${items.join(",")}"`);
}

/** Whether one of the words is no product of letters or symbols such as π, and no function's name. */
const isWords = (text: string): boolean => /^no$/i.test(text) || text.split(/[ -]/).some(isWord);
const isWord = (word: string): boolean =>
  Array.from(word).some((letter) => letter > "\x7f" && !SYMBOLS.has(letter)) || (word.length >= 3 && /[aeiou]/i.test(word) && !WORDS.has(word.toLowerCase()));

/** Words without case and article; ABC may be a product, whose case counts. */
function textAnswer(words: string): Answer {
  const letters = /^[A-Za-z]{3,4}$/.test(words) ? words : null;
  const kept = /^[A-Z]{3,4}$/.test(words) ? words : words.toLowerCase().replace(/^(?:the|an?) /, "");
  return { kind: "text", key: `"${kept}"`, letters };
}

/** The structure of the tokens of an answer or of a part of one. */
function structureOf(given: readonly Token[], depth: number): Answer {
  const tokens = trimmed(given);
  if (tokens.length === 0 || depth > MAX_DEPTH) return leafOf(given);
  const choice = readChoice(tokens, depth);
  if (choice) return choice;
  const marks = topLevel(tokens);
  if (marks.arrows.length > 0) return structureOf(tokens.slice(marks.arrows.at(-1)! + 1), depth + 1);
  if (marks.separators.length > 0) return readSeparated(tokens, marks.separators, (part) => structureOf(part, depth + 1));
  if (marks.relations.length > 0) return readRelation(tokens, marks.relations, (part) => structureOf(part, depth + 1));
  return readValue(tokens, marks, depth);
}

/** (B) 12: the letter of a choice before its value. */
function readChoice(tokens: readonly Token[], depth: number): Answer | null {
  const letter = tokens[1];
  const rest = tokens[3];
  if (!rest || !isSymbol(tokens[0], "(") || letter?.kind !== "letter" || !/^[A-J]$/.test(letter.value) || !isSymbol(tokens[2], ")")) return null;
  if (rest.kind !== "number" && rest.kind !== "text" && !isCommand(rest, "frac", "dollar", "sqrt")) return null;
  return { kind: "labelled", key: keyOf(tokens), label: `(${letter.value})`, value: structureOf(tokens.slice(3), depth + 1), equation: null };
}

/** A value without separators and relations at its top level. */
function readValue(tokens: readonly Token[], marks: TopLevel, depth: number): Answer {
  if (tokens.length === 1 && tokens[0]!.kind === "number") return leafOf(tokens);
  const signs = tokens.findIndex((token) => isSymbol(token, "±", "∓"));
  if (signs >= 0) return readPlusMinus(tokens, depth);
  const matrix = tokens.some(({ kind }) => kind === "environment") ? readMatrix(tokens, depth) : null;
  if (matrix) return matrix;
  if (marks.setOperators.length > 0) return readSetAlgebra(tokens, marks.setOperators, (part) => structureOf(part, depth + 1));
  if (isOneGroup(tokens) || isHalfOpen(tokens)) return readGroup(tokens, depth);
  if (isCommand(tokens[0], "mathbb{R}") && tokens.length === 1) return region([REALS], keyOf(tokens));
  if (isCommand(tokens[0], "emptyset") && tokens.length === 1) return { kind: "collection", key: "{}", listed: false, items: [] };
  if (marks.colons.length > 0) return readRatio(cut(tokens, marks.colons), tokens, depth);
  return readQuantity(tokens, depth) ?? leafOrText(tokens);
}

function leafOrText(tokens: readonly Token[]): Answer {
  const leaf = leafOf(tokens);
  const isWord = leaf.expression === null && tokens.every(({ kind, value }) => kind === "text" || kind === "letter" || value === "-" || value === "'");
  if (!isWord || tokens.length === 0) return leaf;
  return textAnswer(tokens.map(({ kind, value }) => (kind === "text" ? ` ${value} ` : value)).join("").replace(/\s+/g, " ").trim());
}

/** a ± b is the two values; every sign of one answer goes the same way. */
function readPlusMinus(tokens: readonly Token[], depth: number): Answer {
  const signed = (upper: boolean): Answer => {
    const chosen = tokens.map((token): Token => {
      if (!isSymbol(token, "±", "∓")) return token;
      return { ...token, value: (token.value === "±") === upper ? "+" : "-" };
    });
    return structureOf(chosen, depth + 1);
  };
  const [plus, minus] = [signed(true), signed(false)];
  if (plus.kind === "collection" && minus.kind === "collection" && isOneGroup(tokens)) return collection([...plus.items, ...minus.items], false, keyOf(tokens));
  return { kind: "collection", key: keyOf(tokens), listed: true, items: [plus, minus] };
}

/** A matrix, or what comes of matrices by arithmetic; `null` where the tokens are neither. */
function readMatrix(tokens: readonly Token[], depth: number): Answer | null {
  const key = keyOf(tokens);
  if (tokens[0]!.kind === "environment" && tokens[0]!.value !== "begin:vmatrix" && isOneGroup(tokens)) {
    const rows = split(tokens.slice(1, -1), (token) => isSymbol(token, "\\\\")).filter((row) => row.length > 0);
    return { kind: "matrix", key, rows: rows.map((row) => split(row, (token) => isSymbol(token, "&")).map((cell) => structureOf(cell, depth + 1))) };
  }
  const value = isOneGroup(tokens) && tokens[0]!.kind !== "environment" ? null : evaluateMatrices(tokens);
  if (value === null) return null;
  if ("scalar" in value) return leafFrom(key, value.scalar);
  return { kind: "matrix", key, rows: value.rows.map((row, index) => row.map((cell, column) => leafFrom(`${key}[${index},${column}]`, cell))) };
}

/** [a, b) and (a, b]: the brackets don't match, and no other bracket closes before the end. */
function isHalfOpen(tokens: readonly Token[]): boolean {
  const [first, last] = [tokens[0], tokens.at(-1)];
  return ((isSymbol(first, "(") && isSymbol(last, "]")) || (isSymbol(first, "[") && isSymbol(last, ")"))) && isOneGroup(tokens);
}

function readGroup(tokens: readonly Token[], depth: number): Answer {
  const open = tokens[0]!.value;
  const inner = trimmed(tokens.slice(1, -1));
  const key = keyOf(tokens);
  const isSet = open === "{";
  if (inner.length === 0) return isSet ? { kind: "collection", key: "{}", listed: false, items: [] } : leafOf(tokens);
  const builder = isSet ? readBuilder(inner, depth) : null;
  if (builder) return builder;
  const parts = split(inner, isSeparator);
  const close = tokens.at(-1)!.value;
  const isMixed = (open === "(" && close === "]") || (open === "[" && close === ")");
  if (parts.length > MAX_ITEMS || (isMixed && parts.length !== 2)) return { ...leafOf([]), key };
  if (parts.length === 1) {
    const only = structureOf(inner, depth + 1);
    if (tokens[0]!.kind === "command" && isSet && only.kind === "collection" && !only.listed) return { kind: "collection", key, listed: false, items: [only] };
    // (x + 1) and {x} are formulas in brackets; |x| and the like keep theirs.
    return only.kind === "leaf" && only.expression === null ? leafOrText(isSet || open === "(" ? inner : tokens) : only;
  }
  const items = parts.map((part) => structureOf(part, depth + 1));
  // Bare braces are invisible in LaTeX: {1, 3} is the list 1, 3.
  if (isSet) return collection(items, tokens[0]!.kind === "symbol", key);
  const [low, high] = items;
  const isUnbounded = low?.kind === "leaf" && high?.kind === "leaf" && (low.infinite === -1 || high.infinite === 1);
  if (items.length === 2 && low?.kind === "leaf" && high?.kind === "leaf" && (isMixed || isUnbounded)) {
    return writtenInterval(low, high, open === "[", close === "]", key);
  }
  return { kind: "sequence", key, brackets: open === "langle" ? "(" : open, items };
}

/** { x | condition } is what the condition says of x. */
function readBuilder(inner: readonly Token[], depth: number): Answer | null {
  const bar = inner.findIndex((token) => isSymbol(token, "|", ":"));
  if (bar <= 0) return null;
  const [subject = []] = split(inner.slice(0, bar), (token) => isSymbol(token, "∈"));
  if (labelOf(subject) === null) return null;
  const condition = structureOf(inner.slice(bar + 1), depth + 1);
  return condition.kind === "labelled" ? condition.value : condition;
}

/** a : b, or the time of day where the second part has two digits. */
function readRatio(parts: readonly (readonly Token[])[], tokens: readonly Token[], depth: number): Answer {
  const isTime = parts.length <= 3 && parts.slice(1).every((part) => part.length === 1 && /^\d\d$/.test(part[0]!.value));
  const items = parts.map((part) => structureOf(part, depth + 1));
  return { kind: "sequence", key: keyOf(tokens), brackets: isTime ? "time" : ":", items };
}

const CURRENCIES: ReadonlyMap<string, string> = new Map([["dollar", "dollar"], ["euro", "euro"], ["pound", "pound sterling"]]);

/** A value with a unit or currency; `null` where there is none. */
function readQuantity(tokens: readonly Token[], depth: number): Answer | null {
  const key = keyOf(tokens);
  const [first, last] = [tokens[0]!, tokens.at(-1)!];
  const quantity = (unit: string, part: readonly Token[]): Answer => ({ kind: "quantity", key, unit, value: structureOf(part, depth + 1) });
  if (tokens.length < 2) return null;
  if (first.kind === "command" && CURRENCIES.has(first.value)) return quantity(CURRENCIES.get(first.value)!, tokens.slice(1));
  if (isSymbol(first, "-", "+") && tokens[1]!.kind === "command" && CURRENCIES.has(tokens[1]!.value)) {
    return quantity(CURRENCIES.get(tokens[1]!.value)!, [first, ...tokens.slice(2)]);
  }
  if (last.kind === "command" && CURRENCIES.has(last.value)) return quantity(CURRENCIES.get(last.value)!, tokens.slice(0, -1));
  // \tan 45^\circ is a number; 45^\circ is an angle.
  const degree = tokens.some(({ kind, value }) => kind === "command" && isFunction(value)) ? 0 : degreeStart(tokens);
  if (degree > 0) return quantity("degree", tokens.slice(0, degree));
  return readWordedQuantity(tokens, key, depth);
}

function readWordedQuantity(tokens: readonly Token[], key: string, depth: number): Answer | null {
  const text = tokens.findIndex(({ kind }) => kind === "text");
  if (text < 0 || tokens.some(({ kind, value }) => kind === "text" && isQualifier(value))) return null;
  if (text === 0) {
    // "The total is 5": words before a value name it.
    const rest = tokens.slice(1);
    return rest.some(({ kind }) => kind === "text") ? null : { kind: "labelled", key, label: tokens[0]!.value, value: structureOf(rest, depth + 1), equation: null };
  }
  const tail = tokens.slice(text);
  const isUnit = tail.every((token, index) =>
    token.kind === "number" ? isSymbol(tail[index - 1], "^", "{", "-") : token.kind === "text" || token.kind === "letter" || isSymbol(token, "^", "{", "}", "/", "*", "-"),
  );
  if (!isUnit) return null;
  const written = tail.map(({ value }) => value).join(" ");
  const multiplied = multiplierOf(written);
  const value = structureOf(tokens.slice(0, text), depth + 1);
  if (multiplied === null) return { kind: "quantity", key, unit: canonicalUnit(written), value };
  if (value.kind !== "leaf" || value.expression === null) return null;
  const factor = numeral({ top: multiplied.factor, bottom: 1n });
  const number = leafFrom(`${value.key}*${multiplied.factor}`, { kind: "product", factors: [value.expression, factor] });
  return multiplied.rest === "" ? number : { kind: "quantity", key, unit: canonicalUnit(multiplied.rest), value: number };
}

/** Where a final degree sign begins, with C or F for temperatures; 0 where there is none. */
function degreeStart(tokens: readonly Token[]): number {
  const last = tokens.at(-1)!;
  const end = /^[CF]$/i.test(last.value) && tokens.length > 2 ? tokens.length - 1 : tokens.length;
  if (isCommand(tokens[end - 1], "degree")) return end - (isSymbol(tokens[end - 2], "^") ? 2 : 1);
  if (isCommand(tokens[end - 1], "circ") && isSymbol(tokens[end - 2], "^")) return end - 2;
  return isSymbol(tokens[end - 1], "}") && isCommand(tokens[end - 2], "circ") && isSymbol(tokens[end - 4], "^") ? end - 4 : 0;
}
