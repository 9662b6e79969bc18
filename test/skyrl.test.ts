import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEngine } from "../src/onnx/engine.ts";
import { LORA_TARGETS } from "../src/options.ts";
import { CURRENT, REFERENCE } from "../src/policy.ts";
import type { Policy } from "../src/policy.ts";
import { createTinkerPolicy } from "../src/tinker/index.ts";
import { mean } from "../src/util/statistics.ts";
import { main, root, selftrain } from "./e2e/command.ts";
import { policyConformance } from "./policy-conformance.ts";
import type { Deviation } from "./policy-conformance.ts";
import { builtinForSkyrl, skyrlWanted, startSkyrl, tinyForSkyrl } from "./skyrl-server.ts";
import type { SkyrlServer } from "./skyrl-server.ts";

const prompts = [[3, 7, 11, 2], [5, 8], [20, 21, 22, 23, 24, 25]];
const lora = { rank: 8, alpha: 32, targets: LORA_TARGETS, seed: 3 };

const deviations: readonly Deviation[] = [
  { test: "can be exported as a model folder", reason: "the weights stay on the server" },
  { test: "scale a gradient over the largest norm down to it", reason: "SkyRL's JAX backend does not clip gradients; the client says so" },
  { test: "goes on bit for bit from a saved state, in another policy or the same", reason: "the last bits of a sample's logprobs depend on its batch and slot; the next test allows for them" },
];

/** Kept by those tests that need a server. */
interface Served {
  readonly folder: string;
  readonly model: string;
  server: SkyrlServer;
}

function serve(modelIn: (folder: string) => Promise<string>): Served {
  const served = {} as Record<string, unknown> & Served;
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "selftrain-skyrl-"));
    const model = await modelIn(folder);
    Object.assign(served, { folder, model, server: await startSkyrl({ model, state: join(folder, "state") }) });
  }, 300_000);
  afterAll(async () => {
    await served.server.kill();
    await rm(served.folder, { recursive: true });
  });
  return served;
}

const connect = ({ server, model }: Served): Promise<Policy> =>
  createTinkerPolicy({ url: server.url, key: null, baseModel: "", folder: model, lora, lossReduction: "auto", concurrency: 64, resultTimeout: 3600, warn: () => undefined });

const wanted = skyrlWanted();

describe.skipIf(!wanted)("SkyRL's JAX backend, with a tiny Qwen3", { timeout: 600_000 }, () => {
  const served = serve(tinyForSkyrl);
  policyConformance("a policy on it", async () => ({ policy: await connect(served), prompts }), deviations);

  it("goes on from a saved state", async () => {
    const [first, second] = [await connect(served), await connect(served)];
    const rows = prompts.map((prompt) => ({ prompt, completion: [30, 40, 50], logprobs: [-4, -4, -4], advantages: [1, -1, 1], weights: [0.1, 0.1, 0.1] }));
    const update = (policy: Policy) =>
      policy.update(rows, { loss: { kind: "importance_sampling" }, learningRate: 1e-2, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: Infinity });
    await update(first);
    const state = await mkdtemp(join(served.folder, "saved-"));
    await first.saveState(state);
    await update(first);
    await second.loadState(state);
    const resumed = await second.logprobs(rows, CURRENT);
    await update(second);
    const [expected, found] = [await first.logprobs(rows, CURRENT), await second.logprobs(rows, CURRENT)];
    found.forEach((logprobs, row) => logprobs.forEach((logprob, t) => expect(Math.abs(logprob - expected[row]![t]!)).toBeLessThan(1e-5)));
    // The second step was seen to move them by more than that.
    expect(Math.max(...resumed.flatMap((logprobs, row) => Array.from(logprobs, (logprob, t) => Math.abs(logprob - expected[row]![t]!))))).toBeGreaterThan(1e-3);
    await Promise.all([first.close(), second.close()]);
  });
});

describe.skipIf(!wanted)("SkyRL's JAX backend, with the built-in model", { timeout: 900_000 }, () => {
  const served = serve(builtinForSkyrl);

  it("gives the logprobs that the embedded engine gives", async () => {
    const [there, here] = [await connect(served), await createEngine({ model: served.model, threads: 1 })];
    const sequences = prompts.map((prompt) => ({ prompt, completion: [98, 21, 22, 1, 30] }));
    const [remote, local] = [await there.logprobs(sequences, REFERENCE), await here.logprobs(sequences, CURRENT)];
    remote.forEach((logprobs, row) => logprobs.forEach((logprob, t) => expect(Math.abs(logprob - local[row]![t]!)).toBeLessThan(1e-3)));
    await Promise.all([there.close(), here.close()]);
  });

  it("is trained by SRT: the pseudo-reward rises, although client and server are killed and started again", async () => {
    const { folder, model, server } = served;
    const run = join(folder, "run");
    const flags = [
      "--engine.kind", "tinker", "--engine.url", server.url, "--lora.rank", "8", "--learning-rate", "1e-3", "--prompts-per-step", "8", "--samples-per-prompt", "8", "--steps", "20",
      "--held-out-problems", "8", "--evaluate-samples", "4", "--evaluate-every", "20", "--checkpoint-every", "4", "--out", run,
    ];
    const client = spawn(process.execPath, [main, "train", join(root, "examples/srt.yaml"), ...flags], { stdio: ["ignore", "ignore", "pipe"] });
    let errors = "";
    client.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    while (!existsSync(join(run, "checkpoints/step-000008"))) {
      if (client.exitCode !== null) throw new Error(`the client ended before it was killed: ${errors}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    client.kill("SIGKILL");
    await server.kill();
    served.server = await startSkyrl({ model, state: join(folder, "state"), port: Number(new URL(server.url).port) });
    const resumed = await selftrain(["train", "--resume", run], { folder });
    expect([resumed.code, resumed.stderr]).toEqual([0, expect.any(String)]);
    const lines = (await readFile(join(run, "metrics.jsonl"), "utf8")).trim().split("\n").map((line) => JSON.parse(line) as { readonly step: number; readonly pseudoReward?: number });
    const steps = lines.filter(({ pseudoReward }) => pseudoReward !== undefined);
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    const rewards = steps.map(({ pseudoReward }) => pseudoReward!);
    console.info(`pseudo-reward on SkyRL, step by step: ${rewards.map((reward) => reward.toFixed(2)).join(" ")}`);
    expect(mean(rewards.slice(-5))).toBeGreaterThan(mean(rewards.slice(0, 2)) + 0.2);
  });
});
