import { describe, expect, it } from "vitest";
import { createTokenizer } from "./tokenizer.ts";

// Byte-level tokens: Ġ is the byte of the space; Â½ are those of ½, Âħ of U+0085, ï»¿ of U+FEFF.
const vocab = { "Ġ": 0, "Â": 1, "½": 2, "ħ": 3, "ï": 4, "»": 5, "¿": 6, "ĠÂ": 7, "ĠĠ": 8, "½Â": 9 };
const merges = ["Ġ Â", "Ġ Ġ", "½ Â"];
const byteLevel = { type: "ByteLevel", add_prefix_space: false, use_regex: true };

function encoder(pre_tokenizer: object): (text: string) => number[] {
  const file = { model: { type: "BPE", vocab, merges }, added_tokens: [], pre_tokenizer };
  const tokenizer = createTokenizer(file, {});
  return (text) => tokenizer.encode(text).ids;
}

/** Merges happen within a piece only, so the merged tokens show where text is cut. The ids are those of the Python package tokenizers 0.23.3. */
describe("the pieces of a text", () => {
  it("hold every digit of Unicode alone, or digits together, as the file says", () => {
    const digits = (individual_digits: boolean) => encoder({ type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits }, byteLevel] });
    expect(digits(true)(" ½")).toEqual([0, 1, 2]);
    expect(digits(true)("½½")).toEqual([1, 2, 1, 2]);
    expect(digits(false)(" ½½")).toEqual([0, 1, 9, 2]);
  });

  it("have the spaces of Unicode: U+0085 is one, U+FEFF is none", () => {
    const encode = encoder(byteLevel);
    expect(encode(" \u0085")).toEqual([7, 3]);
    expect(encode("  \ufeff")).toEqual([0, 0, 4, 5, 6]);
  });

  it("are cut after the space that the file puts before the text", () => {
    expect(encoder({ ...byteLevel, add_prefix_space: true })("½ ½")).toEqual([7, 2, 7, 2]);
  });
});
