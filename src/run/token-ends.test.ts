import fc from "fast-check";
import { expect, it } from "vitest";
import { tokenEnds } from "./token-ends.ts";

/** A tokenizer of single bytes, as byte-level BPE is at its worst: a character may lie in four tokens. */
const decode = (tokens: readonly number[]): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(tokens));
const encode = (text: string): readonly number[] => [...new TextEncoder().encode(text)];

it("ends each token where the text of all tokens up to it does, of whole characters", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }).map((text) => text.replaceAll("\uFFFD", "")), (text) => {
      const tokens = encode(text);
      const expected = tokens.map((_, index) => {
        const prefix = decode(tokens.slice(0, index + 1));
        // An unfinished character shows as replacement characters at the end of the prefix alone.
        return prefix.replace(/\uFFFD+$/, "").length;
      });
      expect(tokenEnds(decode)(tokens, text)).toEqual(expected);
    }),
  );
});

it("gives a space between tokens to the token after it", () => {
  const words = ["one", "two"];
  const spaced = (tokens: readonly number[]): string => tokens.map((token) => words[token]!).join(" ");
  expect(tokenEnds(spaced)([0, 1, 0], "one two one")).toEqual([3, 7, 11]);
});

it("follows a decoder that takes the first space away", () => {
  const words = ["▁to", "day", "▁is"];
  const stripped = (tokens: readonly number[]): string => tokens.map((token) => words[token]!).join("").replaceAll("▁", " ").replace(/^ /, "");
  expect(tokenEnds(stripped)([0, 1, 2], "today is")).toEqual([2, 5, 8]);
});

it("keeps its place over bytes that never become a character, and over tokens without text", () => {
  const quiet = (tokens: readonly number[]): string => decode(tokens.filter((token) => token !== 0));
  expect(tokenEnds(quiet)([97, 0xff, 98, 0], "a\uFFFDb")).toEqual([1, 1, 3, 3]);
  expect(tokenEnds(quiet)([97, 0xff], "a\uFFFD")).toEqual([1, 2]);
});

it("says nothing where the tokens do not spell the text", () => {
  expect(tokenEnds(decode)(encode("abc"), "abd")).toBeNull();
});
