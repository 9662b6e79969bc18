import { describe, expect, it } from "vitest";
import { answerClasses, createGrader } from "./grader.ts";

describe("answerClasses", () => {
  it("numbers classes in order of first appearance", () => {
    expect(answerClasses(["7", "\\frac12", "0.5", "8", "7.0", "1/2"])).toEqual([0, 1, 1, 2, 0, 1]);
    expect(answerClasses([])).toEqual([]);
  });

  it("joins a rounded decimal to the one exact value that it can stand for", () => {
    expect(answerClasses(["0.3333", "\\frac13", "0.33333"])).toEqual([0, 0, 0]);
    expect(answerClasses(["0.3333", "0.33333"])).toEqual([0, 1]);
    // 0.3333 rounds both exact values, so it joins neither.
    expect(answerClasses(["0.3333", "\\frac13", "\\frac{33331}{100000}"])).toEqual([0, 1, 2]);
  });

  it("joins a percentage to a number only where one reading is at hand", () => {
    expect(answerClasses(["50\\%", "50"])).toEqual([0, 0]);
    expect(answerClasses(["50\\%", "0.5"])).toEqual([0, 0]);
    expect(answerClasses(["50\\%", "50", "50%"])).toEqual([0, 0, 0]);
  });

  it("reads a comma as a decimal point only in a class without a space after it", () => {
    expect(answerClasses(["3,14", "3.14", "2"])).toEqual([0, 0, 1]);
    for (const list of [["3,14", "3, 14", "3.14"], ["3, 14", "3,14", "3.14"]]) expect(answerClasses(list)).toEqual([0, 0, 1]);
  });

  it("joins a bare value to a named one, but not to two of different names", () => {
    expect(answerClasses(["x=3", "3"])).toEqual([0, 0]);
    expect(answerClasses(["x=3", "3", "y=3"])).toEqual([0, 1, 2]);
    expect(answerClasses(["5\\text{ cm}", "5", "5\\text{ cm}"])).toEqual([0, 0, 0]);
    expect(answerClasses(["5\\text{ cm}", "5", "5\\text{ m}"])).toEqual([0, 1, 2]);
  });

  it("keeps answers that can't be read apart by their text", () => {
    expect(answerClasses(["\\$", "$", "\\$"])).toEqual([0, 1, 0]);
  });

  it("is the same through a grader, however often it is asked", () => {
    const grader = createGrader();
    const answers = ["\\sqrt8", "2\\sqrt2", "2.8284", "3"];
    for (let round = 0; round < 3; round++) expect(grader.classes(answers)).toEqual([0, 0, 0, 1]);
    expect(grader.same("\\sqrt8", "2.8284")).toBe(true);
    expect(grader.extract("\\boxed{4}")).toBe("4");
    expect(grader.extract("The answer is 4.")).toBeNull();
    expect(createGrader({ rules: ["boxed", "answer"] }).extract("The answer is 4.")).toBe("4");
  });
});
