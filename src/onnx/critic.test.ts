import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { writeTinyModel } from "../../test/tiny-model.ts";
import { CheckpointError } from "../errors.ts";
import { createAdamState } from "./adamw.ts";
import { createEngine } from "./engine.ts";
import { loadModel } from "./model-folder.ts";
import { openSafetensors } from "./safetensors.ts";
import { fingerprint, saveTrainingState } from "./state.ts";

const scratch: string[] = [];
afterAll(() => Promise.all(scratch.map((folder) => rm(folder, { recursive: true }))));
async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "selftrain-critic-"));
  scratch.push(folder);
  return folder;
}
async function tinyModel(): Promise<string> {
  const folder = await writeTinyModel({ tie_word_embeddings: false });
  scratch.push(folder);
  return folder;
}

it("values each state by a linear layer on the hidden state that gives the next token", async () => {
  const model = await tinyModel();
  const { layout, flat } = await loadModel(model);
  const { offset, shape: [, width] } = layout.stored.find(({ name }) => name === "lm_head.weight")!;
  const row = (token: number): Float32Array => flat.subarray(offset + token * width!, offset + (token + 1) * width!);
  // With the difference of two rows of the output layer as its weight, the head gives the difference of two logits.
  const [likely, other, bias] = [5, 17, 0.25];
  const weights = Float32Array.from([...flat, ...row(likely).map((weight, index) => weight - row(other)[index]!), bias]);
  const policy = await createEngine({ model, threads: 1, critic: true });
  const folder = await emptyFolder();
  await saveTrainingState(folder, { weights, adam: createAdamState(weights.length), snapshots: new Map() }, { reference: fingerprint([flat]), critic: true });
  await policy.loadState(folder);

  const prompt = [3, 7, 11];
  const completion = [2, 19, 28, 4];
  const logprobAfter = async (past: readonly number[], token: number) => (await policy.logprobs([{ prompt, completion: [...past, token] }], "current"))[0]!.at(-1)!;
  const [, values] = await policy.values([{ prompt: [1], completion: [1, 2, 3, 4, 5, 6] }, { prompt, completion }]);
  for (const [t, value] of values!.entries()) {
    const past = completion.slice(0, t);
    const difference = (await logprobAfter(past, likely)) - (await logprobAfter(past, other));
    expect(value).toBeCloseTo(difference + bias, 4);
  }
  await policy.close();
});

for (const lora of [null, { rank: 2, alpha: 4, targets: ["q_proj"] as const, seed: 1, base: "tiny" }]) {
  const trained = lora ? "adapters" : "a whole model";
  it(`is zero at the start, and no part of the exported model: ${trained}`, async () => {
    const model = await tinyModel();
    const policy = await createEngine({ model, threads: 1, lora, critic: true });
    expect(await policy.values([{ prompt: [3, 7], completion: [2, 19] }])).toEqual([Float32Array.of(0, 0)]);
    const folder = await emptyFolder();
    await policy.exportModel(folder);
    await policy.close();
    const namesOf = async (path: string) => {
      const file = await openSafetensors(join(path, "model.safetensors"), (problem) => new Error(problem));
      await file.close();
      return [...file.shapes.keys()];
    };
    expect(await namesOf(folder)).toEqual(await namesOf(model));
  });

  it(`is in a checkpoint or not, which training without or with one refuses: ${trained}`, async () => {
    const model = await tinyModel();
    for (const critic of [true, false]) {
      const policy = await createEngine({ model, threads: 1, lora, critic });
      const stranger = await createEngine({ model, threads: 1, lora, critic: !critic });
      const folder = await emptyFolder();
      await policy.saveState(folder);
      const refused = stranger.loadState(folder);
      await expect(refused).rejects.toThrow(CheckpointError);
      await expect(refused).rejects.toThrow(critic ? "with a critic, and this one has none" : "without a critic, and this one has one");
      await policy.close();
      await stranger.close();
    }
  });
}
