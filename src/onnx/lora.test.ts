import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { CheckpointError } from "../errors.ts";
import { LORA_TARGETS } from "../options.ts";
import type { Policy } from "../policy.ts";
import { createAdamState } from "./adamw.ts";
import { createEngine } from "./engine.ts";
import { initialAdapters } from "./lora.ts";
import type { LoraOptions } from "./lora.ts";
import { loadModel } from "./model-folder.ts";
import { adapterLayout } from "./models/lora.ts";
import { createRotaryFeeds } from "./models/rotary.ts";
import { openSafetensors } from "./safetensors.ts";
import { createSessions } from "./sessions.ts";
import { saveTrainingState } from "./state.ts";
import { accumulateGradient } from "./update.ts";
import { createWeights } from "./weights.ts";

const golden = (family: string): string => fileURLToPath(new URL(`../../test/golden/${family}`, import.meta.url));
const readJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, "utf8")) as unknown;
const fail = (problem: string): Error => new Error(problem);

const scratch: string[] = [];
afterAll(() => Promise.all(scratch.map((folder) => rm(folder, { recursive: true }))));
async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "selftrain-lora-"));
  scratch.push(folder);
  return folder;
}

/** What PEFT says of the adapters in test/golden/; scripts/make-golden.py made both. */
const element = z.object({ places: z.array(z.int()), values: z.array(z.number()) });
const expectedSchema = z.object({
  ids: z.array(z.int()),
  prompt: z.int(),
  logprobs: z.array(z.number()),
  advantages: z.array(z.number()),
  gradients: z.record(z.string(), element.extend({ norm: z.number() })),
  greedy: z.array(z.int()),
  merged: z.record(z.string(), element),
});
const settingsSchema = z.looseObject({ r: z.int(), lora_alpha: z.number(), target_modules: z.array(z.enum(LORA_TARGETS)) });

/** Reads adapters of PEFT's format, whose tensors must be exactly those of the layout. */
async function readAdapters(folder: string, layout: ReturnType<typeof adapterLayout>): Promise<Float32Array> {
  const file = await openSafetensors(join(folder, "adapter_model.safetensors"), fail);
  expect(new Map([...file.shapes].sort())).toEqual(new Map(layout.stored.map(({ name, shape }) => [name, shape] as const).sort()));
  const flat = new Float32Array(layout.size);
  for (const { name, offset, size } of layout.stored) await file.read(name, flat.subarray(offset, offset + size));
  await file.close();
  return flat;
}

/** An engine whose adapters are these, brought there as a checkpoint is. */
async function engineWith(model: string, lora: LoraOptions, adapters: Float32Array): Promise<Policy> {
  const policy = await createEngine({ model, threads: 1, lora });
  const folder = await emptyFolder();
  await policy.saveState(folder);
  const { metadata, close } = await openSafetensors(join(folder, "training-state.safetensors"), fail);
  await close();
  await saveTrainingState(folder, { weights: adapters, adam: createAdamState(adapters.length), snapshots: new Map() }, { reference: metadata["reference"]!, critic: false });
  await policy.loadState(folder);
  return policy;
}

async function expectLogprobs(policy: Policy, ids: readonly number[], expected: readonly number[], weights = "current"): Promise<void> {
  const [found] = await policy.logprobs([{ prompt: ids.slice(0, 1), completion: ids.slice(1) }], weights);
  expected.forEach((logprob, index) => expect(Math.abs(found![index]! - logprob)).toBeLessThan(1e-4));
}

/** All layers; parts of the joint matrices, which have biases; some layers beside the head norms. */
for (const family of ["llama", "qwen2", "qwen3"]) {
  describe(`adapters of ${family}, against PEFT`, async () => {
    const [model, adapter] = [golden(family), golden(`adapters/${family}`)];
    const expected = expectedSchema.parse(await readJson(`${adapter}/expected.json`));
    const settings = settingsSchema.parse(await readJson(`${adapter}/adapter_config.json`));
    const shape = { rank: settings.r, alpha: settings.lora_alpha, targets: settings.target_modules };
    const lora = { ...shape, seed: 1, base: "owner/name@main" };
    const { config: base, layout: baseLayout, flat } = await loadModel(model);
    const config = { ...base, lora: shape };
    const layout = adapterLayout(config, shape);
    const adapters = await readAdapters(adapter, layout);
    const { ids, prompt } = expected;

    it("gives the same logprobs and greedy tokens, and the model's own as the reference", async () => {
      const policy = await engineWith(model, lora, adapters);
      await expectLogprobs(policy, ids, expected.logprobs);
      const request = { count: 1, weights: "current", seed: 0, temperature: 0, topP: 1, topK: 0, stopTokens: [], maxTokens: expected.greedy.length };
      expect((await policy.sample({ ...request, prompts: [ids.slice(0, prompt)] }))[0]![0]!.tokens).toEqual(expected.greedy);
      const withoutAdapters = expectedSchema.pick({ ids: true, logprobs: true }).parse(await readJson(`${model}/expected.json`));
      await expectLogprobs(policy, withoutAdapters.ids, withoutAdapters.logprobs, "reference");
      await policy.close();
    });

    it("gives the same gradient of a policy-gradient loss", async () => {
      const sessions = createSessions(config, 1);
      const { session, graph } = await sessions.training("importance_sampling");
      const gradient = new Float32Array(layout.size);
      const weights = createWeights(adapters, layout, createWeights(flat, baseLayout).feeds);
      const parts = { session, graph, layout, weights, rotary: createRotaryFeeds(config), group: config.heads / config.keyValueHeads, tokenBudget: () => 64 };
      const completion = ids.slice(prompt);
      const row = { prompt: ids.slice(0, prompt), completion, logprobs: expected.logprobs.slice(prompt - 1), advantages: expected.advantages, weights: completion.map(() => 1) };
      await accumulateGradient([row], { loss: { kind: "importance_sampling" } }, parts, gradient);
      await sessions.close();
      expect(Object.keys(expected.gradients).sort()).toEqual(layout.stored.map(({ name }) => name).sort());
      for (const { name, offset, size } of layout.stored) {
        const { norm, places, values } = expected.gradients[name]!;
        const own = gradient.subarray(offset, offset + size);
        expect(Math.abs(Math.hypot(...own) / norm - 1), name).toBeLessThan(1e-3);
        places.forEach((place, index) => expect(Math.abs(own[place]! - values[index]!), name).toBeLessThan(1e-3 * norm));
      }
    });

    it("exports the merged model, and the adapters as PEFT writes them", async () => {
      const policy = await engineWith(model, lora, adapters);
      const folder = await emptyFolder();
      await policy.exportModel(folder);
      await policy.close();
      const merged = await loadModel(folder);
      for (const [name, { places, values }] of Object.entries(expected.merged)) {
        const { offset } = merged.layout.stored.find((tensor) => tensor.name === name)!;
        places.forEach((place, index) => expect(Math.abs(merged.flat[offset + place]! - values[index]!), name).toBeLessThan(1e-6));
      }
      const whole = await createEngine({ model: folder, threads: 1 });
      await expectLogprobs(whole, ids, expected.logprobs);
      await whole.close();

      expect(await readAdapters(join(folder, "adapter"), layout)).toEqual(adapters);
      const written = settingsSchema.parse(await readJson(join(folder, "adapter/adapter_config.json")));
      expect(settings).toMatchObject({ ...written, base_model_name_or_path: null, revision: null });
      expect(written).toMatchObject({ base_model_name_or_path: "owner/name", revision: "main" });
    });
  });
}

describe("adapters at the start", async () => {
  const { config } = await loadModel(golden("llama"));
  const layout = adapterLayout(config, { rank: 64, alpha: 1, targets: LORA_TARGETS });

  it("have a B of zero, and an A uniform in +-1 / sqrt(width of the input)", () => {
    const flat = initialAdapters(layout, 1);
    for (const { name, shape, offset, size } of layout.stored) {
      const values = flat.subarray(offset, offset + size);
      const bound = name.includes("lora_A") ? 1 / Math.sqrt(shape[1]!) : 0;
      expect(Math.max(...values.map(Math.abs)), name).toBeLessThanOrEqual(bound);
      // A uniform distribution has a variance of a third of its bound's square.
      const variance = values.reduce((total, value) => total + value * value, 0) / size;
      expect(Math.abs(variance - bound ** 2 / 3), name).toBeLessThanOrEqual(0.06 * bound ** 2);
    }
  });

  it("follow from the seed", () => {
    expect(initialAdapters(layout, 1)).toEqual(initialAdapters(layout, 1));
    expect(initialAdapters(layout, 1)).not.toEqual(initialAdapters(layout, 2));
  });
});

describe("the state of a training of adapters", () => {
  const model = golden("qwen3");
  const lora: LoraOptions = { rank: 2, alpha: 4, targets: ["q_proj"], seed: 1, base: "a" };

  it("holds the adapters and their moments, not the model", async () => {
    const policy = await createEngine({ model, threads: 1, lora });
    const folder = await emptyFolder();
    await policy.saveState(folder);
    await policy.close();
    const { config } = await loadModel(model);
    const { size } = await stat(join(folder, "training-state.safetensors"));
    expect(size).toBeLessThan(3 * 4 * adapterLayout(config, lora).size + 1000);
  });

  it("is refused by a training with other adapters", async () => {
    const policy = await createEngine({ model, threads: 1, lora });
    const folder = await emptyFolder();
    await policy.saveState(folder);
    await policy.close();
    for (const other of [null, { ...lora, rank: 3 }, { ...lora, alpha: 5 }, { ...lora, seed: 2 }, { ...lora, targets: ["o_proj"] as const }]) {
      const stranger = await createEngine({ model, threads: 1, lora: other });
      await expect(stranger.loadState(folder)).rejects.toThrow(CheckpointError);
      await stranger.close();
    }
  });
});
