import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { loadRenderer } from "../src/render/index.ts";
import { createTokenizer } from "../src/render/tokenizer.ts";
import type { Tokenizer } from "../src/render/tokenizer.ts";
import type { Renderer } from "../src/types.ts";
import { cached } from "./cache.ts";
import { mixedStrings } from "./mixed-strings.ts";

const digests = z.array(z.string()).min(1);
/** What the Python packages tokenizers and transformers make of the strings; `scripts/make-golden-tokens.py` wrote it. */
const expectedSchema = z.object({
  strings: z.int(),
  seed: z.int(),
  block: z.int(),
  tokenizers: z.record(z.string(), z.object({ ids: digests, texts: digests, chats: z.array(z.object({ question: z.string(), prompt: z.string() })) })),
});
const expected = expectedSchema.parse(JSON.parse(readFileSync(new URL("golden/tokenizers/expected.json", import.meta.url), "utf8")));
const strings = mixedStrings(expected.strings, expected.seed);

const folders = {
  builtin: { folder: fileURLToPath(new URL("../models/builtin", import.meta.url)), present: true },
  smollm2: cached("smollm2-135m-instruct", "scripts/smollm2.py"),
  "llama-3.2": cached("tokenizers/llama-3.2", "scripts/tokenizers.ts"),
  "qwen2.5": cached("tokenizers/qwen2.5", "scripts/tokenizers.ts"),
  qwen3: cached("tokenizers/qwen3", "scripts/tokenizers.ts"),
};

/** A digest of every block of items, so that a difference is found within few. */
function blocks(items: readonly string[]): string[] {
  const starts = Array.from({ length: Math.ceil(items.length / expected.block) }, (_, index) => index * expected.block);
  const digest = (start: number) => createHash("sha256").update(items.slice(start, start + expected.block).join("\n")).digest("hex").slice(0, 16);
  return starts.map(digest);
}

describe.each(Object.entries(folders))("the tokenizer of %s", (name, { folder, present }) => {
  describe.skipIf(!present)("against the reference implementation", () => {
    const { ids, texts, chats } = expected.tokenizers[name]!;
    let tokenizer: Tokenizer;
    let renderer: Renderer;
    let tokens: readonly (readonly number[])[];
    beforeAll(async () => {
      const files = await Promise.all(["tokenizer.json", "tokenizer_config.json"].map((file) => readFile(join(folder, file), "utf8")));
      const [content, config] = files.map((text) => JSON.parse(text) as object);
      tokenizer = createTokenizer(content!, config!);
      renderer = await loadRenderer(folder, { template: "{problem}" });
      tokens = strings.map((string) => tokenizer.encode(string).ids);
    });

    it("makes the same tokens of 10,000 strings of LaTeX, Chinese, digits, whitespace, emoji and arbitrary characters", () => {
      expect(tokens).toHaveLength(10_000);
      expect(blocks(tokens.map((sequence) => sequence.join(" ")))).toEqual(ids);
    });

    it("makes the same text of these tokens, forwards and backwards, which cuts characters apart", () => {
      expect(blocks(tokens.flatMap((sequence) => [renderer.decode(sequence), renderer.decode(sequence.toReversed())]))).toEqual(texts);
    });

    if (chats.length > 0) {
      it("writes questions through the chat template", () => {
        // Not the renderer's own text, which is without special tokens.
        const textOf = (sequence: readonly number[]) => tokenizer.decode(sequence, { clean_up_tokenization_spaces: false });
        expect(chats.map(({ question }) => ({ question, prompt: textOf(renderer.encodePrompt(question)) }))).toEqual(chats);
      });
    }
  });
});
