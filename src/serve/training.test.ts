import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { datumOf, servingFixture, tensor, textOf } from "../../test/served.ts";
import type { Fixture, Served } from "../../test/served.ts";
import { LORA_TARGETS } from "../options.ts";
import { CURRENT } from "../policy.ts";
import type { Loss, OptimizerOptions } from "../policy.ts";
import { endpoints } from "../tinker/wire.ts";
import type { LossInput } from "../tinker/wire.ts";
import type { TrainingRow } from "../types.ts";
import { createRandom } from "../util/random.ts";
import { sum } from "../util/statistics.ts";
import { strictZip } from "../util/strict-zip.ts";

let fixture: Fixture;
let server: Served;
beforeAll(async () => {
  fixture = await servingFixture();
  server = await fixture.start();
});
afterAll(() => fixture.close());

const random = createRandom(1);
const rows: TrainingRow[] = [4, 6, 3, 5].map((length) => ({
  prompt: Array.from({ length: 3 }, () => random.integer(29)),
  completion: Array.from({ length }, () => random.integer(29)),
  logprobs: Array.from({ length }, () => -3.3 + random.normal() / 3),
  advantages: Array.from({ length }, () => random.normal()),
  weights: Array.from({ length }, () => random.uniform()),
}));
const adam: OptimizerOptions = { learningRate: 1e-2, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.01, maxGradientNorm: 0.5 };
const adam_params = { learning_rate: 1e-2, beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: 0.01, grad_clip_norm: 0.5 };
const input = (data: readonly TrainingRow[], loss_fn: LossInput["loss_fn"] = "importance_sampling"): LossInput => ({
  loss_fn,
  data: data.map(({ logprobs, advantages, ...row }) => datumOf(loss_fn === "cross_entropy" ? row : { ...row, logprobs, advantages })),
});
/** What belongs to the completion, of arrays that are aligned with all targets. */
const completions = (arrays: readonly { readonly data: readonly number[] }[]): number[][] => strictZip(rows.slice(0, arrays.length), arrays).map(([{ prompt }, { data }]) => data.slice(prompt.length - 1));

function expectClose(actual: readonly ArrayLike<number>[], expected: readonly ArrayLike<number>[], digits = 4): void {
  for (const [left, right] of strictZip(actual, expected)) {
    for (const [a, b] of strictZip(Array.from(left), Array.from(right))) expect(a).toBeCloseTo(b, digits);
  }
}

describe("training over the wire", () => {
  it("leaves out the logprobs of prompts where it may, and then is the engine bit for bit", async () => {
    const engine = await fixture.engine(null);
    const { model } = await server.model(0);
    const skipping = { ...input(rows, "importance_sampling"), skip_unweighted: true };
    const expected = await engine.logprobs(rows, CURRENT);
    const { loss_fn_outputs } = await server.run(endpoints.forward, { model_id: model, forward_input: skipping });
    strictZip(rows, loss_fn_outputs).forEach(([{ prompt }, { logprobs }], row) => {
      expect(logprobs.data.slice(0, prompt.length - 1)).toEqual(prompt.slice(1).map(() => 0));
      expect(Float32Array.from(logprobs.data.slice(prompt.length - 1))).toEqual(expected[row]);
    });
    const { gradientNorm } = await engine.update(rows, { ...adam, loss: { kind: "importance_sampling" } });
    await server.run(endpoints.forwardBackward, { model_id: model, forward_backward_input: skipping });
    expect((await server.run(endpoints.optimStep, { model_id: model, adam_params })).metrics!["grad_norm"]).toBe(gradientNorm);
    // Without a weight there is nothing to tell a prompt by.
    const whole = { ...skipping, data: skipping.data.map((datum) => ({ ...datum, loss_fn_inputs: { ...datum.loss_fn_inputs, weights: tensor(datum.model_input.chunks[0]!.tokens.map(() => 0)) } })) };
    const told = await server.run(endpoints.forward, { model_id: model, forward_input: whole });
    expect(told.loss_fn_outputs.flatMap(({ logprobs }) => logprobs.data).every((logprob) => logprob < 0)).toBe(true);
  });

  it("adds up the passes of a step, and is training of the engine", async () => {
    const engine = await fixture.engine({ rank: 4, alpha: 32, targets: LORA_TARGETS, seed: 5 });
    const { model } = await server.model(4, 5);
    for (let round = 0; round < 3; round++) {
      const before = await engine.logprobs(rows, CURRENT);
      const update = await engine.update(rows, { ...adam, loss: { kind: "importance_sampling" } });
      const numbers = [0, 1, 2].map((place) => 1 + 3 * round + place);
      const requests = [
        await server.begin(endpoints.forwardBackward, { model_id: model, seq_id: numbers[0], forward_backward_input: input(rows.slice(0, 3)) }),
        await server.begin(endpoints.forwardBackward, { model_id: model, seq_id: numbers[1], forward_backward_input: input(rows.slice(3)) }),
        await server.begin(endpoints.optimStep, { model_id: model, seq_id: numbers[2], adam_params }),
      ];
      const [first, second] = [await server.result(endpoints.forwardBackward, requests[0]!), await server.result(endpoints.forwardBackward, requests[1]!)];
      const { metrics } = await server.result(endpoints.optimStep, requests[2]!);
      // From before the step, though it was sent before the answer came.
      expectClose(completions([...first.loss_fn_outputs, ...second.loss_fn_outputs].map(({ logprobs }) => logprobs)), before);
      expect(first.metrics!["loss:sum"]! + second.metrics!["loss:sum"]!).toBeCloseTo(update.loss, 4);
      expect(metrics!["grad_norm"]).toBeCloseTo(update.gradientNorm, 3);
    }
    const { loss_fn_outputs } = await server.run(endpoints.forward, { model_id: model, forward_input: input(rows) });
    expectClose(completions(loss_fn_outputs.map(({ logprobs }) => logprobs)), await engine.logprobs(rows, CURRENT), 3);
  });

  it("tells the loss of all tokens, and takes targets that are not the next tokens", async () => {
    const { model } = await server.model(2);
    const dummies = input(rows, "ppo");
    for (const { loss_fn_inputs } of dummies.data) loss_fn_inputs["target_tokens"]!.data[0] = 0;
    const ppo = await server.run(endpoints.forwardBackward, { model_id: model, forward_backward_input: { ...dummies, loss_fn_config: { clip_low_threshold: 0.9, clip_high_threshold: 1.1 } } });
    const entropy = await server.run(endpoints.forward, { model_id: model, forward_input: input(rows, "cross_entropy") });
    const logprobs = completions(entropy.loss_fn_outputs.map((output) => output.logprobs));
    expectClose(completions(ppo.loss_fn_outputs.map((output) => output.logprobs)), logprobs);
    const losses = (loss: (logprob: number, behaviour: number, advantage: number) => number) =>
      sum(strictZip(rows, logprobs).map(([row, logprobs_T]) => sum(Array.from(logprobs_T, (logprob, t) => row.weights[t]! * loss(logprob, row.logprobs[t]!, row.advantages[t]!)))));
    const clipped = (logprob: number, behaviour: number, advantage: number): number => {
      const ratio = Math.exp(logprob - behaviour);
      const limited = ratio < 0.9 ? 0.9 : ratio > 1.1 ? 1.1 : ratio;
      return -Math.min(ratio * advantage, limited * advantage);
    };
    expect(ppo.metrics!["loss:sum"]).toBeCloseTo(losses(clipped), 5);
    expect(entropy.metrics!["loss:sum"]).toBeCloseTo(losses((logprob) => -logprob), 5);
    // The dummy target's own logprob: the model's for token 0 after the first token.
    const [zero] = await (await fixture.engine(null)).logprobs([{ prompt: rows[0]!.prompt.slice(0, 1), completion: [0] }], CURRENT);
    expect(ppo.loss_fn_outputs[0]!.logprobs.data[0]).toBeCloseTo(zero![0]!, 4);
  });

  it("leaves the weights alone when a part of the step failed", async () => {
    const { model } = await server.model(2);
    const before = await server.run(endpoints.forward, { model_id: model, forward_input: input(rows) });
    const bad = input(rows.slice(0, 1));
    bad.data[0]!.loss_fn_inputs["advantages"]!.data.pop();
    const good = server.begin(endpoints.forwardBackward, { model_id: model, seq_id: 1, forward_backward_input: input(rows.slice(1)) });
    await expect(server.run(endpoints.forwardBackward, { model_id: model, seq_id: 2, forward_backward_input: bad })).rejects.toThrow("user: data.0.loss_fn_inputs.advantages has 5 numbers for a model_input of 6 tokens");
    await expect(server.run(endpoints.optimStep, { model_id: model, seq_id: 3, adam_params })).rejects.toThrow("the gradient is dropped");
    await server.result(endpoints.forwardBackward, await good);
    await expect(server.run(endpoints.optimStep, { model_id: model, seq_id: 4, adam_params })).rejects.toThrow("there is no gradient to apply");
    const after = await server.run(endpoints.forward, { model_id: model, forward_input: input(rows) });
    expect(after.loss_fn_outputs).toEqual(before.loss_fn_outputs);
    // What was dropped is no part of the next step.
    const engine = await fixture.engine({ rank: 2, alpha: 32, targets: LORA_TARGETS, seed: 0 });
    const loss: Loss = { kind: "importance_sampling" };
    const { gradientNorm } = await engine.update(rows.slice(0, 2), { ...adam, loss });
    await server.run(endpoints.forwardBackward, { model_id: model, seq_id: 5, forward_backward_input: input(rows.slice(0, 2)) });
    expect((await server.run(endpoints.optimStep, { model_id: model, seq_id: 6, adam_params })).metrics!["grad_norm"]).toBeCloseTo(gradientNorm, 4);
  });

  it("says when a gradient is not finite, and changes nothing then", async () => {
    const { model } = await server.model(2);
    const before = await server.run(endpoints.forward, { model_id: model, forward_input: input(rows) });
    const huge = rows.map((row) => ({ ...row, logprobs: row.completion.map(() => -1000) }));
    const pass = await server.run(endpoints.forwardBackward, { model_id: model, forward_backward_input: input(huge) });
    expect(pass.metrics).not.toHaveProperty("loss:sum");
    expect((await server.run(endpoints.optimStep, { model_id: model, adam_params })).metrics).toEqual({ skipped: 1, learning_rate: 1e-2 });
    expect((await server.run(endpoints.forward, { model_id: model, forward_input: input(rows) })).loss_fn_outputs).toEqual(before.loss_fn_outputs);
  });
});

describe("the order of a model's requests", () => {
  it("is that of their numbers, however they come", async () => {
    const [ordered, mixed] = [await server.model(2), await server.model(2)];
    const request = (model: string, seq_id: number) => ({ model_id: model, seq_id, forward_backward_input: input(rows.slice(seq_id % 2, (seq_id % 2) + 2)) });
    const norms: (number | undefined)[] = [];
    for (const [{ model }, order] of [[ordered, [1, 2, 3, 4]], [mixed, [4, 2, 3, 1]]] as const) {
      const ids = new Map<number, string>();
      for (const number of order) {
        ids.set(number, number % 2 === 0 ? await server.begin(endpoints.optimStep, { model_id: model, seq_id: number, adam_params }) : await server.begin(endpoints.forwardBackward, request(model, number)));
      }
      norms.push((await server.result(endpoints.optimStep, ids.get(4)!)).metrics!["grad_norm"]);
    }
    expect(norms[1]).toBe(norms[0]);
  });

  it("does a request that comes again once, and refuses another of its number", async () => {
    const [{ model: once }, { model: again }] = [await server.model(2), await server.model(2)];
    const losses: number[] = [];
    for (const [model, times] of [[once, 1], [again, 3]] as const) {
      for (let number = 1; number <= 4; number += 2) {
        const ids = new Set<string>();
        for (let time = 0; time < times; time++) {
          ids.add(await server.begin(endpoints.forwardBackward, { model_id: model, seq_id: number, forward_backward_input: input(rows) }));
          ids.add(await server.begin(endpoints.optimStep, { model_id: model, seq_id: number + 1, adam_params }));
        }
        expect(ids.size).toBe(2);
      }
      losses.push((await server.run(endpoints.forward, { model_id: model, seq_id: 5, forward_input: input(rows) })).metrics!["loss:sum"]!);
    }
    expect(losses[1]).toBe(losses[0]);
    await expect(server.run(endpoints.optimStep, { model_id: again, seq_id: 1, adam_params })).rejects.toThrow("409 the number 1 was used for another request");
    await expect(server.run(endpoints.optimStep, { model_id: again, seq_id: 2, adam_params: { ...adam_params, eps: 2e-8 } })).rejects.toThrow("409 the number 2 was used for another request");
  });

  it("does not wait for ever for a number that never comes, and lets it be sent again", async () => {
    const hasty = await fixture.start({ limits: { gapSeconds: 0.2 } });
    const { model } = await hasty.model(2);
    const step = { model_id: model, seq_id: 2, adam_params };
    await expect(hasty.run(endpoints.optimStep, step)).rejects.toThrow("request 1 did not come before it within 0.2 seconds");
    await hasty.run(endpoints.forwardBackward, { model_id: model, seq_id: 1, forward_backward_input: input(rows) });
    expect((await hasty.run(endpoints.optimStep, step)).metrics!["grad_norm"]).toBeGreaterThan(0);
    await hasty.close();
  });
});

it("scores prompts as the model does", async () => {
  const { session } = await server.model(2);
  const { sampling_session_id } = await server.call(endpoints.createSamplingSession, { session_id: session, sampling_session_seq_id: 0, base_model: "tiny" });
  const tokens = [3, 9, 4, 4, 8];
  const { prompt_logprobs, sequences } = await server.run(endpoints.sample, { sampling_session_id, seq_id: 0, prompt: textOf(tokens), sampling_params: { max_tokens: 1, seed: 1 }, prompt_logprobs: true });
  const [expected] = await (await fixture.engine(null)).logprobs([{ prompt: tokens.slice(0, 1), completion: tokens.slice(1) }], CURRENT);
  expect(prompt_logprobs![0]).toBeNull();
  expectClose([prompt_logprobs!.slice(1) as number[]], [expected!]);
  expect(sequences[0]!.tokens).toHaveLength(1);
});
