import { readdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { datumOf, servingFixture, textOf, TINY } from "../../test/served.ts";
import type { Fixture, Served } from "../../test/served.ts";
import { endpoints } from "../tinker/wire.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await servingFixture();
});
afterAll(() => fixture.close());

const adam_params = { learning_rate: 0.05, beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: 0, grad_clip_norm: 0 };
const data = [datumOf({ prompt: [3, 7], completion: [9, 4, 9], weights: [1, 1, 1] }), datumOf({ prompt: [8], completion: [2, 2], weights: [1, 1] })];
const input = { loss_fn: "cross_entropy" as const, data };

/** Trains for some steps and returns the loss before each. */
async function train(server: Served, model: string, steps: number): Promise<number[]> {
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    losses.push((await server.run(endpoints.forwardBackward, { model_id: model, forward_backward_input: input })).metrics!["loss:sum"]!);
    await server.run(endpoints.optimStep, { model_id: model, adam_params });
  }
  return losses;
}

async function sampled(server: Served, session: string, number: number, model_path: string) {
  const { sampling_session_id } = await server.call(endpoints.createSamplingSession, { session_id: session, sampling_session_seq_id: number, model_path });
  return server.run(endpoints.sample, { sampling_session_id, seq_id: 0, prompt: textOf([3, 7]), num_samples: 3, sampling_params: { max_tokens: 5, seed: 3 } });
}

for (const rank of [0, 4]) {
  it(`saved weights outlive the server: training and sampling go on as if it had not ended (rank ${rank})`, async () => {
    const first = await fixture.start();
    const { session, model } = await first.model(rank, 3);
    await train(first, model, 2);
    const { path } = await first.run(endpoints.saveWeights, { model_id: model, path: "step-2" });
    const { path: sampler } = await first.run(endpoints.saveWeightsForSampler, { model_id: model, path: "step-2" });
    expect([path, sampler]).toEqual([`tinker://${model}/weights/step-2`, `tinker://${model}/sampler_weights/step-2`]);
    const losses = await train(first, model, 2);
    const completions = await sampled(first, session, 7, sampler!);
    await first.close();

    const second = await fixture.start();
    // Adapters that begin with other values become those that were saved.
    const again = await second.model(rank, 8);
    await second.run(endpoints.loadWeights, { model_id: again.model, path, optimizer: true });
    expect(await train(second, again.model, 2)).toEqual(losses);
    const fresh = await second.model(rank, 8);
    await second.run(endpoints.loadWeights, { model_id: fresh.model, path, optimizer: false });
    const [before, after] = await train(second, fresh.model, 2);
    expect(before).toBe(losses[0]);
    expect(after).not.toBe(losses[1]);
    // As newer Python SDKs ask for it: the model is made of what was saved.
    const { status, body } = await second.post("/load_weights", { session_id: again.session, model_seq_id: 5, path, optimizer: true });
    expect([status, body]).toEqual([200, { request_id: expect.any(String) as string, model_id: `${again.session}:train:5` }]);
    await second.result(endpoints.loadWeights, (body as { request_id: string }).request_id);
    expect(await train(second, `${again.session}:train:5`, 2)).toEqual(losses);
    expect(await sampled(second, again.session, 0, sampler!)).toEqual(completions);
    // A training state can be sampled from, too.
    expect(await sampled(second, again.session, 1, path)).toEqual(completions);
    expect((await second.post("/weights_info", { tinker_path: path })).body).toMatchObject({ base_model: TINY, is_lora: rank > 0, ...(rank > 0 && { lora_rank: rank }) });
    await second.close();
  });
}

it("names are taken once, listed, and free again when they are removed", async () => {
  const server = await fixture.start();
  const { model } = await server.model(2);
  const save = (path: string) => server.run(endpoints.saveWeights, { model_id: model, path });
  await save("a");
  await expect(save("a")).rejects.toThrow(`tinker://${model}/weights/a exists already; take another name`);
  await expect(save("../a")).rejects.toThrow("`../a` is no name for a checkpoint");
  await server.run(endpoints.saveWeightsForSampler, { model_id: model, path: "b" });
  const listed = await server.get(`/training_runs/${model}/checkpoints`);
  expect(listed.body).toMatchObject({
    checkpoints: [
      { checkpoint_id: "weights/a", checkpoint_type: "training", tinker_path: `tinker://${model}/weights/a` },
      { checkpoint_id: "sampler_weights/b", checkpoint_type: "sampler", tinker_path: `tinker://${model}/sampler_weights/b` },
    ],
  });
  expect((await server.get(`/training_runs/${model}/checkpoints/weights/a`, { method: "DELETE" })).status).toBe(204);
  expect((await server.get(`/training_runs/${model}/checkpoints/weights/a`, { method: "DELETE" })).status).toBe(404);
  await expect(server.run(endpoints.loadWeights, { model_id: model, path: `tinker://${model}/weights/a`, optimizer: true })).rejects.toThrow("there is nothing saved as");
  await save("a");
  // Nothing half-written lies about.
  expect(await readdir(join(fixture.state, encodeURIComponent(model), "weights"))).toEqual(["a"]);
  await server.close();
});

it("a name that is given to other weights is sampled from as they are", async () => {
  const server = await fixture.start();
  const { session, model } = await server.model(4);
  const save = () => server.run(endpoints.saveWeightsForSampler, { model_id: model, path: "latest" });
  const { path } = await save();
  const sample = async (sampling_session_id: string, seq_id: number) => {
    const { sequences } = await server.run(endpoints.sample, { sampling_session_id, seq_id, prompt: textOf([3, 7]), num_samples: 3, sampling_params: { max_tokens: 5, seed: 3 } });
    return sequences;
  };
  const open = async (number: number) => (await server.call(endpoints.createSamplingSession, { session_id: session, sampling_session_seq_id: number, model_path: path! })).sampling_session_id;
  const first = await open(0);
  const untrained = await sample(first, 0);
  expect((await server.get(`/samplers/${first}`)).body).toMatchObject({ model_path: path });
  await train(server, model, 3);
  expect((await server.get(`/training_runs/${model}/checkpoints/sampler_weights/latest`, { method: "DELETE" })).status).toBe(204);
  // Weights that are in memory do not need what was saved.
  expect(await sample(first, 1)).toEqual(untrained);
  await save();
  const { sampling_session_id: current } = await server.run(endpoints.saveWeightsForSampler, { model_id: model, sampling_session_seq_id: 8 });
  const trained = await sample(current!, 0);
  expect(trained).not.toEqual(untrained);
  expect(await sample(await open(1), 0)).toEqual(trained);
  await expect(sample(first, 2)).rejects.toThrow("was saved anew since this sampling session was made");
  await server.close();
});

it("what is damaged, of another shape or without an optimizer is refused, and the model stays as it is", async () => {
  const server = await fixture.start();
  const [{ session, model }, { model: other }] = [await server.model(2), await server.model(3)];
  const { path } = await server.run(endpoints.saveWeights, { model_id: model, path: "whole" });
  const { path: sampler } = await server.run(endpoints.saveWeightsForSampler, { model_id: model, path: "sampler" });
  const load = (model_id: string, from: string) => server.run(endpoints.loadWeights, { model_id, path: from, optimizer: true });
  await expect(load(other, path)).rejects.toThrow("user: ");
  await expect(load(model, sampler!)).rejects.toThrow("is no path of saved weights that is expected here; expected tinker://MODEL/weights/NAME");
  const [loss] = await train(server, model, 1);
  const folder = join(fixture.state, encodeURIComponent(model), "weights", "whole");
  await truncate(join(folder, "training-state.safetensors"), 1000);
  await expect(load(model, path)).rejects.toThrow("safetensors");
  const made = await server.post("/load_weights", { session_id: session, model_seq_id: 9, path, optimizer: true });
  await expect(server.result(endpoints.loadWeights, (made.body as { request_id: string }).request_id)).rejects.toThrow("safetensors");
  await expect(server.call(endpoints.getInfo, { model_id: `${session}:train:9` })).rejects.toThrow("there is no model");
  await writeFile(join(folder, "checkpoint.json"), "{");
  await expect(load(model, path)).rejects.toThrow("checkpoint.json is damaged; save the weights again");
  expect((await train(server, model, 1))[0]).toBeLessThan(loss!);
  await server.close();
});
