import { rm } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import { writeTinyModel } from "../../test/tiny-model.ts";
import { LORA_TARGETS } from "../options.ts";
import type { LoraTarget } from "../options.ts";
import type { Objective, UpdateOptions } from "../policy.ts";
import type { TrainingRow } from "../types.ts";
import { createRandom } from "../util/random.ts";
import { loadModel } from "./model-folder.ts";
import type { DecoderConfiguration } from "./models/configuration.ts";
import { withValueHead } from "./models/critic.ts";
import { adapterLayout } from "./models/lora.ts";
import type { ParameterLayout } from "./models/parameters.ts";
import { createRotaryFeeds } from "./models/rotary.ts";
import { createSessions } from "./sessions.ts";
import { accumulateGradient } from "./update.ts";
import { createWeights } from "./weights.ts";
import type { Weights } from "./weights.ts";

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

/**
 * Rows of different lengths, whose behaviour policy is not the current one: some ratios are clipped by ppo. A
 * critic's old values lie within and outside of its clip of 0.5 around those of `withCritic`; one row has none.
 */
function someRows(): TrainingRow[] {
  const random = createRandom(5);
  return [4, 2, 6, 1].map((length, index) => ({
    prompt: Array.from({ length: 2 + index }, () => random.integer(29)),
    completion: Array.from({ length }, () => random.integer(29)),
    logprobs: Array.from({ length }, () => -3.4 + 0.8 * random.normal()),
    advantages: Array.from({ length }, () => random.normal()),
    weights: Array.from({ length }, () => random.uniform()),
    ...(index !== 1 && { critic: { values: Array.from({ length }, () => random.normal()), returns: Array.from({ length }, () => 2 * random.normal()) } }),
  }));
}

const ppo = { kind: "ppo", clipLow: 0.2, clipHigh: 0.3 } as const;
const losses: Objective["loss"][] = [{ kind: "importance_sampling" }, ppo, { ...ppo, dualClip: 1.4 }, { kind: "cross_entropy" }];
const critic: NonNullable<UpdateOptions["critic"]> = { coefficient: 0.7, clip: 0.5 };

interface Subject {
  readonly config: DecoderConfiguration;
  readonly layout: ParameterLayout;
  readonly weights: Weights;
}

async function wholeModel(changes: { tie_word_embeddings: boolean }): Promise<Subject> {
  const folder = await writeTinyModel(changes);
  folders.push(folder);
  const { config, layout, flat } = await loadModel(folder);
  return { config, layout, weights: createWeights(flat, layout) };
}

/** Adapters whose B is not zero, as it is at the start, where A has no gradient. */
async function adapters(targets: readonly LoraTarget[]): Promise<Subject> {
  const { config, weights: { feeds } } = await wholeModel({ tie_word_embeddings: true });
  const lora = { rank: 3, alpha: 2, targets };
  const layout = adapterLayout(config, lora);
  const random = createRandom(7);
  return { config: { ...config, lora }, layout, weights: createWeights(Float32Array.from({ length: layout.size }, () => 0.2 * random.normal()), layout, feeds) };
}

/** A value head beside the rest, which is not zero, as it is at the start, where nothing but the head has a gradient. */
async function withCritic(create: () => Promise<Subject>): Promise<Subject> {
  const { config, layout, weights: { flat, feeds } } = await create();
  const whole = withValueHead(layout, config);
  const random = createRandom(9);
  const head = Float32Array.from({ length: whole.size - layout.size }, () => 0.3 * random.normal());
  return { config: { ...config, critic: true }, layout: whole, weights: createWeights(Float32Array.from([...flat, ...head]), whole, feeds) };
}

const subjects: Readonly<Record<string, () => Promise<Subject>>> = {
  "tied embeddings": () => wholeModel({ tie_word_embeddings: true }),
  "untied embeddings": () => wholeModel({ tie_word_embeddings: false }),
  "adapters of all layers": () => adapters(LORA_TARGETS),
  "adapters of some layers": () => adapters(["k_proj", "up_proj"]),
};
const critics: typeof subjects = {
  "a critic": () => withCritic(() => wholeModel({ tie_word_embeddings: true })),
  "a critic, untied embeddings": () => withCritic(() => wholeModel({ tie_word_embeddings: false })),
  "a critic, adapters": () => withCritic(() => adapters(["q_proj", "down_proj"])),
};

for (const [name, create] of Object.entries({ ...subjects, ...critics })) {
  describe(`the gradient of a whole decoder, ${name}`, () => {
    // A critic's loss is the same beside each of the policy's.
    for (const loss of name in critics ? [ppo] : losses) {
      it(`agrees with directional differences in every parameter tensor: ${loss.kind}${"dualClip" in loss ? ", dual clip" : ""}`, async () => {
        const { config, layout, weights } = await create();
        const { flat } = weights;
        const objective: Objective = { loss, ...(config.critic && { critic }) };
        const sessions = createSessions(config, 2);
        const { session, graph } = await sessions.training(loss.kind);
        // A budget so small that the rows need several micro-batches.
        const parts = { session, graph, layout, weights, rotary: createRotaryFeeds(config), group: 2, tokenBudget: () => 12 };
        const lossAt = async () => (await accumulateGradient(someRows(), objective, parts, new Float32Array(layout.size))).loss;
        const gradient = new Float32Array(layout.size);
        await accumulateGradient(someRows(), objective, parts, gradient);
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
