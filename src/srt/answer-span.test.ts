import { describe, expect, it } from "vitest";
import { answerSpan } from "./answer-span.ts";

/** One token for each character. */
const decode = (tokens: readonly number[]) => String.fromCodePoint(...tokens);
const spanned = (text: string, answer: string | null) => {
  const tokens = Array.from(text, (character) => character.codePointAt(0)!);
  const { start, end } = answerSpan(tokens, text, answer, decode);
  return { before: text.slice(0, start), spelled: text.slice(start, end) };
};

describe("the tokens that spell the final answer", () => {
  it("are those within the last box, wherever else the answer occurs", () => {
    expect(spanned("7 or \\boxed{3}, no: \\boxed{7} as 7", "7")).toEqual({ before: "7 or \\boxed{3}, no: \\boxed{", spelled: "7" });
  });

  it("are not those of the word that makes the box", () => {
    expect(spanned("\\boxed{e}", "e")).toEqual({ before: "\\boxed{", spelled: "e" });
  });

  it("are the last ones where there is no box", () => {
    expect(spanned("42 is not 7. The answer is 42", "42")).toEqual({ before: "42 is not 7. The answer is ", spelled: "42" });
  });

  it("include every token that reaches into the answer", () => {
    // Tokens "a=" and "4", "2}": the answer 42 is in the last two.
    const texts = ["a={", "4", "2}"];
    expect(answerSpan([0, 1, 2], texts.join(""), "42", (tokens) => tokens.map((token) => texts[token]).join(""))).toEqual({ start: 1, end: 3 });
  });

  it("are found in long completions, near the end and far from it", () => {
    for (const after of [0, 1, 30, 100, 200]) {
      const before = `${"so ".repeat(100)}\\boxed{`;
      expect(spanned(`${before}42}${".".repeat(after)}`, "42")).toEqual({ before, spelled: "42" });
    }
  });

  it("are found where a text is not that of its halves: characters of several tokens, a first space that is dropped", () => {
    const utf8 = new TextDecoder();
    const bytes = (tokens: readonly number[]): string => utf8.decode(Uint8Array.from(tokens)).replace(/^ /, "");
    for (const filler of ["½", " "]) {
      for (let after = 0; after < 4; after++) {
        const [before, answer, rest] = [`x${filler.repeat(120)}`, "42", ".".repeat(after)].map((text) => [...new TextEncoder().encode(text)]);
        const tokens = [...before!, ...answer!, ...rest!];
        expect(answerSpan(tokens, bytes(tokens), "42", bytes)).toEqual({ start: before!.length, end: before!.length + 2 });
      }
    }
  });

  it("are none without an answer, or for one that is not in the text as it was read", () => {
    expect(spanned("nothing", null).spelled).toBe("");
    expect(spanned("one half", "1/2").spelled).toBe("");
  });
});
