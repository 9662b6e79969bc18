import { describe, expect, it } from "vitest";
import { EXTRACTION_RULES, extractAnswer } from "./extract.ts";

const strict = (text: string) => extractAnswer(text)?.answer ?? null;
const loose = (text: string) => extractAnswer(text, EXTRACTION_RULES);

describe("the rule `boxed`", () => {
  it.each([
    ["so \\boxed{42}.", "42"],
    ["$\\boxed{\\frac{1}{2}}$", "\\frac{1}{2}"],
    ["\\boxed{\\left\\{1, 2\\right\\}}", "\\left\\{1, 2\\right\\}"],
    ["first \\boxed{1}. Wait: it is \\boxed{2}.", "2"],
    ["\\boxed{3} and \\boxed{4}", "3, 4"],
    ["$\\boxed{x=1}$ or $\\boxed{x=2}$", "x=1 or x=2"],
    ["\\boxed{1}, \\boxed{2}, \\boxed{3}", "1, 2, 3"],
    ["\\boxed{7}\\boxed{7}", "7"],
    ["\\boxed{\\boxed{5}}", "5"],
    ["\\boxed 5 it is", "5"],
    ["\\fbox{6}", "6"],
    ["\\boxed{8} and then it was cut \\boxed{9", "8"],
    ["\\boxed{5} oops \\boxed{}", "5"],
    ["$\\boxed{x<1}$ または $\\boxed{x>3}$", "x<1 or x>3"],
    ["<think>is it \\boxed{7}?</think> It is \\boxed{8}.", "8"],
  ])("%s", (text, answer) => {
    expect(strict(text)).toBe(answer);
  });

  it.each(["The answer is 42.", "", "boxed", "\\boxed{}", "\\boxed{ }", "\\boxed{12", "<think>\\boxed{7}</think> So 8."])("abstains on %j", (text) => {
    expect(strict(text)).toBeNull();
  });
});

describe("the looser rules", () => {
  it.each([
    ["Final Answer: The final answer is $100$. I hope it is correct.", "100", "final-answer"],
    ["The final answer is 12,000,023. I hope so.", "12,000,023", "final-answer"],
    ["\\boxed{1} was wrong. The final answer is $2$.", "2", "final-answer"],
    ["The final answer is $2$. So \\boxed{3}.", "3", "boxed"],
    ["So the answer is 7", "7", "answer"],
    ["Answer: (B)", "(B)", "answer"],
    ["The answer is: the total is $5$", "5", "answer"],
    ["答案是 42。", "42", "answer"],
    ["答案：\\(\\frac{1}{2}\\)", "\\frac{1}{2}", "answer"],
    ["Réponse: il lui reste encore 220 euros.", "220", "answer"],
    ["Respuesta: 15", "15", "answer"],
    ["It follows that $x = 3$ and $y = 4$.", "x = 3, y = 4", "math"],
    ["We get \\[ \\frac{2}{3} \\]", "\\frac{2}{3}", "math"],
    ["(3, 4)", "(3, 4)", "math"],
    ["so it must be \\frac{10}{9}.", "\\frac{10}{9}", "math"],
    ["-1 + sqrt(3)", "-1 + sqrt(3)", "math"],
    ["2x+1", "2x+1", "math"],
    ["The answer is A because (B) and (C) are wrong.", "A", "answer"],
    ["The final answer is 5, obviously.", "5", "final-answer"],
    ["The answer is 3, since 4 is too many.", "3", "answer"],
    ["The answer is 3, 4 and 5.", "3, 4 and 5", "answer"],
    ["答案是12，是偶数。", "12", "answer"],
    ["答案是A，因为B错。", "A", "answer"],
    ["一共有13只鸟。", "13", "number"],
    ["a net change of -$40", "-40", "number"],
    ["Some steps.\n#### -5", "-5", "number"],
    ["The number of points of $f$ is 19.", "19", "number"],
    ["It cost $5 and she had $3 left, so 2 apples.", "2", "number"],
    ["in total 1,234.50 m²", "1,234.50", "number"],
    ["a probability of 2/3.", "2/3", "number"],
    ["it costs 2,74 €", "2.74", "number"],
    ["grows by 28 percent", "28 percent", "number"],
    ["سعر الكتاب ٤٢ دينارا", "42", "number"],
  ])("%s", (text, answer, rule) => {
    expect(loose(text)).toEqual({ answer, rule });
  });

  it("finds nothing in words", () => {
    expect(loose("I don't know.")).toBeNull();
  });

  it("uses only the rules that are asked for, in their order", () => {
    expect(extractAnswer("The answer is 4, not \\boxed{5}.", ["answer", "boxed"])?.rule).toBe("answer");
    expect(extractAnswer("The answer is 4.", ["boxed", "math"])).toBeNull();
  });
});
