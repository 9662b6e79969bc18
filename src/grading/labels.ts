import { keyOf } from "./leaf.ts";
import type { Token } from "./tokens.ts";

const NAME = String.raw`(?:[A-Za-z]|\\(?:alpha|beta|gamma|delta|theta|lambda|mu|nu|rho|sigma|tau|phi|psi|omega|epsilon|Delta|ell) )(?:_(?:[A-Za-z0-9]|\{[^{}]{1,12}\}))?'{0,3}`;
const PATTERNS = [
  `^${NAME}$`,
  // f(x), P(A \cup B), f^{-1}(x)
  String.raw`^${NAME}(?:\^\{-1\})?\((?=[^()]{0,20}[A-Za-z])[^()]{1,20}\)$`,
  // AB, ABC and their marks
  String.raw`^(?:\\(?:angle|triangle|vec|bar|hat|tilde) )?\{?[A-Z]{1,4}\}?$`,
  String.raw`^m?\\angle \{?[A-Z]{1,3}\}?$`,
  String.raw`^\|[A-Za-z]{1,3}\|$`,
  // ratios of names
  String.raw`^\\frac (?:\{[A-Za-z]{1,4}\}|[A-Za-z])(?:\{[A-Za-z]{1,4}\}|[A-Za-z])$`,
  `^(?:[A-Z]{1,2}|${NAME})(?:[:/](?:[A-Z]{1,2}|${NAME})){1,3}$`,
  // (x, y)
  String.raw`^\((?:${NAME}[,;]){1,5}${NAME}\)$`,
  String.raw`^\\(?:sin|cos|tan|cot|sec|csc) (?:\\angle )?(?:${NAME}|\(${NAME}\)|\{${NAME}\})$`,
  `^"[^"]{1,40}"$`,
].map((pattern) => new RegExp(pattern));

/** The name that a side of an equation is, such as x, x_1, f(x), AB, (p,q) or \text{Area}; `null` for a formula. */
export function labelOf(tokens: readonly Token[]): string | null {
  if (tokens.length === 0 || tokens.length > 24) return null;
  const key = keyOf(tokens);
  if (key === "e" || key === "i") return null;
  return PATTERNS.some((pattern) => pattern.test(key)) ? key.replace(/[{}"]/g, "") : null;
}
