/**
 * Looks for inputs that make the answer judge slow, greedy for memory, or throw. Inputs are grammatical
 * LaTeX, mutations of it, and random characters. Prints the slowest.
 * Run: npx tsx --expose-gc bench/grading-fuzz.ts [inputs] [seed]
 */
import { createGrader, EXTRACTION_RULES, extractAnswer, sameAnswer } from "../src/grading/index.ts";
import { createRandom } from "../src/util/random.ts";

const inputs = Number(process.argv[2] ?? 200_000);
const seed = Number(process.argv[3] ?? 1);
const random = createRandom(seed);
const pick = <T>(items: readonly T[]): T => items[random.integer(items.length)]!;

const ATOMS = ["x", "y", "n", "e", "i", "\\pi", "\\theta", "0", "1", "2", "7", "10", "999999999", "0.5", "1{,}000", "3.14159", "10^{10}", "\\infty", "f(x)", "x_1", "50\\%", "\\text{cm}", "\\text{ and }", "abc"];
const FUNCTIONS = ["\\sin", "\\cos", "\\tan", "\\ln", "\\log", "\\sqrt", "\\arcsin", "\\sinh", "\\max", "\\gcd", "\\lfloor"];

function formula(depth: number): string {
  if (depth <= 0) return pick(ATOMS);
  const part = (): string => formula(depth - 1 - random.integer(2));
  switch (random.integer(17)) {
    case 0: return `${part()} + ${part()}`;
    case 1: return `${part()} - ${part()}`;
    case 2: return `${part()}${part()}`;
    case 3: return `\\frac{${part()}}{${part()}}`;
    case 4: return `${part()}^{${part()}}`;
    case 5: return `\\left(${part()}\\right)`;
    case 6: return `${pick(FUNCTIONS)}(${part()})`;
    case 7: return `(${part()}, ${part()})`;
    case 8: return `\\{${part()}, ${part()}\\}`;
    case 9: return `${part()} ${pick(["=", "<", "\\le", "\\ne", "\\in", "\\approx"])} ${part()}`;
    case 10: return `[${part()}, ${part()}) \\cup (${part()}, ${part()}]`;
    case 11: return `\\begin{pmatrix}${part()} & ${part()} \\\\ ${part()} & ${part()}\\end{pmatrix}`;
    case 12: return `\\sum_{k=${part()}}^{${part()}} ${part()}`;
    case 13: return `${part()}!`;
    case 14: return `\\binom{${part()}}{${part()}}`;
    case 15: return `|${part()}| \\pm ${part()}`;
    default: return `\\boxed{${part()}}`;
  }
}

const CHARACTERS = [..."0123456789xyzeifn+-*/^_=<>(){}[]|\\,;:.!'%$& \n".matchAll(/[^]/g)].map(([character]) => character).concat(["\\frac", "\\left", "\\boxed{", "\\text{", "\\begin{matrix}", "\\end{matrix}", "\\\\", "\\pm", "\\cup", "²", "π", "√", "答案", "½"]);

function scramble(length: number): string {
  return Array.from({ length }, () => pick(CHARACTERS)).join("");
}

function mutated(text: string): string {
  const [from, to] = [random.integer(text.length + 1), random.integer(text.length + 1)].sort((a, b) => a - b) as [number, number];
  switch (random.integer(4)) {
    case 0: return text.slice(0, from) + text.slice(to);
    case 1: return text.slice(0, to).repeat(1 + random.integer(20)).slice(0, 20_000);
    case 2: return text.slice(0, from) + scramble(3) + text.slice(from);
    default: return pick(["(", "\\frac{", "{", "-", "\\sqrt{", "x^", "9^", "\\sin ", "1,", "\\boxed{", "|", "$"]).repeat(1 + random.integer(2000));
  }
}

function input(): string {
  const kind = random.uniform();
  if (kind < 0.6) return formula(1 + random.integer(5)).slice(0, 4000);
  if (kind < 0.85) return mutated(formula(3)).slice(0, 20_000);
  return scramble(1 + random.integer(random.uniform() < 0.05 ? 8000 : 60));
}

const collect = (globalThis as { gc?: () => void }).gc ?? (() => undefined);
const slowest: { readonly milliseconds: number; readonly text: string }[] = [];
let asymmetric = 0;
let irreflexive = 0;
let previous = "1";
collect();
const before = process.memoryUsage().heapUsed;
let peak = before;
const grader = createGrader();
for (let index = 0; index < inputs; index++) {
  const text = input();
  const start = performance.now();
  const answer = extractAnswer(text, EXTRACTION_RULES)?.answer;
  const forward = sameAnswer(text, previous);
  const backward = sameAnswer(previous, text);
  if (answer !== undefined) grader.classes([answer, text, previous]);
  const reflexive = sameAnswer(text, text);
  const milliseconds = (performance.now() - start) / 5;
  if (forward !== backward) asymmetric += 1;
  if (!reflexive && /[A-Za-z0-9]/.test(text.replace(/\\[a-z]+/gi, ""))) irreflexive += 1;
  if (slowest.length < 10 || milliseconds > slowest.at(-1)!.milliseconds) {
    slowest.push({ milliseconds, text });
    slowest.sort((a, b) => b.milliseconds - a.milliseconds);
    slowest.length = Math.min(slowest.length, 10);
  }
  if (index % 1000 === 0) peak = Math.max(peak, process.memoryUsage().heapUsed);
  if (random.uniform() < 0.3) previous = text;
}
collect();
const grown = (process.memoryUsage().heapUsed - before) / 2 ** 20;
console.log(`${inputs} inputs, seed ${seed}: heap grew ${grown.toFixed(1)} MB after collection, peak ${((peak - before) / 2 ** 20).toFixed(1)} MB; ${asymmetric} asymmetric, ${irreflexive} irreflexive`);
for (const { milliseconds, text } of slowest) console.log(`${milliseconds.toFixed(1)} ms  ${JSON.stringify(text.slice(0, 150))} (${text.length} characters)`);
