import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { LORA_TARGETS } from "../src/options.ts";
import { CURRENT } from "../src/policy.ts";
import type { Policy } from "../src/policy.ts";
import { createTinkerPolicy } from "../src/tinker/index.ts";
import { strictZip } from "../src/util/strict-zip.ts";
import { policyConformance } from "./policy-conformance.ts";
import type { Deviation } from "./policy-conformance.ts";
import { servingFixture } from "./served.ts";
import type { Fixture, Served } from "./served.ts";
import { trainIn } from "./train-fixture.ts";

/** This project's client on this project's server, over HTTP, with a real model. */

const prompts = [[3, 7, 11, 2], [5, 1], [20, 21, 22, 23, 24, 25]];
const deviations: readonly Deviation[] = [{ test: "can be exported as a model folder", reason: "the weights stay on the server" }];

let fixture: Fixture;
let server: Served;
beforeAll(async () => {
  fixture = await servingFixture();
  server = await fixture.start();
});
afterAll(() => fixture.close());

function client(rank: number, concurrency: number): Promise<Policy> {
  const lora = { rank, alpha: 8, targets: LORA_TARGETS, seed: -3 };
  return createTinkerPolicy({ url: server.url, key: null, baseModel: "", folder: fixture.folder, lora, lossReduction: "auto", concurrency, resultTimeout: 3600, warn: () => undefined });
}

policyConformance("the client of a server of the embedded engine", async () => ({ policy: await client(4, 2), prompts }), deviations);

it("a gradient that only the server finds to be infinite is skipped, and said to be", async () => {
  const policy = await client(4, 64);
  const sequences = prompts.map((prompt) => ({ prompt, completion: [1, 2] }));
  const before = await policy.logprobs(sequences, CURRENT);
  const rows = sequences.map((sequence) => ({ ...sequence, logprobs: [-1000, -3], advantages: [1, 1], weights: [1, 1] }));
  const options = { loss: { kind: "importance_sampling" }, learningRate: 0.1, beta1: 0.9, beta2: 0.9, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: Infinity } as const;
  expect((await policy.update(rows, options)).skipped).toBe(true);
  expect(await policy.logprobs(sequences, CURRENT)).toEqual(before);
  await policy.close();
});

/** The lines of metrics of a short run, without what depends on time, its votes, and the logprobs of a probe at its end. */
async function runOf(policy: Policy) {
  const folder = await mkdtemp(join(tmpdir(), "selftrain-served-run-"));
  try {
    const path = join(folder, "run");
    await trainIn(path, "create", { policy, config: { steps: 4, maxTokens: 6, learningRate: 0.01, klCoefficient: 0.05, loss: "ppo" } });
    const lines = (await readFile(join(path, "metrics.jsonl"), "utf8")).trim().split("\n");
    const metrics = lines.map((line) => numbersIn({ ...(JSON.parse(line) as Record<string, unknown>), timing: undefined }));
    const probe = await policy.logprobs(prompts.map((prompt) => ({ prompt, completion: [1, 2, 3] })), CURRENT);
    return { metrics, votes: await readFile(join(path, "votes.jsonl"), "utf8"), probe: probe.map((logprobs) => Array.from(logprobs)) };
  } finally {
    await policy.close();
    await rm(folder, { recursive: true });
  }
}

/** Every number of a record, by its place. */
function numbersIn(value: unknown, place = ""): readonly (readonly [string, number])[] {
  if (typeof value === "number") return [[place, value]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => numbersIn(inner, `${place}.${key}`));
}

for (const rank of [0, 4]) {
  it(`a run on a server is the run on the engine itself: the same votes, and losses within 1e-4 (rank ${rank})`, async () => {
    const embedded = await runOf(await fixture.engine(rank === 0 ? null : { rank, alpha: 8, targets: LORA_TARGETS, seed: -3 }));
    const served = await runOf(await client(rank, 64));
    expect(served.votes).toBe(embedded.votes);
    expect(embedded.metrics.flat().filter(([place, value]) => place === ".gradientNorm" && value > 0)).toHaveLength(4);
    for (const [ours, theirs] of strictZip(served.metrics, embedded.metrics)) {
      for (const [[place, value], [expectedPlace, expected]] of strictZip(ours, theirs)) {
        expect(place).toBe(expectedPlace);
        expect(Math.abs(value - expected), place).toBeLessThan(1e-4 * Math.max(1, Math.abs(expected)));
      }
    }
    strictZip(served.probe.flat(), embedded.probe.flat()).forEach(([value, expected]) => expect(Math.abs(value - expected)).toBeLessThan(1e-3));
  });
}
