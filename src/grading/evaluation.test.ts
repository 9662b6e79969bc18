import { describe, expect, it } from "vitest";
import { callComplex } from "./functions.ts";
import { evaluate } from "./expression.ts";
import { leafOf } from "./leaf.ts";
import { RESIDUES } from "./modular.ts";
import { parseExpression } from "./parse.ts";
import { probe } from "./probes.ts";
import { tokenize } from "./tokens.ts";

const parsed = (text: string) => parseExpression(tokenize(text)!)!;
const constant = (text: string) => probe(parsed(text), false)[0] ?? null;

describe("values of constants", () => {
  // Reference values: Wolfram/DLMF tables and elementary identities, to 15 digits.
  it.each([
    ["\\sqrt{2}", 1.414_213_562_373_095],
    ["\\frac{22}{7}", 3.142_857_142_857_143],
    ["e^{\\pi}", 23.140_692_632_779_27],
    ["\\ln 2", 0.693_147_180_559_945_3],
    ["\\log_{10} 2", 0.301_029_995_663_981_2],
    ["\\sin 1", 0.841_470_984_807_896_5],
    ["\\tan\\frac{\\pi}{8}", Math.SQRT2 - 1],
    ["\\arcsin\\frac12", Math.PI / 6],
    ["\\sin^{-1}\\frac12", Math.PI / 6],
    ["\\arccos 0", Math.PI / 2],
    ["\\cosh 1", 1.543_080_634_815_243_7],
    ["\\sin 30^\\circ", 0.5],
    ["(1/2)!", 0.886_226_925_452_758],
    ["\\sqrt[3]{-27}", -3],
    ["\\lfloor -2.5\\rfloor", -3],
    ["|{-3}|", 3],
    ["7\\frac34", 7.75],
    ["1/2/4", 0.125],
    ["2^{3^2}", 512],
    ["\\sum_{k=1}^{4} k^2", 30],
    ["\\prod_{k=1}^{5} k", 120],
    ["\\binom{5}{2}", 10],
    ["0.1\\overline{6}", 1 / 6],
    ["101_2", 5],
    ["1.5e-3", 0.0015],
  ])("%s", (text, value) => {
    const result = constant(text)!;
    expect(result.re).toBeCloseTo(value, 12);
    expect(Math.abs(result.im)).toBeLessThan(1e-12);
    expect(Math.abs(result.re - value)).toBeLessThanOrEqual(8 * result.error + 1e-14);
  });

  it.each(["\\frac{1}{0}", "\\ln 0", "0^0", "10^{400}", "10^{-400}", "e^{1000}", "\\tan\\frac{\\pi}{2}", "10^{30}+1", "(-1)!"])("%s is unknown", (text) => {
    // Sums like 10^30 + 1 lose their small term in doubles; exact arithmetic decides them.
    expect(constant(text)).toBeNull();
  });

  it("are complex where they must be", () => {
    expect(constant("\\sqrt{-4}")).toMatchObject({ re: 0, im: 2 });
    expect(constant("e^{i\\pi}")!.re).toBeCloseTo(-1, 14);
    expect(callComplex("arcsin", [{ re: 2, im: 0, error: 0 }])!.re).toBeCloseTo(Math.PI / 2, 14);
    expect(Math.abs(callComplex("arcsin", [{ re: 2, im: 0, error: 0 }])!.im)).toBeCloseTo(Math.log(2 + Math.sqrt(3)), 14);
  });
});

describe("residues", () => {
  const residues = (text: string) => evaluate(parsed(text), RESIDUES);

  it("agree with big-integer arithmetic", () => {
    const prime = 67_108_837n;
    expect(residues("2^{100}")![0]).toBe(Number(2n ** 100n % prime));
    expect(residues("3^{400}-5")![0]).toBe(Number((3n ** 400n - 5n) % prime));
    const third = residues("\\frac{1}{3}")![0];
    expect((BigInt(third) * 3n) % prime).toBe(1n);
  });

  it("know that the square of i is -1", () => {
    expect(residues("i^2")).toEqual(residues("-1"));
  });

  it("tell polynomials of high degree apart", () => {
    expect(residues("(1+x)^{1000}")).not.toEqual(residues("(1+x)^{1000}+1"));
    expect(residues("(x+y)^3")).toEqual(residues("x^3+3x^2y+3xy^2+y^3"));
  });

  it("are unknown for roots, functions and division by zero", () => {
    expect([residues("\\sqrt{x}"), residues("\\sin x"), residues("\\frac{1}{x-x}")]).toEqual([null, null, null]);
  });
});

describe("formulas", () => {
  it.each(["(x", "x +", "2 3", "\\frac{1}", "x^", ")", "\\unknown x", "(".repeat(70) + "x" + ")".repeat(70)])("%s is none", (text) => {
    expect(parseExpression(tokenize(text)!)).toBeNull();
  });

  it("name their variables, subscripts and primes included", () => {
    expect([...leafOf(tokenize("x_1 + x^2_{12} f' - \\theta")!).variables]).toEqual(["x_1", "x_12", "f'", "\\theta"]);
  });
});
