import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeTinyModel } from "../../test/tiny-model.ts";
import { CheckpointError, PolicyError } from "../errors.ts";
import { CURRENT, REFERENCE } from "../policy.ts";
import type { OptimizerOptions, ServablePolicy } from "../policy.ts";
import type { TrainingRow } from "../types.ts";
import { createRandom } from "../util/random.ts";
import { createEngine } from "./engine.ts";

let model = "";
const open: ServablePolicy[] = [];
beforeAll(async () => {
  model = await writeTinyModel();
});
afterAll(async () => {
  await Promise.all(open.map((policy) => policy.close()));
  await rm(model, { recursive: true });
});

async function engine(lora: { readonly rank: number; readonly seed: number } | null = null): Promise<ServablePolicy> {
  const policy = await createEngine({ model, threads: 2, ...(lora && { lora: { ...lora, alpha: 8, targets: ["q_proj", "up_proj"], base: "tiny" } }) });
  open.push(policy);
  return policy;
}

const random = createRandom(3);
const rows: TrainingRow[] = [5, 3, 4, 6].map((length) => ({
  prompt: Array.from({ length: 3 }, () => random.integer(29)),
  completion: Array.from({ length }, () => random.integer(29)),
  logprobs: Array.from({ length }, () => -3.4),
  advantages: Array.from({ length }, () => random.normal()),
  weights: Array.from({ length }, () => random.uniform()),
}));
const adam: OptimizerOptions = { learningRate: 1e-2, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 };
const objective = { loss: { kind: "importance_sampling" } } as const;

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "selftrain-servable-"));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

it("adds gradients up until the optimizer's step, which is then the update of all rows", async () => {
  const [halves, whole] = [await engine(), await engine()];
  const before = await halves.logprobs(rows, CURRENT);
  const reports = [await halves.forwardBackward(rows.slice(0, 1), objective), await halves.forwardBackward(rows.slice(1), objective)];
  const step = await halves.optimizerStep(adam);
  const update = await whole.update(rows, { ...adam, ...objective });
  expect(reports[0]!.loss + reports[1]!.loss).toBeCloseTo(update.loss, 5);
  expect(step.gradientNorm).toBeCloseTo(update.gradientNorm, 4);
  const [left, right] = [await halves.logprobs(rows, CURRENT), await whole.logprobs(rows, CURRENT)];
  left.forEach((logprobs, row) => logprobs.forEach((value, t) => expect(value).toBeCloseTo(right[row]![t]!, 4)));
  // What the passes returned is from before the step, which moved the weights.
  const reported = reports.flatMap(({ logprobs }) => logprobs);
  reported.forEach((logprobs, row) => logprobs.forEach((value, t) => expect(value).toBeCloseTo(before[row]![t]!, 4)));
  expect(Math.abs(left[0]![0]! - before[0]![0]!)).toBeGreaterThan(1e-2);
  expect((await halves.optimizerStep(adam)).gradientNorm).toBe(0);
});

it("forgets a gradient when it is told to, and before an update of its own", async () => {
  const [spoiled, whole] = [await engine(), await engine()];
  await spoiled.forwardBackward(rows, objective);
  await spoiled.dropGradient();
  await spoiled.forwardBackward(rows.slice(1), objective);
  expect(await spoiled.update(rows.slice(0, 2), { ...adam, ...objective })).toEqual(await whole.update(rows.slice(0, 2), { ...adam, ...objective }));
});

it("scores targets in the places of the completion's tokens", async () => {
  const policy = await engine();
  const prompt = [3, 7];
  const continued = await policy.logprobs([8, 9].map((token) => ({ prompt: [...prompt, 4], completion: [token] })), CURRENT);
  const first = await policy.logprobs([{ prompt, completion: [11] }], CURRENT);
  const sequence = { prompt, completion: [4, 8], targets: [11, 9] };
  const [scored] = await policy.logprobs([sequence], CURRENT);
  expect(scored![0]).toBeCloseTo(first[0]![0]!, 4);
  expect(scored![1]).toBeCloseTo(continued[1]![0]!, 4);
  const { logprobs } = await policy.forwardBackward([{ ...sequence, logprobs: [0, 0], advantages: [0, 0], weights: [1, 1] }], { loss: { kind: "cross_entropy" } });
  expect(logprobs[0]![1]).toBeCloseTo(scored![1]!, 4);
  await expect(policy.logprobs([{ ...sequence, targets: [1] }], CURRENT)).rejects.toThrow(PolicyError);
  await expect(policy.logprobs([{ ...sequence, targets: [1, 29] }], CURRENT)).rejects.toThrow(/vocabulary/);
});

it("answers merged requests like those that were merged", async () => {
  const policy = await engine();
  const request = { count: 3, weights: CURRENT, temperature: 1, topP: 1, topK: 0, stopTokens: [], maxTokens: 5 };
  const whole = await policy.sample({ ...request, prompts: [[1, 2], [3], [4, 5, 6]], seed: 7 });
  const other = await policy.sample({ ...request, prompts: [[9]], seed: 8 });
  const origins = [{ seed: 7, prompt: 2 }, { seed: 8, prompt: 0 }, { seed: 7, prompt: 0 }];
  const merged = await policy.sample({ ...request, prompts: [[4, 5, 6], [9], [1, 2]], seed: 0, origins });
  const tokens = (completions: typeof whole) => completions.map((group) => group.map((completion) => completion.tokens));
  expect(tokens(merged)).toEqual(tokens([whole[2]!, other[0]!, whole[0]!]));
});

it("freezes weights in the memory of a snapshot that was forgotten", () =>
  withFolder(async (folder) => {
    const policy = await engine();
    const weightsOf = async (name: string) => {
      await policy.saveWeights(folder, name, false);
      return readFile(join(folder, "training-state.safetensors"));
    };
    const update = () => policy.update(rows, { ...adam, ...objective });
    await policy.snapshot("first");
    const untrained = await weightsOf("first");
    await update();
    const trained = await weightsOf(CURRENT);
    expect(trained.equals(untrained)).toBe(false);
    await policy.snapshot("kept");
    await policy.forget("first");
    await policy.snapshot("second");
    await update();
    // No memory is left to this one: it must not take that of the second.
    await policy.snapshot("third");
    expect((await weightsOf("third")).equals(await weightsOf(CURRENT))).toBe(true);
    for (const name of ["kept", "second"]) expect((await weightsOf(name)).equals(trained), name).toBe(true);
  }));

for (const rank of [0, 2]) {
  it(`keeps single versions of the weights in files, for any engine of their kind (rank ${rank})`, () =>
    withFolder((folder) =>
      withFolder(async (unfinished) => {
        const [first, second] = [await engine(rank === 0 ? null : { rank, seed: 1 }), await engine(rank === 0 ? null : { rank, seed: 2 })];
        const at = (policy: ServablePolicy, name: string) => policy.logprobs(rows, name);
        const untrained = await at(second, REFERENCE);
        await first.update(rows, { ...adam, ...objective });
        await first.snapshot("kept");
        await first.saveWeights(folder, CURRENT, true);
        await first.saveWeights(unfinished, "kept", false);
        await second.snapshot("mine");
        await second.loadSnapshot("theirs", unfinished);
        expect(await at(second, "theirs")).toEqual(await at(first, "kept"));
        expect(await at(second, CURRENT)).toEqual(untrained);
        // With the optimizer both go on alike; snapshots stay.
        await second.forwardBackward(rows, objective);
        await second.loadWeights(folder, true);
        for (const policy of [first, second]) await policy.update(rows, { ...adam, ...objective });
        expect(await at(second, CURRENT)).toEqual(await at(first, CURRENT));
        expect(await at(second, "mine")).toEqual(untrained);
        await second.forget("mine");
        await expect(at(second, "mine")).rejects.toThrow(PolicyError);
        await expect(second.loadWeights(unfinished, true)).rejects.toThrow(CheckpointError);
        await expect((await engine({ rank: 3, seed: 1 })).loadWeights(folder, false)).rejects.toThrow(/another model/);
      }),
    ));
}
