import { rm } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import { writeTinyModel } from "../../test/tiny-model.ts";
import type { Loss } from "../policy.ts";
import type { TrainingRow } from "../types.ts";
import { createRandom } from "../util/random.ts";
import { loadModel } from "./model-folder.ts";
import { createRotaryFeeds } from "./models/rotary.ts";
import { createSessions } from "./sessions.ts";
import { accumulateGradient } from "./update.ts";
import { createWeights } from "./weights.ts";

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

/** Rows of different lengths, whose behaviour policy is not the current one: some ratios are clipped by ppo. */
function someRows(): TrainingRow[] {
  const random = createRandom(5);
  return [4, 2, 6, 1].map((length, index) => ({
    prompt: Array.from({ length: 2 + index }, () => random.integer(29)),
    completion: Array.from({ length }, () => random.integer(29)),
    logprobs: Array.from({ length }, () => -3.4 + 0.8 * random.normal()),
    advantages: Array.from({ length }, () => random.normal()),
    weights: Array.from({ length }, () => random.uniform()),
  }));
}

const losses: Loss[] = [{ kind: "importance_sampling" }, { kind: "ppo", clipLow: 0.2, clipHigh: 0.3 }, { kind: "cross_entropy" }];

for (const tied of [true, false]) {
  describe(`the gradient of a whole decoder, ${tied ? "tied" : "untied"} embeddings`, () => {
    for (const loss of losses) {
      it(`agrees with directional differences in every parameter tensor: ${loss.kind}`, async () => {
        const folder = await writeTinyModel({ tie_word_embeddings: tied });
        folders.push(folder);
        const { config, layout, flat } = await loadModel(folder);
        const sessions = createSessions(config, 2);
        const { session, graph } = await sessions.training(loss.kind);
        // A budget so small that the rows need several micro-batches.
        const parts = { session, graph, layout, weights: createWeights(flat, layout), rotary: createRotaryFeeds(config), group: 2, tokenBudget: () => 12 };
        const lossAt = async () => (await accumulateGradient(someRows(), loss, parts, new Float32Array(layout.size))).loss;
        const gradient = new Float32Array(layout.size);
        await accumulateGradient(someRows(), loss, parts, gradient);
        const random = createRandom(11);
        const original = flat.slice();
        for (const { name, offset, size } of layout.stored) {
          const direction = Array.from({ length: size }, () => random.normal() / Math.sqrt(size));
          const along = direction.reduce((total, d, index) => total + d * gradient[offset + index]!, 0);
          const moved = async (step: number) => {
            direction.forEach((d, index) => (flat[offset + index] = original[offset + index]! + step * d));
            return lossAt();
          };
          const step = 4e-3;
          const numeric = ((await moved(step)) - (await moved(-step))) / (2 * step);
          await moved(0);
          expect(Math.abs(numeric - along), `${name}: ${along} against ${numeric}`).toBeLessThan(2e-3 * Math.max(1, Math.abs(along)));
        }
        await sessions.close();
      });
    }
  });
}
