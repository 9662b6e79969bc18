import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { datumOf, END_TOKEN, servingFixture, textOf, TINY } from "../../test/served.ts";
import type { Fixture, Served } from "../../test/served.ts";
import { CURRENT } from "../policy.ts";
import type { SampleRequest, ServablePolicy } from "../policy.ts";
import { endpoints } from "../tinker/wire.ts";

let fixture: Fixture;
let server: Served;
/** Prompts of each call of the served engines, which wait for the gate. */
const calls: number[] = [];
let gate = Promise.resolve();
async function createPolicy(...parameters: Parameters<Fixture["engine"]>): Promise<ServablePolicy> {
  const policy = await fixture.engine(...parameters);
  return {
    ...policy,
    sample: async (request) => {
      calls.push(request.prompts.length);
      await gate;
      return policy.sample(request);
    },
  };
}
beforeAll(async () => {
  fixture = await servingFixture();
  server = await fixture.start({ createPolicy, limits: { snapshotsPerModel: 2 } });
});
afterAll(() => fixture.close());

const prompts = [[3, 7, 11], [5], [20, 21, 22, 23]];
const options: Omit<SampleRequest, "prompts"> = { count: 3, weights: CURRENT, seed: 9, temperature: 0.8, topP: 0.9, topK: 20, stopTokens: [END_TOKEN], maxTokens: 6 };
const sampling_params = { max_tokens: 6, seed: 9, temperature: 0.8, top_p: 0.9, top_k: 20 };

async function samplingSession(model: string, number: number): Promise<string> {
  const { sampling_session_id } = await server.run(endpoints.saveWeightsForSampler, { model_id: model, sampling_session_seq_id: number });
  return sampling_session_id!;
}

/** One training step that moves the weights clearly. */
async function train(model: string): Promise<void> {
  const datum = datumOf({ prompt: [3, 7], completion: [9, 9, 9], weights: [1, 1, 1] });
  await server.run(endpoints.forwardBackward, { model_id: model, forward_backward_input: { loss_fn: "cross_entropy", data: [datum] } });
  await server.run(endpoints.optimStep, { model_id: model, adam_params: { learning_rate: 0.1, beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: 0, grad_clip_norm: 0 } });
}

const firstTokens = async (sampling: string, seq_id: number, seed = 1) => {
  const { sequences } = await server.run(endpoints.sample, { sampling_session_id: sampling, seq_id, prompt: textOf([3, 7, 11]), num_samples: 2, sampling_params: { ...sampling_params, seed } });
  return sequences.map(({ tokens }) => tokens);
};

describe("samples over the wire", () => {
  it("are those of the engine for the same seed, bit for bit, where they are drawn together", async () => {
    const expected = await (await fixture.engine(null)).sample({ ...options, prompts });
    const { model } = await server.model(0);
    const sampling_session_id = await samplingSession(model, 0);
    let open = (): void => undefined;
    gate = new Promise((resolve) => (open = resolve));
    const first = server.run(endpoints.sample, { sampling_session_id, seq_id: 9, prompt: textOf([3]), sampling_params });
    await vi.waitFor(() => expect(calls).toEqual([1]));
    const [one, ...others] = prompts;
    const request = { sampling_session_id, seq_id: 0, prompt: textOf(one!), further_prompts: others.map(textOf), num_samples: 3, sampling_params };
    const id = await server.begin(endpoints.sample, request);
    open();
    await first;
    const { sequences } = await server.result(endpoints.sample, id);
    expect(sequences.map(({ tokens, stop_reason, logprobs }) => ({ tokens, stopReason: stop_reason, logprobs: Float32Array.from(logprobs!) }))).toEqual(expected.flat());
    expect(calls).toEqual([1, 3]);
    // The same request again is the same future, and samples nothing.
    expect(await server.run(endpoints.sample, request)).toEqual({ sequences, prompt_logprobs: null });
    expect(calls).toEqual([1, 3]);
  });

  it("of prompts that come one by one are drawn together, each by its place", async () => {
    const { model } = await server.model(2);
    const sampling_session_id = await samplingSession(model, 0);
    const request = { sampling_session_id, num_samples: 2, sampling_params };
    calls.length = 0;
    const { sequences } = await server.run(endpoints.sample, { ...request, seq_id: 0, prompt: textOf(prompts[1]!), further_prompts: [textOf(prompts[2]!)], prompt_index: 1 });
    let open = (): void => undefined;
    gate = new Promise((resolve) => (open = resolve));
    const first = server.run(endpoints.sample, { ...request, seq_id: 9, prompt: textOf([3]) });
    await vi.waitFor(() => expect(calls).toEqual([2, 1]));
    const ids = await Promise.all([2, 1].map((prompt_index) => server.begin(endpoints.sample, { ...request, seq_id: prompt_index, prompt: textOf(prompts[prompt_index]!), prompt_index })));
    open();
    await first;
    const parts = await Promise.all(ids.map((id) => server.result(endpoints.sample, id)));
    const tokensOf = (sampled: typeof sequences) => sampled.map(({ tokens }) => tokens);
    expect(parts.reverse().flatMap((part) => tokensOf(part.sequences))).toEqual(tokensOf(sequences));
    expect(calls).toEqual([2, 1, 2]);
    await expect(server.run(endpoints.sample, { ...request, seq_id: 3, prompt: textOf([3]), further_prompts: [textOf([5])], prompt_logprobs: true })).rejects.toThrow("prompt_logprobs, which are told of one prompt");
  });

  it("fail alone where one of those drawn together cannot be", async () => {
    const { model } = await server.model(2);
    const sampling_session_id = await samplingSession(model, 0);
    const request = (seq_id: number, prompt: readonly number[]) => server.run(endpoints.sample, { sampling_session_id, seq_id, prompt: textOf(prompt), sampling_params });
    const [good, long, foreign] = await Promise.allSettled([request(0, [3]), request(1, new Array<number>(60).fill(3)), request(2, [29])]);
    expect(good.status).toBe("fulfilled");
    expect(String((long as PromiseRejectedResult).reason)).toContain("exceeds the model's context of 64 tokens");
    expect(String((foreign as PromiseRejectedResult).reason)).toContain("Token 29 is not in the model's vocabulary of 29");
  });

  it("come from weights that do not change, of the model or the base model", async () => {
    const { session, model } = await server.model(4);
    const before = await samplingSession(model, 0);
    const { sampling_session_id: base } = await server.call(endpoints.createSamplingSession, { session_id: session, sampling_session_seq_id: 1, base_model: TINY });
    const untrained = await firstTokens(before, 0);
    expect(await firstTokens(base, 0)).toEqual(untrained);
    for (let step = 0; step < 3; step++) await train(model);
    const after = await samplingSession(model, 2);
    expect(await firstTokens(after, 0)).not.toEqual(untrained);
    expect(await firstTokens(before, 1)).toEqual(untrained);
    expect(await firstTokens(base, 1)).toEqual(untrained);
  });

  it("are no longer drawn from the oldest weights when newer ones took their room", async () => {
    const { model } = await server.model(2);
    const [first, second] = [await samplingSession(model, 0), await samplingSession(model, 1)];
    // The first was used last, so the second makes room.
    await firstTokens(first, 0);
    const third = await samplingSession(model, 2);
    await expect(firstTokens(second, 0)).rejects.toThrow("404 there is no sampling session");
    await firstTokens(first, 1);
    await firstTokens(third, 0);
  });

  it("are drawn to their end before their engine makes room for a model", async () => {
    const full = await fixture.start({ createPolicy, limits: { maxModels: 2 } });
    const { session } = await full.model(2);
    const { sampling_session_id } = await full.call(endpoints.createSamplingSession, { session_id: session, sampling_session_seq_id: 0, base_model: TINY });
    let open = (): void => undefined;
    gate = new Promise((resolve) => (open = resolve));
    const request = (seq_id: number, num_samples: number) => ({ sampling_session_id, seq_id, prompt: textOf([3]), num_samples, sampling_params });
    calls.length = 0;
    // The first is being drawn, the other waits for its turn.
    const ids = [await full.begin(endpoints.sample, request(0, 1))];
    await vi.waitFor(() => expect(calls).toEqual([1]));
    ids.push(await full.begin(endpoints.sample, request(1, 2)));
    const created = full.run(endpoints.createModel, { session_id: session, model_seq_id: 1, base_model: TINY, lora_config: { rank: 2 } });
    // A request to the model that is not there yet does not hold the samples up.
    const saved = await full.begin(endpoints.saveWeights, { model_id: `${session}:train:1`, path: "early" });
    await new Promise((resolve) => setTimeout(resolve, 300));
    open();
    for (const [place, id] of ids.entries()) expect((await full.result(endpoints.sample, id)).sequences).toHaveLength(place + 1);
    await created;
    await full.result(endpoints.saveWeights, saved);
    await full.close();
  });

  it("are refused, as passes are, when the weights have diverged", async () => {
    const { model } = await server.model(2);
    const datum = datumOf({ prompt: [3, 7], completion: [9, 9, 9], weights: [1, 1, 1] });
    const pass = { model_id: model, forward_backward_input: { loss_fn: "cross_entropy" as const, data: [datum] } };
    const step = { model_id: model, adam_params: { learning_rate: 1e37, beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: 0, grad_clip_norm: 0 } };
    await server.run(endpoints.forwardBackward, { ...pass, seq_id: 1 });
    await server.run(endpoints.optimStep, { ...step, seq_id: 2 });
    await expect(firstTokens(await samplingSession(model, 0), 0)).rejects.toThrow("user: the model's logprobs are not finite: its weights have diverged");
    // A step that waits while its pass fails takes none of it.
    const waiting = await server.begin(endpoints.optimStep, { ...step, seq_id: 4 });
    await expect(server.run(endpoints.forwardBackward, { ...pass, seq_id: 3 })).rejects.toThrow("user: the model's logprobs are not finite: its weights have diverged");
    await expect(server.result(endpoints.optimStep, waiting)).rejects.toThrow("the gradient is dropped");
  });

  it("differ without a seed, end where they are told to, and can be greedy", async () => {
    const { model } = await server.model(2);
    const sampling_session_id = await samplingSession(model, 0);
    const sample = (seq_id: number, params: Partial<(typeof sampling_params & { stop: number[] })>) =>
      server.run(endpoints.sample, { sampling_session_id, seq_id, prompt: textOf([3, 7]), num_samples: 4, sampling_params: { max_tokens: 12, ...params } });
    const [one, other] = [await sample(0, {}), await sample(1, {})];
    expect(one.sequences).not.toEqual(other.sequences);
    const greedy = (await sample(2, { temperature: 0, stop: [] })).sequences.map(({ tokens }) => tokens);
    expect(new Set(greedy.map(String)).size).toBe(1);
    expect(greedy[0]).toHaveLength(12);
    const stopped = (await sample(3, { temperature: 0, stop: [greedy[0]![2]!] })).sequences[0]!;
    expect(stopped.tokens).toEqual(greedy[0]!.slice(0, greedy[0]!.indexOf(greedy[0]![2]!) + 1));
    expect(stopped.stop_reason).toBe("stop");
  });
});
