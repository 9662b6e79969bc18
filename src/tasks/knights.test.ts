import { describe, expect, it } from "vitest";
import { createRandom } from "../util/random.ts";
import { knights } from "./knights.ts";

/**
 * All answers that a prompt has, from its text alone: every clause becomes an expression of the people's
 * kinds, and JavaScript's evaluator tries all of them.
 */
function answersOf(prompt: string): string[] {
  const said = [...prompt.matchAll(/(\w+) says: "([^"]*)\."/g)].map(([, name, sentence]) => ({ name: name!, sentence: sentence! }));
  const names = said.map(({ name }) => name);
  const expression = (speaker: string, sentence: string): string =>
    sentence
      .replace(/\bI am\b/g, `${speaker} is`)
      .replace(/(\w+) is a (knight|knave)/g, (_, name: string, kind: string) => `(${name} === ${String(kind === "knight")})`)
      .replace(/^If (.*), then (.*)$/, "(!$1 || $2)")
      .replace(" if and only if ", " === ")
      .replace(/(.*) or (.*), or both$/, "$1 || $2")
      .replace(" and ", " && ");
  const agrees = said.map(({ name, sentence }) => `((${expression(name, sentence)}) === ${name})`).join(" && ");
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the independent reference
  const test = new Function(...names, `return ${agrees};`) as (...kinds: boolean[]) => boolean;
  return Array.from({ length: 2 ** names.length }, (_, index) => index.toString(2).padStart(names.length, "0")).filter((kinds) => test(...Array.from(kinds, (kind) => kind === "1")));
}

describe("knights", () => {
  it("is solved by the reference as by hand", () => {
    // No knight calls himself a knave, so Bob is a knave: Ann tells the truth. Bob's words are a lie, since Ann is no knave.
    expect(answersOf('Ann says: "Bob is a knave." Bob says: "Ann is a knave and I am a knave."')).toEqual(["10"]);
    // From a knave, what begins with "If I am a knight" would be true: so Ann is a knight, and Bob is one by her words.
    expect(answersOf('Ann says: "If I am a knight, then Bob is a knight." Bob says: "Ann is a knight if and only if I am a knight."')).toEqual(["11"]);
    // Both knights or both knaves: two answers, so no puzzle of ours.
    expect(answersOf('Ann says: "Bob is a knight." Bob says: "Ann is a knight."')).toEqual(["00", "11"]);
    expect(answersOf('Ann says: "I am a knave or Bob is a knave, or both." Bob says: "Ann is a knight."')).toEqual([]);
  });

  it("has exactly one answer at every level, found from the text alone", () => {
    const random = createRandom(5);
    for (let level = knights.lowestLevel; level <= knights.highestLevel; level++) {
      for (let draw = 0; draw < 40; draw++) {
        const { prompt, answer } = knights.generate(level, random);
        expect(answer).toHaveLength(level);
        expect(answersOf(prompt), prompt).toEqual([answer]);
      }
    }
  });

  it("says what is asked for", () => {
    const { prompt } = knights.generate(3, createRandom(1));
    expect(prompt).toMatch(/^Knights always tell the truth, knaves always lie, and everybody is one or the other\. Ann says: ".*\." Bob says: ".*\." Cleo says: ".*\." Which of Ann, Bob and Cleo are knights\? Answer with one digit for each of them in this order, 1 for a knight and 0 for a knave\.$/);
  });
});
