import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerClasses, sameAnswer } from "./grader.ts";

/** LaTeX of random formulas over x and y without poles, and of the answers made of them. */
const formulas = (...atoms: readonly string[]): fc.Arbitrary<string> => fc.letrec<{ formula: string; atom: string }>((tie) => ({
  atom: fc.oneof(fc.integer({ min: 1, max: 99 }).map(String), fc.constantFrom(...atoms)),
  formula: fc.oneof(
    { maxDepth: 3 },
    tie("atom"),
    fc.tuple(tie("formula"), tie("formula")).map(([a, b]) => `${a} + ${b}`),
    fc.tuple(tie("formula"), tie("formula")).map(([a, b]) => `\\left(${a}\\right)\\left(${b}\\right)`),
    fc.tuple(tie("formula"), fc.integer({ min: 2, max: 4 })).map(([a, n]) => `\\left(${a}\\right)^{${n}}`),
    fc.tuple(tie("formula"), fc.integer({ min: 2, max: 9 })).map(([a, n]) => `\\frac{${a}}{${n}}`),
  ),
})).formula;

const formula = formulas("x", "y", "\\pi", "\\sqrt{2}", "\\frac{3}{4}", "2.5");
const polynomial = formulas("x", "y", "\\pi", "i", "\\frac{3}{4}", "2.5");

const answer = fc.oneof(
  formula,
  fc.tuple(formula, formula).map(([a, b]) => `(${a}, ${b})`),
  fc.tuple(formula, formula).map(([a, b]) => `\\{${a}, ${b}\\}`),
  fc.tuple(fc.integer({ min: -50, max: 0 }), fc.integer({ min: 1, max: 50 })).map(([a, b]) => `[${a}, ${b})`),
  formula.map((a) => `z = ${a}`),
);

/** Ways to typeset the same answer. */
const TYPESETTINGS: readonly ((text: string) => string)[] = [
  (text) => `$${text}$`,
  (text) => ` ${text} . `,
  (text) => `\\boxed{${text}}`,
  (text) => text.replaceAll("\\frac", "\\dfrac"),
  (text) => text.replaceAll("\\left", "").replaceAll("\\right", ""),
  (text) => text.replaceAll(" ", "\\, "),
  (text) => text.replaceAll("\\left", "\\bigl").replaceAll("\\right", "\\bigr"),
  (text) => `\\displaystyle ${text}`,
];

describe("sameAnswer", () => {
  it("is reflexive, under every typesetting", () => {
    fc.assert(fc.property(answer, fc.constantFrom(...TYPESETTINGS), (text, typeset) => sameAnswer(text, text) && sameAnswer(text, typeset(text))), { numRuns: 400 });
  });

  it("is symmetric", () => {
    fc.assert(fc.property(answer, answer, (left, right) => sameAnswer(left, right) === sameAnswer(right, left)), { numRuns: 400 });
  });

  it("is symmetric and never throws on any text", () => {
    const text = fc.oneof(fc.string({ unit: "grapheme", maxLength: 40 }), fc.array(fc.constantFrom(..."\\frac{ } ( ) [ ] , = < | ^ _ \\pm \\cup \\text{ 1 2 x % ! \\sqrt $ : \\begin{pmatrix} \\end{pmatrix} & \\\\ \\sum".split(" ")), { maxLength: 20 }).map((parts) => parts.join("")));
    fc.assert(fc.property(text, text, (left, right) => sameAnswer(left, right) === sameAnswer(right, left)), { numRuns: 2000 });
  });

  it("is transitive on exact answers", () => {
    const number = fc.tuple(fc.integer({ min: -6, max: 6 }), fc.constantFrom(1, 2, 4)).chain(([top, bottom]) =>
      fc.constantFrom(`\\frac{${top}}{${bottom}}`, `${top}/${bottom}`, String(top / bottom), `\\frac{${2 * top}}{${2 * bottom}}`),
    );
    fc.assert(fc.property(number, number, number, (a, b, c) => !(sameAnswer(a, b) && sameAnswer(b, c)) || sameAnswer(a, c)), { numRuns: 2000 });
  });

  it("expands products and orders sums as it likes", () => {
    fc.assert(fc.property(polynomial, polynomial, polynomial, (a, b, c) =>
      sameAnswer(`(${a})(${b} + ${c})`, `(${c})(${a}) + (${a})(${b})`) && sameAnswer(`{${a}} + {${b}}`, `{${b}} + {${a}}`),
    ), { numRuns: 300 });
  });

  it("tells an answer from the same with one digit or sign changed", () => {
    const mutation = fc.tuple(fc.integer({ min: 1, max: 9999 }), fc.nat(3), fc.integer({ min: 1, max: 9 })).map(([number, place, by]) => {
      const digits = Array.from(String(number), Number);
      const at = place % digits.length;
      digits[at] = (digits[at]! + by) % 10;
      return [String(number), digits.join("")] as const;
    });
    const frames = fc.constantFrom<(n: string) => string>((n) => n, (n) => `\\frac{${n}}{7}`, (n) => `${n}x + y`, (n) => `x^2 + ${n}\\sqrt{3}`, (n) => `(1, ${n})`, (n) => `x = ${n}`, (n) => `[0, ${n}000)`, (n) => `\\frac{${n}\\pi}{2}`);
    fc.assert(fc.property(mutation, frames, ([original, changed], frame) => !sameAnswer(frame(original), frame(changed))), { numRuns: 1500 });
    fc.assert(fc.property(mutation, frames, ([original], frame) => !sameAnswer(frame(original), frame(`-${original}`))), { numRuns: 500 });
  });
});

describe("answerClasses", () => {
  const pool = ["3", "3.0", "x=3", "y=3", "50\\%", "50", "0.5", "\\frac12", "\\frac13", "0.3333", "0.33333", "(1,2)", "1,2", "\\{1,2\\}", "[1,2]", "5\\text{ cm}", "5", "5\\text{ m}", "2\\sqrt2", "2.8284", "\\sqrt8", "odd", "90^\\circ", "90"];

  it("makes the same partition in every order", () => {
    const partition = (answers: readonly string[]): Set<string> => {
      const groups = new Map<number, string[]>();
      answerClasses(answers).forEach((number, index) => groups.set(number, [...(groups.get(number) ?? []), answers[index]!]));
      return new Set([...groups.values()].map((members) => members.sort().join(" | ")));
    };
    const lists = fc.array(fc.constantFrom(...pool), { minLength: 1, maxLength: 14 }).chain((answers) => fc.tuple(fc.constant(answers), fc.shuffledSubarray(answers, { minLength: answers.length })));
    fc.assert(fc.property(lists, ([answers, shuffled]) => { expect(partition(shuffled)).toEqual(partition(answers)); }), { numRuns: 500 });
  });

  it("joins only answers that are connected by pairs of same answers", () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(...pool), { minLength: 2, maxLength: 8 }), (answers) => {
      const numbers = answerClasses(answers);
      return answers.every((answer, index) => {
        const mates = answers.filter((other, at) => at !== index && numbers[at] === numbers[index] && other !== answer);
        return mates.length === 0 || mates.some((mate) => sameAnswer(answer, mate));
      });
    }), { numRuns: 500 });
  });
});
