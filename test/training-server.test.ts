import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { CheckpointError, PolicyError, ServerError, UsageError } from "../src/errors.ts";
import { LORA_TARGETS } from "../src/options.ts";
import { CURRENT, REFERENCE } from "../src/policy.ts";
import type { SampleRequest, UpdateOptions } from "../src/policy.ts";
import { checkServer } from "../src/tinker/check.ts";
import { systemClock } from "../src/tinker/clock.ts";
import { connectPolicy, createTinkerPolicy } from "../src/tinker/index.ts";
import type { TinkerOptions } from "../src/tinker/index.ts";
import { createFakeClock, fetchFrom, listen } from "./fake-connection.ts";
import { createFakePolicy } from "./fake-policy.ts";
import { createFakeServer, FAKE_MODEL } from "./fake-training-server.ts";
import type { FakeServer } from "./fake-training-server.ts";
import { trainIn } from "./train-fixture.ts";

const lora = { rank: 8, alpha: 32, targets: LORA_TARGETS, seed: 3 };
const request: SampleRequest = { prompts: [[11, 12], [14]], count: 3, weights: CURRENT, seed: 1, temperature: 1, topP: 1, topK: 0, stopTokens: [0], maxTokens: 4 };
const row = { prompt: [11, 12], completion: [3, 0], logprobs: [-1, -1], advantages: [1, 1], weights: [0.5, 0.5] };
const adam: UpdateOptions = { loss: { kind: "importance_sampling" }, learningRate: 0.05, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 };

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "selftrain-server-"));
  await writeFile(join(folder, "config.json"), JSON.stringify({ vocab_size: 16, max_position_embeddings: 64 }));
});
afterAll(() => rm(folder, { recursive: true }));

function options(server: FakeServer, changes: Partial<TinkerOptions> = {}): TinkerOptions {
  return { url: "http://server", key: null, baseModel: "", folder, lora, lossReduction: "auto", concurrency: 4, resultTimeout: 3600, warn: () => undefined, fetch: fetchFrom(server), clock: createFakeClock(), ...changes };
}

describe("before a run, a training server", () => {
  it.each([
    ["sum", true, true],
    ["mean", false, false],
  ] as const)("that does not say so is seen to reduce losses by their %s, and whether it clips gradients and knows repetitions: %s", async (reduction, clips, quiet) => {
    const warnings: string[] = [];
    const { traits } = await connectPolicy(options(createFakeServer({ reduction, clips, deduplicates: clips }), { warn: (message) => warnings.push(message) }));
    expect(traits).toEqual({ reduction, clips, ordered: false, deduplicates: clips, takesAlpha: false, takesFurtherPrompts: false, skipsUnweighted: false });
    expect(warnings).toEqual(quiet ? [] : ["the training server does not clip gradients: `max-gradient-norm` has no effect."]);
  });

  it("whose reduction cannot be seen must be described", async () => {
    const server = createFakeServer({ tellsNorm: false });
    await expect(connectPolicy(options(server))).rejects.toThrow("say so with `engine.loss-reduction`");
    const { traits } = await connectPolicy(options(server, { lossReduction: "sum" }));
    expect(traits).toMatchObject({ reduction: "sum", clips: null });
    // Nothing is left on it of the policy that could not be made.
    expect(server.models()).toBe(2);
  });

  it("is refused when its model, its adapters or its address are others", async () => {
    const server = createFakeServer({ tells: true, alpha: 16 });
    await expect(connectPolicy(options(server, { baseModel: "other" }))).rejects.toThrow(`\`engine.base-model\` is \`other\`, and the server at http://server has \`${FAKE_MODEL}\`; name one of its models.`);
    await expect(connectPolicy(options(server))).rejects.toThrow(new UsageError("`lora.alpha` is 32, and this training server fixes it: set `lora.alpha: 16`."));
    await expect(connectPolicy(options(server, { lora: { ...lora, targets: ["q_proj"] } }))).rejects.toThrow("`lora.targets` has 1 of q_proj, k_proj, v_proj, o_proj; a training server adapts all of them or none.");
    await expect(connectPolicy(options(server, { url: "here" }))).rejects.toThrow("`engine.url` is `here`");
    await expect(connectPolicy(options(server, { folder: join(folder, "nowhere") }))).rejects.toThrow("does not tell `vocab_size`");
  });

  it("that cannot be reached is waited for, then named", async () => {
    const gone = await listen(createFakeServer());
    await gone.close();
    const clock = createFakeClock();
    await expect(connectPolicy(options(createFakeServer(), { url: gone.url, fetch, clock }))).rejects.toThrow(`the training server's GET ${gone.url}/api/v1/get_server_capabilities got no answer: fetch failed: connect ECONNREFUSED`);
    expect(clock.now()).toBeGreaterThan(200);
  });

  it("that wants another key says so, and the key is not shown", async () => {
    const server = createFakeServer({ key: "right" });
    const failure: unknown = await connectPolicy(options(server, { key: "wrong-secret" })).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ServerError);
    expect((failure as ServerError).message).toBe(
      "the training server's GET http://server/api/v1/get_server_capabilities was answered with status 401: the key [key] is not known. Set the environment variable TINKER_API_KEY to a key of this server.",
    );
    expect(JSON.stringify(failure)).not.toContain("wrong-secret");
    await expect(connectPolicy(options(server, { key: "right" }))).resolves.toBeDefined();
  });

  it("can be checked by one training step", async () => {
    const check = await checkServer(options(createFakeServer({ reduction: "mean" })), createFakeClock().now);
    expect(check.distance).toBeLessThan(1e-6);
    expect(check.rewarded).toBeGreaterThan(check.others);
    expect(check.traits.reduction).toBe("mean");
  });
});

describe("a policy on a training server", () => {
  it("trains as the same policy does here", async () => {
    const here = createFakePolicy({ seed: 5 });
    for (const reduction of ["sum", "mean"] as const) {
      const there = await createTinkerPolicy(options(createFakeServer({ seed: 5, reduction })));
      const fresh = createFakePolicy({ seed: 5 });
      for (const loss of [{ kind: "importance_sampling" }, { kind: "ppo", clipLow: 0.2, clipHigh: 0.2 }, { kind: "ppo", clipLow: 0.2, clipHigh: 0.2, dualClip: 1.5 }, { kind: "cross_entropy" }] as const) {
        const rows = [row, { ...row, prompt: [14], completion: [5, 2, 0], logprobs: [-3, -2, -1], advantages: [-1, -2, 3], weights: [0.1, 0.2, 0.3] }];
        const [remote, local] = [await there.update(rows, { ...adam, loss }), await fresh.update(rows, { ...adam, loss })];
        expect(remote.loss).toBeCloseTo(local.loss, 5);
        expect(remote.gradientNorm).toBeCloseTo(local.gradientNorm, 5);
      }
      const [remote, local] = [await there.logprobs([row], CURRENT), await fresh.logprobs([row], CURRENT)];
      remote[0]!.forEach((logprob, t) => expect(logprob).toBeCloseTo(local[0]![t]!, 4));
    }
    await here.close();
  });

  it("is stopped when its sampler has other weights than its trainer", async () => {
    const policy = await createTinkerPolicy(options(createFakeServer({ tells: true, stale: true })));
    await policy.sample(request);
    await policy.update([row], { ...adam, learningRate: 0.5 });
    // Its samples are compared while the reference is asked, and nothing is done with them that would last.
    await policy.sample(request);
    await policy.logprobs([row], REFERENCE);
    const told = "The training server samples from other weights than it trains";
    await expect(policy.update([row], adam)).rejects.toThrow(told);
    await expect(policy.saveState(folder)).rejects.toThrow(told);
    await policy.close();
  });

  it("has the base model as its reference where a server holds only one model", async () => {
    const policy = await createTinkerPolicy(options(createFakeServer({ most: 1 })));
    const sequence = { prompt: [11], completion: [3, 4, 0] };
    const [start] = await policy.logprobs([sequence], CURRENT);
    await policy.update([row], adam);
    const [reference] = await policy.logprobs([sequence], REFERENCE);
    reference!.forEach((logprob, t) => expect(logprob).toBeCloseTo(start![t]!, 5));
    expect((await policy.sample({ ...request, weights: REFERENCE })).length).toBe(2);
    await expect(policy.snapshot("teacher")).rejects.toThrow(ServerError);
  });

  it("releases its models on the server when it is closed", async () => {
    const server = createFakeServer();
    const policy = await createTinkerPolicy(options(server));
    await policy.snapshot("teacher");
    expect(server.models()).toBe(3);
    await policy.close();
    expect(server.models()).toBe(0);
  });

  it("tells of each prompt's completions while others are still sampled", async () => {
    const server = createFakeServer({ tells: true });
    const serve = fetchFrom(server);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const isLast = (body: unknown): boolean => typeof body === "string" && body.includes(`"tokens":[${request.prompts.at(-1)!.join()}]`);
    const policy = await createTinkerPolicy(options(server, { fetch: async (url, init) => (isLast(init?.body) && (await held), serve(url, init)) }));
    const told: number[] = [];
    const sampled = policy.sample(request, (prompt) => told.push(prompt));
    await vi.waitFor(() => expect(told).toEqual([0]));
    release();
    await sampled;
    expect(told).toEqual([0, 1]);
    await policy.close();
  });

  it("begins nothing after a failure", async () => {
    const server = createFakeServer({ tells: true });
    const serve = fetchFrom(server, (path) => (path === "/asample" ? "reset before" : null));
    let samples = 0;
    const policy = await createTinkerPolicy(options(server, { concurrency: 2, fetch: (url, init) => ((samples += Number(new URL(url).pathname.endsWith("/asample"))), serve(url, init)) }));
    await expect(policy.sample({ ...request, prompts: new Array<number[]>(8).fill([11]) })).rejects.toThrow(ServerError);
    const before = samples;
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    // The other one of the two at once may have been on its way.
    expect(samples - before).toBeLessThanOrEqual(1);
  });

  it("waits for nothing any more when it is closed", async () => {
    const server = createFakeServer({ tells: true });
    const serve = fetchFrom(server);
    const signals: AbortSignal[] = [];
    const policy = await createTinkerPolicy(options(server, { fetch: (url, init) => (signals.push(init!.signal!), serve(url, init)) }));
    await policy.close();
    expect(server.models()).toBe(0);
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
  });

  it("ends at once when it is cancelled", async () => {
    const cancelled = new AbortController();
    const server = createFakeServer();
    const policy = await createTinkerPolicy(options(server, { signal: cancelled.signal, fetch: fetchFrom(server, (path) => (path === "/asample" ? "reset before" : null)) }));
    const sampled = policy.sample(request);
    cancelled.abort(new Error("enough"));
    await expect(sampled).rejects.toThrow("enough");
  });

  it("refuses a state whose weights the server has no more, and one of other adapters", async () => {
    const directory = await mkdtemp(join(folder, "state-"));
    const policy = await createTinkerPolicy(options(createFakeServer()));
    await policy.saveState(directory);
    const other = await createTinkerPolicy(options(createFakeServer()));
    await expect(other.loadState(directory)).rejects.toThrow(CheckpointError);
    await expect(other.loadState(directory)).rejects.toThrow("Checkpoint not found");
    const wider = await createTinkerPolicy(options(createFakeServer(), { lora: { ...lora, rank: 16 } }));
    await expect(wider.loadState(directory)).rejects.toThrow("with `lora.rank` 8, and this run trains");
  });

  it("holds nothing against a state that a server refuses for a reason of its own", async () => {
    const directory = await mkdtemp(join(folder, "state-"));
    const server = createFakeServer({ tells: true });
    await (await createTinkerPolicy(options(server))).saveState(directory);
    const serve = fetchFrom(server);
    for (const [path, answer] of [
      ["/create_model", () => Response.json({ detail: "no slot is free" }, { status: 400 })],
      ["/load_weights", () => Response.json({ detail: "not now" }, { status: 403 })],
    ] as const) {
      let refuses = false;
      const policy = await createTinkerPolicy(options(server, { fetch: (url, init) => (refuses && new URL(url).pathname.endsWith(path) ? Promise.resolve(answer()) : serve(url, init)) }));
      refuses = true;
      await expect(policy.loadState(directory)).rejects.toThrow(ServerError);
      refuses = false;
      await policy.loadState(directory);
    }
  });

  it("goes on from a state on a server that is full with the models of a client that was killed", async () => {
    const directory = await mkdtemp(join(folder, "state-"));
    const server = createFakeServer({ tells: true, most: 4 });
    const killed = await createTinkerPolicy(options(server));
    await killed.update([row], adam);
    await killed.snapshot("teacher");
    await killed.saveState(directory);
    const weights = await killed.logprobs([row], CURRENT);
    const next = await createTinkerPolicy(options(server));
    expect(server.models()).toBe(4);
    await next.loadState(directory);
    for (const name of [CURRENT, "teacher"]) expect(await next.logprobs([row], name)).toEqual(weights);
    expect(server.models()).toBe(2);
    await next.close();
    expect(server.models()).toBe(0);
  });

  it("makes room for its state before it asks for more", async () => {
    const directory = await mkdtemp(join(folder, "state-"));
    const server = createFakeServer({ tells: true, most: 2 });
    const policy = await createTinkerPolicy(options(server));
    await policy.saveState(directory);
    await policy.update([row], adam);
    const start = await policy.logprobs([row], REFERENCE);
    await policy.loadState(directory);
    for (const name of [CURRENT, REFERENCE]) expect(await policy.logprobs([row], name)).toEqual(start);
  });

  it("leaves no model on a server that has a state only in part", async () => {
    const directory = await mkdtemp(join(folder, "state-"));
    const server = createFakeServer({ tells: true });
    const policy = await createTinkerPolicy(options(server));
    await policy.snapshot("teacher");
    await policy.saveState(directory);
    await policy.close();
    server.disk.delete([...server.disk.keys()][0]!);
    const next = await createTinkerPolicy(options(server));
    await expect(next.loadState(directory)).rejects.toThrow(CheckpointError);
    await next.close();
    expect(server.models()).toBe(0);
  });

  it("says what it cannot do", async () => {
    const policy = await createTinkerPolicy(options(createFakeServer()));
    await expect(policy.exportModel(folder)).rejects.toThrow(PolicyError);
    await expect(policy.average("teacher", 0.5)).rejects.toThrow("use `teacher.kind: snapshot`");
  });
});

describe("a run", () => {
  it("whose client and server are gone goes on from the last checkpoint to the same end", async () => {
    const config = { steps: 6, teacher: { kind: "snapshot", every: 2 } } as const;
    const whole = createFakeServer({ tells: true });
    const expected = await trainIn(join(folder, "whole"), "create", { config, policy: await createTinkerPolicy(options(whole)) });

    const first = createFakeServer({ tells: true });
    let requests = 0;
    const dying = options(first, { fetch: fetchFrom(first, () => (++requests > 260 ? "reset before" : null)) });
    await expect(trainIn(join(folder, "broken"), "create", { config, policy: await createTinkerPolicy(dying) })).rejects.toThrow(ServerError);
    // Another client, and a server that knows nothing but what was saved.
    const restarted = createFakeServer({ tells: true, disk: first.disk });
    const resumed: number[] = [];
    const result = await trainIn(join(folder, "broken"), "resume", { config, policy: await createTinkerPolicy(options(restarted)), observer: { resumed: (step) => resumed.push(step) } });
    expect(resumed[0]).toBeGreaterThan(0);
    expect(resumed[0]).toBeLessThan(6);
    expect({ ...result, seconds: 0 }).toEqual({ ...expected, seconds: 0 });
  });

  it.each(["future", "connection"] as const)("whose server hangs (its %s) is given up, and goes on from the last checkpoint to the same end", async (hanging) => {
    const config = { steps: 4 } as const;
    const expected = await trainIn(join(folder, `${hanging}-whole`), "create", { config, policy: await createTinkerPolicy(options(createFakeServer({ tells: true }))) });
    const server = createFakeServer({ tells: true });
    const serve = fetchFrom(server);
    const silent: typeof fetch = (url, init) => {
      if (server.steps() < 3 || !new URL(url).pathname.endsWith("/retrieve_future")) return serve(url, init);
      if (hanging === "future") return Promise.resolve(Response.json({ type: "try_again", request_id: "", queue_state: "active" }));
      return new Promise((_, reject) => init!.signal!.addEventListener("abort", () => reject(init!.signal!.reason as Error)));
    };
    const hung = await createTinkerPolicy(options(server, { fetch: silent, resultTimeout: 1, clock: systemClock }));
    const path = join(folder, `${hanging}-broken`);
    await expect(trainIn(path, "create", { config, policy: hung })).rejects.toThrow("no result within 1 s");
    const resumed: number[] = [];
    const result = await trainIn(path, "resume", { config, policy: await createTinkerPolicy(options(server)), observer: { resumed: (step) => resumed.push(step) } });
    expect(resumed[0]).toBeGreaterThan(0);
    expect({ ...result, seconds: 0 }).toEqual({ ...expected, seconds: 0 });
  });
});
