import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFakePolicy } from "../../test/fake-policy.ts";
import { problemsNamed, trainIn } from "../../test/train-fixture.ts";
import type { FixtureChanges } from "../../test/train-fixture.ts";
import { CURRENT } from "../policy.ts";
import type { MetricsLine, VotesLine } from "../run/index.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stopping-"));
});
afterAll(() => rm(folder, { recursive: true }));

const metricsOf = async (path: string) => (await readFile(join(path, "metrics.jsonl"), "utf8")).trim().split("\n").map((line) => JSON.parse(line) as MetricsLine);
/** Logprobs that tell one set of weights from another. */
const fingerprint = async (policy: ReturnType<typeof createFakePolicy>) => (await policy.logprobs([{ prompt: [11, 12], completion: [3, 4, 0] }], CURRENT))[0];

describe("early stopping", () => {
  const changes = (): FixtureChanges => ({ policy: createFakePolicy({ seed: 5 }), validation: problemsNamed("3-", 6), config: { steps: 12, evaluateEvery: 2, checkpointEvery: 100, learningRate: 0.2 } });

  it("ends with the weights of the best validation, whichever step that was", async () => {
    const path = join(folder, "best");
    const given = changes();
    const result = await trainIn(path, "create", given);
    const validations = (await metricsOf(path)).flatMap((line) => (line.kind === "validation" ? [line] : []));
    expect(validations.map(({ step }) => step)).toEqual([0, 2, 4, 6, 8, 10, 12]);
    const best = validations.reduce((found, line) => (line.passAt1 > found.passAt1 ? line : found));
    expect(result.steps).toBe(best.step);
    if (best.step < 12) expect(result.stopped).toMatchObject({ reason: "early-stopping", step: 12, restored: best.step });
    // The same run, cut off at that step, has the same weights.
    const cut = changes();
    await trainIn(join(folder, "cut"), "create", { ...cut, config: { ...cut.config, steps: Math.max(1, best.step) } });
    if (best.step > 0) expect(await fingerprint(given.policy as never)).toEqual(await fingerprint(cut.policy as never));
  });

  it("does not wait for the last step when patience is at an end", async () => {
    const path = join(folder, "patience");
    const given = changes();
    const result = await trainIn(path, "create", { ...given, config: { ...given.config, steps: 40, patience: 2 } });
    const validations = (await metricsOf(path)).flatMap((line) => (line.kind === "validation" ? [line] : []));
    const best = validations.reduce((found, line) => (line.passAt1 > found.passAt1 ? line : found));
    expect(validations.at(-1)!.step).toBe(best.step + 4);
    expect(result).toMatchObject({ steps: best.step, stopped: { step: best.step + 4 } });
  });
});

describe("stopping on collapse", () => {
  // A reward for one and the same answer: every prompt runs into "1".
  const changes = (): FixtureChanges => ({
    policy: createFakePolicy({ seed: 5 }),
    rewardOf: ({ answers_G }) => ({ label: "1", rewards_G: answers_G.map((answer) => (answer === "1" ? 1 : 0)) }),
    config: { steps: 60, learningRate: 0.03, stopOnCollapse: true, startVotes: 16, checkpointEvery: 4, evaluateEvery: 60 },
  });

  it("goes back to a checkpoint from before the signs, says which sign, and evaluates there", async () => {
    const path = join(folder, "collapse");
    const warnings: string[] = [];
    const result = await trainIn(path, "create", { ...changes(), observer: { warned: (message) => warnings.push(message) } });
    expect(result.stopped).toMatchObject({ reason: "collapse" });
    const { step, restored, message } = result.stopped!;
    expect(step).toBeLessThan(60);
    expect(restored).toBeLessThanOrEqual(step - 8);
    expect(restored % 4).toBe(0);
    expect(message).toMatch(/^step \d+: .+ is 0\.\d\d, above 0\.\d\d \(over 8 steps\)$/);
    expect(warnings.at(-1)).toBe(`Stopped, the run is collapsing: ${message}. The weights are those of step ${restored}.`);
    expect(result.steps).toBe(restored);
    expect(restored, message).toBeGreaterThan(0);
    expect((await metricsOf(path)).at(-1)).toMatchObject({ kind: "evaluation", step: restored });
    expect(await readdir(join(path, "checkpoints"))).toContain(`step-${String(restored).padStart(6, "0")}`);
  });

  it.each([1, 2, 5])("has one to go back to however dense checkpoints are (every %d steps)", async (checkpointEvery) => {
    const given = changes();
    const result = await trainIn(join(folder, `dense-${checkpointEvery}`), "create", { ...given, config: { ...given.config, checkpointEvery, checkpointsKept: 2 } });
    const { step, restored } = result.stopped!;
    expect(step - 8 - restored).toBeGreaterThanOrEqual(0);
    expect(step - 8 - restored).toBeLessThan(checkpointEvery);
  });

  it("with a probe goes back to where it was best, and what it found is on record", async () => {
    const path = join(folder, "probe");
    const given = changes();
    // Of two votes the majority has at least half, which is sure enough to tell.
    const result = await trainIn(path, "create", { ...given, probe: problemsNamed("4*", 18), config: { ...given.config, startVotes: 2, checkpointEvery: 1, probe: { samples: 8, every: 2 } } });
    const votes = (await readFile(join(path, "votes.jsonl"), "utf8")).trim().split("\n").map((line) => JSON.parse(line) as VotesLine);
    const first = new Map(votes.flatMap(({ start }) => start.map(([id, , share]) => [id, share] as const)));
    const probes = votes.flatMap(({ step, probe }) => (probe === undefined ? [] : [{ step, probe }]));
    const { step, restored } = result.stopped!;
    expect(probes.map((line) => line.step)).toEqual([1, ...Array.from({ length: Math.floor(step / 2) }, (_, index) => 2 * (index + 1))]);
    const supports = probes.map(({ probe }) => {
      const weights = probe.problems.map(([id]) => Math.max(0, first.get(id)! - 0.3));
      return probe.problems.reduce((total, [, support], index) => total + weights[index]! * support, 0) / weights.reduce((total, weight) => total + weight, 0);
    });
    const metrics = (await metricsOf(path)).flatMap((line) => (line.kind === "step" && line.startSupport !== null ? [line.startSupport] : []));
    expect(metrics.length).toBe(supports.length);
    for (const [index, support] of supports.entries()) expect(metrics[index]).toBeCloseTo(support, 12);
    expect(restored).toBe(probes[supports.lastIndexOf(Math.max(...supports))]!.step);
  });

  it.each([["without a probe", undefined], ["with one", problemsNamed("4*", 18)]])("interrupted and resumed, stops at the same step as if it had not been (%s)", async (name, probe) => {
    const given = (): FixtureChanges => ({ ...changes(), ...(probe && { probe }) });
    const whole = await trainIn(join(folder, `whole ${name}`), "create", given());
    const controller = new AbortController();
    const path = join(folder, `interrupted ${name}`);
    await trainIn(path, "create", { ...given(), signal: controller.signal, observer: { stepped: ({ step }) => step === 7 && controller.abort() } });
    const resumed = await trainIn(path, "resume", given());
    expect(resumed.stopped).toEqual(whole.stopped);
    expect(resumed.after).toEqual(whole.after);
  });
});
