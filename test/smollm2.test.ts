import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createEngine } from "../src/onnx/engine.ts";
import type { Policy } from "../src/policy.ts";
import { loadRenderer } from "../src/render/index.ts";
import type { Renderer } from "../src/types.ts";
import { cached } from "./cache.ts";

const ids = z.array(z.int());
/** What transformers says of the model in float32; `scripts/smollm2.py --expect` wrote it. */
const expectedSchema = z.object({
  texts: z.array(z.object({ ids, text: z.string() })),
  chats: z.array(z.object({ question: z.string(), ids })),
  sequence: ids,
  logprobs: z.array(z.number()),
  greedy: z.array(z.object({ question: z.string(), ids, text: z.string() })),
});

const { folder, present } = cached("smollm2-135m-instruct", "scripts/smollm2.py");

describe.skipIf(!present)("SmolLM2-135M-Instruct, against the reference implementation", async () => {
  const expected = expectedSchema.parse(JSON.parse(await readFile(new URL("golden/smollm2/expected.json", import.meta.url), "utf8")));
  let renderer: Renderer;
  let policy: Policy;
  beforeAll(async () => {
    renderer = await loadRenderer(folder, { template: "{problem}" });
    policy = await createEngine({ model: folder, threads: 1 });
  });
  afterAll(() => policy.close());

  it("makes the same text of tokens, also of those that are parts of a character", () => {
    expect(expected.texts.map(({ ids }) => ({ ids, text: renderer.decode(ids) }))).toEqual(expected.texts);
  });

  it("writes questions through the chat template", () => {
    expect(expected.chats.map(({ question }) => ({ question, ids: renderer.encodePrompt(question) }))).toEqual(expected.chats);
    expect(renderer.stopTokens).toEqual([2]);
  });

  it("gives the same logprobs", async () => {
    const [first, ...rest] = expected.sequence;
    const [found] = await policy.logprobs([{ prompt: [first!], completion: rest }], "current");
    expected.logprobs.forEach((logprob, index) => expect(Math.abs(found![index]! - logprob)).toBeLessThan(1e-3));
  });

  it("answers the same greedily", async () => {
    const prompts = expected.greedy.map(({ question }) => renderer.encodePrompt(question));
    const sampling = { weights: "current", seed: 0, temperature: 0, topP: 1, topK: 0, stopTokens: renderer.stopTokens, maxTokens: 24 };
    const groups = await policy.sample({ ...sampling, prompts, count: 1 });
    const answers = groups.map(([completion]) => ({ ids: completion!.tokens, text: renderer.decode(completion!.tokens) }));
    expect(answers).toEqual(expected.greedy.map(({ ids, text }) => ({ ids, text })));
  });
});
