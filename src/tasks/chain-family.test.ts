import { describe, expect, it } from "vitest";
import { createRandom } from "../util/random.ts";
import { chainFamilies } from "./families.ts";

const chain = chainFamilies.get("chain")!;
const bits = chainFamilies.get("bits")!;

/** The answer by another way than the family's: each operator on its own from JavaScript's evaluator. */
function evaluated(prompt: string): string {
  const binary = /[&|^]/.test(prompt);
  const [first, ...operations] = prompt.slice(0, -1).match(/^\d+|\D\d+/g) ?? [];
  const literal = (digits: string) => (binary ? `0b${digits}` : digits);
  const value = operations.reduce((code, operation) => `(${code}${operation[0]!}${literal(operation.slice(1))})`, literal(first ?? ""));
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- the independent reference
  const result = new Function(`return ${value}`)() as number;
  return binary ? result.toString(2).padStart(4, "0") : String(((result % 10) + 10) % 10);
}

describe("chain families", () => {
  it("work the examples out step by step, by hand", () => {
    // 9-6 = 3; 3+3 = 6; 6-7 = -1, which is 9 modulo 10; 9*4 = 36, which is 6.
    expect(chain.workedSolution("9-6+3-7*4=", createRandom(1), 0)).toBe("3;6;9;6;\\boxed{6}");
    // 1011 ^ 0110 = 1101; 1101 & 1101 = 1101.
    expect(bits.workedSolution("1011^0110&1101=", createRandom(1), 0)).toBe("1101;1101;\\boxed{1101}");
    expect(bits.workedSolution("0011|0100=", createRandom(1), 0)).toBe("0111;\\boxed{0111}");
  });

  it.each([
    { family: chain, pattern: (level: number) => new RegExp(`^\\d([-+*]\\d){${level - 1}}=$`) },
    { family: bits, pattern: (level: number) => new RegExp(`^[01]{4}([&|^][01]{4}){${level - 1}}=$`) },
  ])("generates prompts of every level of $family.name with the answer that an evaluator gives", ({ family, pattern }) => {
    const random = createRandom(3);
    for (let level = family.lowestLevel; level <= family.highestLevel; level++) {
      for (let draw = 0; draw < 100; draw++) {
        const { prompt, answer } = family.generate(level, random);
        expect(prompt).toMatch(pattern(level));
        expect(answer).toBe(evaluated(prompt));
        expect(family.workedSolution(prompt, random, 0)).toMatch(new RegExp(`;\\\\boxed\\{${answer}\\}$`));
      }
    }
  });

  it("replaces the given share of steps by wrong values, all equally often, and goes on from them", () => {
    const random = createRandom(7);
    const firstSteps = new Map<number, number>();
    const draws = 20_000;
    for (let draw = 0; draw < draws; draw++) {
      const text = chain.workedSolution("2+3+4=", random, 0.25);
      const [, first, second, boxed] = /^(\d);(\d);\\boxed\{(\d)\}$/.exec(text)!;
      firstSteps.set(Number(first), (firstSteps.get(Number(first)) ?? 0) + 1);
      expect(boxed).toBe(second);
    }
    // Right three times in four; each of the 9 wrong values once in 36. Five standard deviations.
    expect(Math.abs(firstSteps.get(5)! / draws - 0.75)).toBeLessThan(5 * Math.sqrt((0.75 * 0.25) / draws));
    for (const wrong of [0, 1, 2, 3, 4, 6, 7, 8, 9]) {
      expect(Math.abs(firstSteps.get(wrong)! / draws - 1 / 36)).toBeLessThan(5 * Math.sqrt(1 / 36 / draws));
    }
  });

  it("carries a slip on: with only slips, no step is the right successor of the one before it", () => {
    const random = createRandom(9);
    for (let draw = 0; draw < 200; draw++) {
      const [, first, second] = /^(\d);(\d);/.exec(chain.workedSolution("2+3+4=", random, 1))!;
      expect(Number(first)).not.toBe(5);
      expect(Number(second)).not.toBe((Number(first) + 4) % 10);
    }
  });

  it.each(["9-6", "9-6+=", "=", "9=", "9/6=", "1011^0110="])("refuses %j, which is no prompt of chain", (prompt) => {
    expect(() => chain.workedSolution(prompt, createRandom(1), 0)).toThrow(RangeError);
  });
});
