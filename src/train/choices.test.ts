import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFakePolicy, fakeGrader } from "../../test/fake-policy.ts";
import { problemsNamed, trainIn } from "../../test/train-fixture.ts";
import { configSchema } from "../config.ts";
import type { ConfigInput } from "../config.ts";
import { ADVANTAGE_ESTIMATORS, REWARD_SOURCES, TEACHERS } from "../options.ts";
import type { RewardName } from "../options.ts";
import { rewardOf } from "../rewards.ts";
import type { MetricsLine, StepMetrics } from "../run/index.ts";
import { mean } from "../util/statistics.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "choices-"));
});
afterAll(() => rm(folder, { recursive: true }));

const truth = new Map(problemsNamed("1+", 18).map(({ id, answer }) => [id, answer]));
const votes = new Map([...truth].map(([id, label]) => [id, { label, share: 0.5 }]));

/** Sixty steps with one choice changed: the metrics of each. */
async function trained(name: string, config: Partial<ConfigInput>): Promise<readonly StepMetrics[]> {
  const path = join(folder, name);
  const policy = createFakePolicy({ seed: 5, critic: config.algorithm === "gae" });
  const parsed = configSchema.parse({ train: "-", heldOut: "-", ...config });
  await trainIn(path, "create", { policy, rewardOf: rewardOf(parsed, { truth, votes }, fakeGrader.same), config: { steps: 60, learningRate: 0.1, evaluateEvery: 60, checkpointEvery: 60, ...config } });
  const lines = (await readFile(join(path, "metrics.jsonl"), "utf8")).trim().split("\n").map((line) => JSON.parse(line) as MetricsLine);
  return lines.filter((line): line is StepMetrics => line.kind === "step");
}

const shareOf = (steps: readonly StepMetrics[]) => mean(steps.map(({ majorityShareOfAll }) => majorityShareOfAll));

describe("every estimator", () => {
  it.each(ADVANTAGE_ESTIMATORS)("%s brings the samples to agree with their majority", async (algorithm) => {
    const steps = await trained(`algorithm-${algorithm}`, { algorithm });
    expect(shareOf(steps.slice(0, 5))).toBeLessThan(0.5);
    expect(shareOf(steps.slice(-5))).toBeGreaterThan(0.6);
  });
});

describe("every teacher", () => {
  it.each(TEACHERS)("%s votes, and the samples come to agree with it", async (kind) => {
    const steps = await trained(`teacher-${kind}`, { teacher: { kind, decay: 0.9, every: kind === "snapshot" ? 5 : 1 } });
    const reward = (part: readonly StepMetrics[]) => mean(part.map(({ pseudoReward }) => pseudoReward ?? 0));
    expect(reward(steps.slice(-10))).toBeGreaterThan(reward(steps.slice(0, 5)) + 0.1);
  });
});

/** What each reward leads to: agreement, or none of its own. */
const AGREEMENT: Readonly<Record<RewardName, boolean>> = {
  majority: true, share: true, consensus: true, mixed: true, "offline-labels": true, "ground-truth": true, "wrong-label": true, random: false, format: false,
};

describe("every reward", () => {
  it.each(REWARD_SOURCES)("%s trains", async (reward) => {
    const steps = await trained(`reward-${reward}`, { reward, labelledFraction: 0.5 });
    expect(steps.every(({ loss, skipped, groupsTrained }) => !skipped && (groupsTrained > 0) === (loss !== null))).toBe(true);
    expect(steps.some(({ groupsTrained }) => groupsTrained > 0)).toBe(true);
    if (AGREEMENT[reward]) expect(shareOf(steps.slice(-5))).toBeGreaterThan(shareOf(steps.slice(0, 5)) + 0.1);
    if (reward === "format") expect(mean(steps.slice(-5).map(({ abstentionRate }) => abstentionRate))).toBeLessThan(mean(steps.slice(0, 5).map(({ abstentionRate }) => abstentionRate)));
  });
});
