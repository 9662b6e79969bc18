import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ServerError } from "../src/errors.ts";
import { LORA_TARGETS } from "../src/options.ts";
import { CURRENT, REFERENCE } from "../src/policy.ts";
import type { Policy, UpdateOptions } from "../src/policy.ts";
import { createTinkerPolicy } from "../src/tinker/index.ts";
import { endpoints } from "../src/tinker/wire.ts";
import { createRandom, deriveSeed } from "../src/util/random.ts";
import { strictZip } from "../src/util/strict-zip.ts";
import { createFakeClock, FAULTS, fetchFrom } from "./fake-connection.ts";
import type { Fault } from "./fake-connection.ts";
import { createFakeServer } from "./fake-training-server.ts";
import type { FakeServer } from "./fake-training-server.ts";

/** Seeded scenarios: every fault at every endpoint, several times. More of them with the variable that `.ci/run` sets. */
const SCENARIOS = Number(process.env["SELFTRAIN_FAULT_SCENARIOS"] ?? 240);
const STEPS = 3;
const prompts = [[11, 12, 13], [14, 11]];
const sequences = prompts.map((prompt) => ({ prompt, completion: [3, 8, 0] }));
const adam: UpdateOptions = { loss: { kind: "ppo", clipLow: 0.2, clipHigh: 0.2 }, learningRate: 0.05, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.01, maxGradientNorm: 1 };

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "selftrain-faults-"));
  await writeFile(join(folder, "config.json"), JSON.stringify({ vocab_size: 16, max_position_embeddings: 64 }));
});
afterAll(() => rm(folder, { recursive: true }));

function policyOf(server: FakeServer, faultOf?: (path: string) => Fault | null): Promise<Policy> {
  const lora = { rank: 8, alpha: 32, targets: LORA_TARGETS, seed: 3 };
  return createTinkerPolicy({ url: "http://server", key: null, baseModel: "", folder, lora, lossReduction: "auto", concurrency: 4, resultTimeout: 3600, warn: () => undefined, fetch: fetchFrom(server, faultOf), clock: createFakeClock() });
}

/** What a step leaves to the next: its number alone, as in a run. */
async function step(policy: Policy, number: number): Promise<void> {
  const completions_P_G = await policy.sample({ prompts, count: 3, weights: CURRENT, seed: number, temperature: 1, topP: 1, topK: 0, stopTokens: [0], maxTokens: 4 });
  const rows = strictZip(prompts, completions_P_G).flatMap(([prompt, completions_G]) =>
    completions_G.map(({ tokens, logprobs }, member) => ({ prompt, completion: tokens, logprobs, advantages: tokens.map(() => member - 1), weights: tokens.map(() => 0.1) })),
  );
  const report = await policy.update(rows, adam);
  if (report.skipped) throw new Error("a step was skipped");
  if (number === 1) await policy.snapshot("teacher");
}

async function weightsOf(policy: Policy): Promise<unknown> {
  const logprobs: unknown[] = [];
  for (const name of [CURRENT, REFERENCE, "teacher"]) logprobs.push(await policy.logprobs(sequences, name));
  return logprobs;
}

/** Runs all steps; each leaves a state. Tells the last state that there is when it fails. */
async function run(policy: Policy, directory: string, from: number): Promise<{ readonly done: number; readonly failure: unknown }> {
  for (let number = from; number <= STEPS; number++) {
    try {
      await step(policy, number);
      const path = join(directory, String(number));
      await rm(path, { recursive: true, force: true });
      await mkdir(path, { recursive: true });
      await policy.saveState(path);
    } catch (failure) {
      return { done: number - 1, failure };
    }
  }
  return { done: STEPS, failure: null };
}

/**
 * One fault at one endpoint, as often as not, and now and then any elsewhere. Where a request is delivered twice to a
 * server that does it twice, no client can help: of training requests it loses the reply instead.
 */
function faultsOf(scenario: number, deduplicates: boolean): (path: string) => Fault | null {
  const paths = Object.values(endpoints).map(({ path }) => path);
  const target = paths[scenario % paths.length]!;
  const fault = FAULTS[Math.floor(scenario / paths.length) % FAULTS.length]!;
  const random = createRandom(deriveSeed(scenario, "faults"));
  const often = scenario % 3 === 0 ? 0.9 : 0.5;
  const drawn = (path: string): Fault | null => {
    if (path === target && random.uniform() < often) return fault;
    return random.uniform() < 0.03 ? FAULTS[random.integer(FAULTS.length)]! : null;
  };
  const training: readonly string[] = [endpoints.forwardBackward.path, endpoints.optimStep.path];
  return (path) => {
    const one = drawn(path);
    return one === "duplicate" && !deduplicates && training.includes(path) ? "reset after" : one;
  };
}

describe("a run on a training server", () => {
  it(`ends the same, or stops clearly and goes on from its state, in ${SCENARIOS} scenarios of faults`, { timeout: 500 * SCENARIOS }, async () => {
    const calm = createFakeServer({ tells: true });
    // The probe of a server that says nothing of itself makes four steps of its own.
    const probed = 4;
    const undisturbed = await policyOf(calm);
    expect((await run(undisturbed, join(folder, "calm"), 1)).failure).toBeNull();
    const expected = await weightsOf(undisturbed);
    const outcomes = { same: 0, resumed: 0, unstarted: 0 };
    for (let scenario = 0; scenario < SCENARIOS; scenario++) {
      const tells = Math.floor(scenario / 7) % 2 === 0;
      const server = createFakeServer({ tells, deduplicates: tells });
      const directory = join(folder, String(scenario));
      const policy = await policyOf(server, faultsOf(scenario, tells)).catch((error: unknown) => error);
      if (policy instanceof Error) {
        expect(policy).toBeInstanceOf(ServerError);
        outcomes.unstarted += 1;
        continue;
      }
      const { done, failure } = await run(policy as Policy, directory, 1);
      if (failure === null) {
        // Every update was made once.
        expect([scenario, server.steps()]).toEqual([scenario, STEPS + (tells ? 0 : probed)]);
        outcomes.same += 1;
      } else {
        expect([scenario, failure]).toEqual([scenario, expect.any(ServerError)]);
        outcomes.resumed += 1;
      }
      const after = await policyOf(server);
      if (done > 0) await after.loadState(join(directory, String(done)));
      expect((await run(after, directory, done + 1)).failure).toBeNull();
      expect([scenario, await weightsOf(after)]).toEqual([scenario, expected]);
    }
    console.info(`scenarios of faults: ${outcomes.same} ended undisturbed, ${outcomes.resumed} stopped and were resumed, ${outcomes.unstarted} did not begin`);
    expect(outcomes.same).toBeGreaterThan(SCENARIOS / 2);
    expect(outcomes.resumed).toBeGreaterThan(0);
  });
});
