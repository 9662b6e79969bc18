import { expect } from "vitest";
import { PolicyError } from "../../src/errors.ts";
import type { CriticOptions } from "../../src/policy.ts";
import type { TrainingRow } from "../../src/types.ts";
import { sum } from "../../src/util/statistics.ts";
import { strictZip } from "../../src/util/strict-zip.ts";
import { adam, expectClose, gradientDescent, IMPORTANCE, sampledSequences, smallRate, trainingRows, withDirectory, withReset } from "./subject.ts";
import type { Check, Subject } from "./subject.ts";

/** Rows for the critic alone; old values and returns lie around the current ones, some values beyond the clip of `CRITIC`. */
async function criticRows({ policy, prompts }: Subject): Promise<CriticRow[]> {
  const rows = await trainingRows({ policy, prompts });
  const around = (values: Float32Array, offsets: readonly number[], row: number) => Array.from(values, (value, t) => value + offsets[(row + t) % offsets.length]!);
  return strictZip(rows, await policy.values(rows)).map(([row, values_T], index) => ({
    ...row,
    advantages: values_T.map(() => 0),
    critic: { values: around(values_T, [0.1, -0.6, 0.5, -0.1], index), returns: around(values_T, [-0.7, 0.9, 1.2], index) },
  }));
}

type CriticRow = TrainingRow & Required<Pick<TrainingRow, "critic">>;

const CRITIC: CriticOptions = { coefficient: 0.6, clip: 0.3 };

/** Sums the critic's losses by the formula of the port, and counts those of either kind. */
function expectedCriticLoss(rows: readonly CriticRow[], values: readonly Float32Array[]): { value: number; free: number; limited: number } {
  const total = { value: 0, free: 0, limited: 0 };
  for (const [{ critic, weights }, values_T] of strictZip(rows, values)) {
    values_T.forEach((value, t) => {
      const [old, target] = [critic.values[t]!, critic.returns[t]!];
      const nearest = Math.abs(value - old) <= CRITIC.clip ? value : old + Math.sign(value - old) * CRITIC.clip;
      const [free, limited] = [(value - target) ** 2, (nearest - target) ** 2];
      total.value += (weights[t]! * CRITIC.coefficient * Math.max(free, limited)) / 2;
      total[limited > free ? "limited" : "free"] += 1;
    });
  }
  return total;
}

export const critic: Record<string, Check> = {
  "has a value before each token": withCritic(async (subject) => {
    const { policy } = subject;
    const sequences = await sampledSequences(subject);
    await policy.update(await criticRows(subject), { ...adam, critic: CRITIC });
    const values = await policy.values(sequences);
    expect(values.map(({ length }) => length)).toEqual(sequences.map(({ completion }) => completion.length));
    expect(new Set(values.flatMap((values_T) => [...values_T])).size).toBeGreaterThan(1);
    // What comes later says nothing of a value.
    const cut = sequences.map(({ prompt, completion }) => ({ prompt, completion: completion.slice(0, 1) }));
    expectClose(await policy.values(cut), values.map((values_T) => values_T.slice(0, 1)), 1e-5);
  }),

  "is moved towards its returns": withCritic(async (subject) => {
    const { policy } = subject;
    const distance = (rows: readonly CriticRow[], values: readonly Float32Array[]) =>
      sum(strictZip(rows, values).flatMap(([{ critic: { returns } }, values_T]) => Array.from(values_T, (value, t) => (value - returns[t]!) ** 2)));
    const rows = (await criticRows(subject)).map((row) => ({ ...row, critic: { values: row.critic.values, returns: Array.from(row.critic.returns, (_, t) => 1 + t / 10) } }));
    const before = distance(rows, await policy.values(rows));
    for (let update = 0; update < 30; update++) await policy.update(rows, { ...adam, learningRate: 0.05, critic: { coefficient: 1, clip: 10 } });
    expect(distance(rows, await policy.values(rows))).toBeLessThan(0.2 * before);
  }),

  "follows the gradient of its loss, which is reported": withCritic(async (subject) => {
    const { policy } = subject;
    // At the start the values are all the same; here they depend on all that they are made of.
    for (let update = 0; update < 5; update++) await policy.update(await criticRows(subject), { ...adam, learningRate: 0.02, critic: CRITIC });
    const rows = await criticRows(subject);
    await withReset(policy, async (reset) => {
      const descend = async (sign: number, rate: number) => {
        await reset();
        const signed = rows.map((row) => ({ ...row, weights: Array.from(row.weights, (weight) => sign * weight) }));
        // Without a memory of earlier gradients every update is as the first.
        const report = await policy.update(signed, { ...gradientDescent(rate, IMPORTANCE), beta1: 0, critic: CRITIC });
        return { report, value: expectedCriticLoss(rows, await policy.values(rows)).value };
      };
      const { report, value } = await descend(1, 0);
      const { free, limited } = expectedCriticLoss(rows, await policy.values(rows));
      expect(Math.min(free, limited)).toBeGreaterThan(0);
      expect(Math.abs(report.loss - value)).toBeLessThan(1e-5);
      const rate = smallRate(report.gradientNorm);
      const [down, up] = [await descend(1, rate), await descend(-1, rate)];
      expect(Math.abs((up.value - down.value) / (2 * rate) / report.gradientNorm ** 2 - 1)).toBeLessThan(0.02);
    });
  }),

  "takes no part in an update without its options, and none in rows without it": withCritic(async (subject) => {
    const { policy } = subject;
    const rows = await criticRows(subject);
    const policyAlone = await policy.update(rows, { ...adam, learningRate: 0 });
    expect(policyAlone.loss).toBeCloseTo(0, 6);
    const without = rows.map(({ prompt, completion, logprobs, advantages, weights }) => ({ prompt, completion, logprobs, advantages, weights }));
    expect((await policy.update(without, { ...adam, learningRate: 0, critic: CRITIC })).loss).toBeCloseTo(0, 6);
  }),

  "is kept in a saved state": withCritic(async (subject, create) => {
    const rows = await criticRows(subject);
    await subject.policy.update(rows, { ...adam, critic: CRITIC });
    const other = await create();
    expect(await other.policy.values(rows)).not.toEqual(await subject.policy.values(rows));
    await withDirectory(async (directory) => {
      await subject.policy.saveState(directory);
      await other.policy.loadState(directory);
    });
    expect(await other.policy.values(rows)).toEqual(await subject.policy.values(rows));
  }),
};

/** A check of policies with a critic; those without one refuse what is asked of it. */
function withCritic(check: Check): Check {
  return async (subject, create) => {
    const { policy } = subject;
    if (policy.description.capabilities.includes("critic")) return check(subject, create);
    const rows = await trainingRows(subject);
    await expect(policy.values(rows)).rejects.toThrow(PolicyError);
    await expect(policy.update(rows, { ...adam, critic: CRITIC })).rejects.toThrow(PolicyError);
  };
}
