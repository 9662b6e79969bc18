import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { cached } from "../../test/cache.ts";
import type { Renderer } from "../types.ts";
import { createRandom } from "../util/random.ts";
import { loadRenderer } from "./index.ts";
import { createTokenEnds } from "./token-ends.ts";

/** By decoding every prefix; never between the halves of a pair. */
function byPrefixes(tokens: readonly number[], decode: Renderer["decode"]): readonly number[] {
  const text = decode(tokens);
  return tokens.map((_, index) => {
    const { length } = decode(tokens.slice(0, index + 1));
    return length > 0 && length < text.length && (text.codePointAt(length - 1) ?? 0) > 0xffff ? length - 1 : length;
  });
}

it("gives each token's end, by hand, with characters split over tokens", () => {
  // Bytes of "é" and of "😀" apart, as byte-level tokens have them; token 9 is special and has no text.
  const bytes: Readonly<Record<number, readonly number[]>> = { 1: [97], 2: [0xc3], 3: [0xa9], 4: [0xf0, 0x9f], 5: [0x98], 6: [0x80, 98], 9: [] };
  const decode = (tokens: readonly number[]): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(tokens.flatMap((token) => bytes[token]!)));
  const tokens = [1, 2, 9, 3, 4, 5, 9, 6, 1];
  expect(decode(tokens)).toBe("aé😀ba");
  // The pair ends with its last token, which spells "b" as well.
  expect(createTokenEnds(decode)(tokens, decode(tokens))).toEqual([1, 2, 2, 2, 2, 2, 2, 5, 6]);
});

const folders = {
  builtin: { folder: fileURLToPath(new URL("../../models/builtin", import.meta.url)), present: true },
  smollm2: cached("smollm2-135m-instruct", "scripts/smollm2.py"),
  "llama-3.2": cached("tokenizers/llama-3.2", "scripts/tokenizers.ts"),
  "qwen2.5": cached("tokenizers/qwen2.5", "scripts/tokenizers.ts"),
};

describe.each(Object.entries(folders))("tokens of %s", (_name, { folder, present }) => {
  let decode: Renderer["decode"];
  let vocabulary = 0;
  beforeAll(async () => {
    if (!present) return;
    ({ decode } = await loadRenderer(folder, { template: "", chat: "none" }));
    while (vocabulary < 30_000 && decode([vocabulary]) + decode([vocabulary + 1]) + decode([vocabulary + 2]) !== "") vocabulary++;
  });

  it.skipIf(!present)("end where every prefix ends, also in nonsense", () => {
    const tokenEnds = createTokenEnds(decode);
    const random = createRandom(7);
    for (let round = 0; round < 40; round++) {
      // Half of the rounds among the first tokens, which are single bytes in byte-level vocabularies.
      const most = round % 2 === 0 ? vocabulary + 2 : Math.min(vocabulary + 2, 280);
      const tokens = Array.from({ length: random.integer(60) }, () => random.integer(most));
      expect(tokenEnds(tokens, decode(tokens))).toEqual(byPrefixes(tokens, decode));
    }
  });
});

it("takes time in proportion to the tokens", () => {
  let decoded = 0;
  const decode = (tokens: readonly number[]): string => {
    decoded += tokens.length;
    return tokens.map((token) => (token === 0 ? "\uFFFD" : `${token} `)).join("");
  };
  const tokens = Array.from({ length: 3000 }, (_, index) => index % 10);
  createTokenEnds(decode)(tokens, decode(tokens));
  expect(decoded).toBeLessThan(3 * tokens.length);
});
