import fc from "fast-check";
import { expect, it } from "vitest";
import { createTokenEnds } from "./token-ends.ts";

/** A tokenizer of single bytes, as byte-level BPE is at its worst: a character may lie in four tokens. */
const decode = (tokens: readonly number[]): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(tokens));
const encode = (text: string): readonly number[] => [...new TextEncoder().encode(text)];

it("ends each token where the text of all tokens up to it does, but never within a surrogate pair", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }).map((text) => text.replaceAll("\uFFFD", "")), (text) => {
      const tokens = encode(text);
      const expected = tokens.map((_, index) => {
        const { length } = decode(tokens.slice(0, index + 1));
        const splitsPair = /[\uDC00-\uDFFF]/.test(text.charAt(length)) && /[\uD800-\uDBFF]/.test(text.charAt(length - 1));
        return splitsPair ? length - 1 : length;
      });
      expect(createTokenEnds(decode)(tokens, text)).toEqual(expected);
    }),
  );
});

it("gives a space between tokens to the token after it", () => {
  const words = ["one", "two"];
  const spaced = (tokens: readonly number[]): string => tokens.map((token) => words[token]!).join(" ");
  expect(createTokenEnds(spaced)([0, 1, 0], "one two one")).toEqual([3, 7, 11]);
});

it("follows a decoder that takes the first space away", () => {
  const words = ["▁to", "day", "▁is"];
  const stripped = (tokens: readonly number[]): string => tokens.map((token) => words[token]!).join("").replaceAll("▁", " ").replace(/^ /, "");
  expect(createTokenEnds(stripped)([0, 1, 2], "today is")).toEqual([2, 5, 8]);
});

it("keeps its place over tokens without text", () => {
  const quiet = (tokens: readonly number[]): string => decode(tokens.filter((token) => token !== 0));
  expect(createTokenEnds(quiet)([97, 0, 98, 0], "ab")).toEqual([1, 1, 2, 2]);
});
