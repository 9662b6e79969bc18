import { describe, expect, it } from "vitest";
import { createGrader } from "../grading/index.ts";
import { createRandom } from "../util/random.ts";
import { taskFamilies } from "./families.ts";

/** Draws from every level of a family. */
function drawn(name: string, perLevel: number) {
  const family = taskFamilies.get(name)!;
  const random = createRandom(11);
  const levels = Array.from({ length: family.highestLevel - family.lowestLevel + 1 }, (_, index) => family.lowestLevel + index);
  return levels.flatMap((level) => Array.from({ length: perLevel }, () => ({ level, ...family.generate(level, random) })));
}

/** By the digits on paper, from the right: the schoolbook's way, with no number larger than 99. */
function onPaper(left: string, operator: string, right: string): string {
  const digits = (text: string) => Array.from(text, Number).reverse();
  const [a, b] = [digits(left), digits(right)];
  const columns = Array.from({ length: a.length + b.length + 1 }, () => 0);
  if (operator === "times") a.forEach((x, i) => b.forEach((y, j) => (columns[i + j]! += x * y)));
  else columns.forEach((_, i) => (columns[i] = (a[i] ?? 0) + (operator === "plus" ? 1 : -1) * (b[i] ?? 0)));
  for (let i = 0; i < columns.length - 1; i++) {
    const carry = Math.floor(columns[i]! / 10);
    columns[i]! -= 10 * carry;
    columns[i + 1]! += carry;
  }
  return columns.reverse().join("").replace(/^0+(?=\d)/, "");
}

describe("the tasks in words", () => {
  it("arithmetic has the answers that one gets on paper", () => {
    expect([onPaper("17", "plus", "25"), onPaper("100", "minus", "58"), onPaper("99", "times", "99"), onPaper("0", "times", "7")]).toEqual(["42", "42", "9801", "0"]);
    const seen = new Set<string>();
    for (const { level, prompt, answer } of drawn("arithmetic", 200)) {
      const [, left, operator, right] = /^What is (\d+) (plus|minus|times) (\d+)\?$/.exec(prompt)!;
      expect([left!.length, right!.length]).toEqual([level, level]);
      expect(answer).toBe(onPaper(left!, operator!, right!));
      seen.add(operator!);
    }
    expect([...seen].sort()).toEqual(["minus", "plus", "times"]);
  });

  it("compare names one of two numbers of equal length, whose digits decide from the left", () => {
    const asked = new Set<string>();
    for (const { level, prompt, answer } of drawn("compare", 200)) {
      const [, which, first, second] = /^Which number is (larger|smaller), (\d+) or (\d+)\?$/.exec(prompt)!;
      expect([first!.length, second!.length]).toEqual([level, level]);
      expect(first).not.toBe(second);
      // Of equally long numbers the larger one comes later in the dictionary.
      const [smaller, larger] = [first!, second!].sort();
      expect(answer).toBe(which === "larger" ? larger : smaller);
      asked.add(`${which!} ${answer === first ? "first" : "second"}`);
    }
    expect(asked.size).toBe(4);
  });

  it("sequence goes on as it began, within two digits", () => {
    for (const { level, prompt, answer } of drawn("sequence", 200)) {
      const [first, second, third] = prompt.split(", ").map(Number) as [number, number, number];
      expect([second - first, third - second, Number(answer) - third]).toEqual([level, level, level]);
      expect(prompt).toMatch(/^\d\d, \d\d, \d\d$/);
      expect(answer).toMatch(/^\d\d$/);
    }
  });

  it("count has the number of pieces between the letter, less one", () => {
    for (const { level, prompt, answer } of drawn("count", 200)) {
      const [, letter, list] = /^How many times does the letter ([abcd]) occur in "([abcd](?: [abcd])*)"\?$/.exec(prompt)!;
      expect(list!.length).toBe(2 * level - 1);
      expect(answer).toBe(String(list!.split(letter!).length - 1));
    }
  });

  it("have answers that the judge reads as they are and tells apart", () => {
    const grader = createGrader();
    for (const name of ["arithmetic", "compare", "count", "knights"]) {
      const [one, ...others] = drawn(name, 1);
      expect(grader.extract(`So \\boxed{${one!.answer}}.`)).toBe(one!.answer);
      for (const { answer } of others) expect(grader.same(one!.answer, answer)).toBe(Number(answer) === Number(one!.answer));
    }
  });
});
