import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createEngine } from "../engine.ts";
import { loadModel } from "../model-folder.ts";
import { createSessions } from "../sessions.ts";
import { accumulateGradient } from "../update.ts";
import { createWeights } from "../weights.ts";
import { createRotaryFeeds } from "./rotary.ts";

/** What transformers says of the tiny models in test/golden/; scripts/make-golden.py made both. */
const expectedSchema = z.object({
  ids: z.array(z.int()),
  prompt: z.int(),
  logprobs: z.array(z.number()),
  advantages: z.array(z.number()),
  gradients: z.record(z.string(), z.object({ norm: z.number(), places: z.array(z.int()), values: z.array(z.number()) })),
  greedy: z.array(z.int()),
});

/** Llama with its 3.1 rope scaling, untied, two files; Qwen2 with its biases; Qwen3 with its head norms. */
for (const family of ["llama", "qwen2", "qwen3"]) {
  describe(`${family}, against the reference implementation`, async () => {
    const folder = fileURLToPath(new URL(`../../../test/golden/${family}`, import.meta.url));
    const { ids, prompt, logprobs, advantages, gradients, greedy } = expectedSchema.parse(JSON.parse(await readFile(`${folder}/expected.json`, "utf8")));

    it("gives the same logprobs", async () => {
      const policy = await createEngine({ model: folder, threads: 1 });
      const [found] = await policy.logprobs([{ prompt: ids.slice(0, 1), completion: ids.slice(1) }], "current");
      await policy.close();
      logprobs.forEach((logprob, index) => expect(Math.abs(found![index]! - logprob)).toBeLessThan(1e-4));
    });

    it("gives the same gradient of a policy-gradient loss", async () => {
      const { config, layout, flat } = await loadModel(folder);
      const sessions = createSessions(config, 1);
      const { session, graph } = await sessions.training("importance_sampling");
      const gradient = new Float32Array(layout.size);
      const group = config.heads / config.keyValueHeads;
      const parts = { session, graph, layout, weights: createWeights(flat, layout), rotary: createRotaryFeeds(config), group, tokenBudget: () => 64 };
      const completion = ids.slice(prompt);
      // The behaviour policy is the policy itself, so that every ratio is 1.
      const row = { prompt: ids.slice(0, prompt), completion, logprobs: logprobs.slice(prompt - 1), advantages, weights: completion.map(() => 1) };
      await accumulateGradient([row], { loss: { kind: "importance_sampling" } }, parts, gradient);
      await sessions.close();
      for (const [name, { norm, places, values }] of Object.entries(gradients)) {
        const { offset, size } = layout.stored.find((tensor) => tensor.name === name)!;
        const own = gradient.subarray(offset, offset + size);
        expect(Math.abs(Math.hypot(...own) / norm - 1), name).toBeLessThan(1e-3);
        places.forEach((place, index) => expect(Math.abs(own[place]! - values[index]!), name).toBeLessThan(1e-3 * norm));
      }
      expect(Object.keys(gradients).sort()).toEqual(layout.stored.map(({ name }) => name).sort());
    });

    it("decodes the same tokens greedily", async () => {
      const policy = await createEngine({ model: folder, threads: 1 });
      const request = { count: 1, weights: "current", seed: 0, temperature: 0, topP: 1, topK: 0, stopTokens: [], maxTokens: greedy.length };
      const groups = await policy.sample({ ...request, prompts: [ids.slice(0, prompt)] });
      await policy.close();
      expect(groups[0]![0]!.tokens).toEqual(greedy);
    });
  });
}
