/**
 * Speed of the answer judge on one core: votes over 64 answers of one prompt, and single comparisons.
 * Run: npx tsx bench/grading.ts
 */
import { createGrader, extractAnswer } from "../src/grading/index.ts";
import { createRandom } from "../src/util/random.ts";
import type { Random } from "../src/util/random.ts";

const PROMPTS = 1500;
const ANSWERS = 64;
const WRONG = 6;

/** Kinds of answers in about the proportions of competition mathematics, with two numbers to fill in. */
const TEMPLATES: readonly ((a: number, b: number) => string)[] = [
  (a) => `${a}`,
  (a, b) => `${a * b}`,
  (a, b) => `${a + 100 * b}`,
  (a, b) => `\\frac{${a}}{${b}}`,
  (a, b) => `-\\frac{${a}}{${b + 7}}`,
  (a, b) => `${a}\\sqrt{${b}}`,
  (a, b) => `${a}x^2 - ${b}x + ${a + b}`,
  (a, b) => `(${a}, ${b})`,
  (a, b) => `[${-a}, ${b})`,
  (a, b) => `\\frac{${a}\\pi}{${b}}`,
  (a, b) => `${a}, ${b}, ${a + b}`,
  (a, b) => `\\frac{${a}(x-${b})}{x+${a}}`,
  (a) => `${a}.5`,
  (a) => `${a}\\%`,
  (a) => `\\text{${["odd", "even", "Evelyn", "Monday"][a % 4]!}}`,
  (a, b) => `${a}+${b}i`,
  (a, b) => `2^{${a}}\\cdot 3^{${b}}`,
];

/** Ways to write one answer. */
const TYPESETTINGS: readonly ((answer: string) => string)[] = [
  (answer) => answer,
  (answer) => ` ${answer} `,
  (answer) => `$${answer}$`,
  (answer) => answer.replaceAll("\\frac", "\\dfrac"),
  (answer) => answer.replaceAll("(", "\\left(").replaceAll(")", "\\right)"),
  (answer) => answer.replaceAll(" ", ""),
  (answer) => `${answer}.`,
  (answer) => `x = ${answer}`,
  (answer) => answer.replaceAll(/\\frac\{([^{}]+)\}\{([^{}]+)\}/g, "($1)/($2)"),
  (answer) => answer.replaceAll(/(\d)(?=(\d{3})+$)/g, "$1{,}"),
];

function promptAnswers(random: Random): string[] {
  const template = TEMPLATES[random.integer(TEMPLATES.length)]!;
  const fill = (): string => template(2 + random.integer(60), 2 + random.integer(60));
  const right = fill();
  const wrong = Array.from({ length: WRONG }, fill);
  return Array.from({ length: ANSWERS }, () => {
    const answer = random.uniform() < 0.6 ? right : wrong[random.integer(WRONG)]!;
    return TYPESETTINGS[random.integer(TYPESETTINGS.length)]!(answer);
  });
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

const random = createRandom(1);
const prompts = Array.from({ length: PROMPTS }, () => promptAnswers(random));
const warmUp = createGrader();
for (const answers of prompts.slice(0, 300)) warmUp.classes(answers);

const grader = createGrader();
const started = process.cpuUsage();
let classes = 0;
for (const answers of prompts) classes += Math.max(...grader.classes(answers)) + 1;
const used = process.cpuUsage(started);
const seconds = (used.user + used.system) / 1e6;
const distinct = prompts.reduce((total, answers) => total + new Set(answers).size, 0) / PROMPTS;
console.log(`vote: ${((60 * PROMPTS) / seconds).toFixed(0)} prompts/min/core (${((1000 * seconds) / PROMPTS).toFixed(3)} ms per ${ANSWERS} answers, ${distinct.toFixed(1)} distinct, ${(classes / PROMPTS).toFixed(2)} classes)`);

const milliseconds: number[] = [];
for (const answers of prompts) {
  const fresh = createGrader();
  const start = performance.now();
  fresh.same(answers[0]!, answers[1]!);
  milliseconds.push(performance.now() - start);
}
milliseconds.sort((a, b) => a - b);
console.log(`comparison: p50 ${quantile(milliseconds, 0.5).toFixed(4)} ms, p99 ${quantile(milliseconds, 0.99).toFixed(4)} ms, max ${milliseconds.at(-1)!.toFixed(2)} ms`);

const completions = prompts.slice(0, 512).map((answers) => `${"Let us compute step by step. ".repeat(20)} So the answer is \\boxed{${answers[0]!}}.`);
const start = performance.now();
const read = completions.map((completion) => extractAnswer(completion)?.answer ?? "");
const simple = createGrader();
simple.classes(read.map((_, index) => String(index % 9)));
const extracted = performance.now();
simple.classes(read.map((_, index) => String(index % 9)));
console.log(`extraction: ${(extracted - start).toFixed(2)} ms for 512 completions; vote over 512 simple answers ${(performance.now() - extracted).toFixed(3)} ms`);
