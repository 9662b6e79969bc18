import { expect } from "vitest";
import { CURRENT } from "../../src/policy.ts";
import type { Loss } from "../../src/policy.ts";
import { sum } from "../../src/util/statistics.ts";
import { adam, expectClose, expectedLoss, gradientDescent, IMPORTANCE, sampledSequences, smallRate, trainingRows, withReset } from "./subject.ts";
import type { Check } from "./subject.ts";

const LOSSES: readonly Loss[] = [IMPORTANCE, { kind: "ppo", clipLow: 0.2, clipHigh: 0.2 }, { kind: "ppo", clipLow: 0.2, clipHigh: 0.2, dualClip: 1.4 }, { kind: "cross_entropy" }];

export const updates: Record<string, Check> = {
  "raise the logprob of a completion with a positive advantage and lower that of one with a negative": (subject) =>
    withReset(subject.policy, async (reset) => {
      const { prompt, completion, sampled } = (await sampledSequences(subject)).find(({ sampled }) => sampled.length > 2)!;
      const constant = (value: number) => completion.map(() => value);
      for (const advantage of [1, -1]) {
        await reset();
        await subject.policy.update([{ prompt, completion, logprobs: sampled, advantages: constant(advantage), weights: constant(0.1) }], adam);
        const [after] = await subject.policy.logprobs([{ prompt, completion }], CURRENT);
        expect(Math.sign(sum(after!) - sum(sampled))).toBe(advantage);
      }
    }),

  "report the weighted loss, the share of clipped tokens and the tokens": (subject) =>
    withReset(subject.policy, async (reset) => {
      const rows = await trainingRows(subject);
      const logprobs = await subject.policy.logprobs(rows, CURRENT);
      const shares: number[] = [];
      for (const loss of LOSSES) {
        await reset();
        const expected = expectedLoss(loss, rows, logprobs);
        const report = await subject.policy.update(rows, { ...adam, loss });
        expect(Math.abs(report.loss - expected.value)).toBeLessThan(1e-4);
        expect(report.tokens).toBe(expected.tokens);
        expect(report.clipFraction).toBeCloseTo(expected.clipped / expected.tokens, 6);
        expect(report.skipped).toBe(false);
        if (loss.kind === "ppo") shares.push(report.clipFraction);
      }
      // A dual clip clips more than one alone, which clips some.
      expect(shares[0]).toBeGreaterThan(0);
      expect(shares[1]).toBeGreaterThan(shares[0]!);
    }),

  "follow the gradient of the loss": (subject) =>
    withReset(subject.policy, async (reset) => {
      const { policy } = subject;
      const rows = await trainingRows(subject);
      const descend = async (sign: number, rate: number, loss: Loss) => {
        await reset();
        const signed = rows.map((row) => ({ ...row, weights: Array.from(row.weights, (weight) => sign * weight) }));
        const { gradientNorm } = await policy.update(signed, gradientDescent(rate, loss));
        return { gradientNorm, value: expectedLoss(loss, rows, await policy.logprobs(rows, CURRENT)).value };
      };
      for (const loss of LOSSES) {
        const { gradientNorm } = await descend(1, 0, loss);
        expect(gradientNorm).toBeGreaterThan(0);
        // Down the gradient, and up it with all weights negated: a central difference along the gradient.
        const rate = smallRate(gradientNorm);
        const down = await descend(1, rate, loss);
        const up = await descend(-1, rate, loss);
        const slope = (up.value - down.value) / (2 * rate);
        expect(Math.abs(slope / gradientNorm ** 2 - 1)).toBeLessThan(0.02);
      }
    }),

  "scale a gradient over the largest norm down to it": (subject) =>
    withReset(subject.policy, async (reset) => {
      const { policy } = subject;
      const rows = await trainingRows(subject);
      const before = expectedLoss(IMPORTANCE, rows, await policy.logprobs(rows, CURRENT)).value;
      const { gradientNorm } = await policy.update(rows, gradientDescent(0, IMPORTANCE));
      const movement = async (maxGradientNorm: number) => {
        await reset();
        const report = await policy.update(rows, { ...gradientDescent(smallRate(gradientNorm), IMPORTANCE), maxGradientNorm });
        expect(Math.abs(report.gradientNorm / gradientNorm - 1)).toBeLessThan(1e-4);
        return expectedLoss(IMPORTANCE, rows, await policy.logprobs(rows, CURRENT)).value - before;
      };
      const whole = await movement(2 * gradientNorm);
      expect(whole).toBeLessThan(0);
      expect(Math.abs((await movement(0.5 * gradientNorm)) / whole - 0.5)).toBeLessThan(0.03);
    }),

  "leave out tokens of weight 0": async (subject, create) => {
    const rows = (await trainingRows(subject)).map((row) => ({ ...row, weights: Array.from(row.weights, (weight, t) => (t % 2 === 0 ? weight : 0)) }));
    const altered = rows.map((row) => ({
      ...row,
      advantages: Array.from(row.advantages, (advantage, t) => (t % 2 === 0 ? advantage : 7)),
      logprobs: Array.from(row.logprobs, (logprob, t) => (t % 2 === 0 ? logprob : -3)),
    }));
    const other = await create();
    const reports = [await subject.policy.update(rows, gradientDescent(0.05, IMPORTANCE)), await other.policy.update(altered, gradientDescent(0.05, IMPORTANCE))];
    expect(reports[1]!.loss).toBeCloseTo(reports[0]!.loss, 6);
    expectClose(await other.policy.logprobs(rows, CURRENT), await subject.policy.logprobs(rows, CURRENT), 1e-6);
  },

  "do not depend on the order of the rows": async (subject, create) => {
    const rows = await trainingRows(subject);
    const other = await create();
    const report = await subject.policy.update(rows, gradientDescent(0.05, IMPORTANCE));
    const backwards = await other.policy.update([...rows].reverse(), gradientDescent(0.05, IMPORTANCE));
    expect(backwards.loss).toBeCloseTo(report.loss, 5);
    expect(Math.abs(backwards.gradientNorm / report.gradientNorm - 1)).toBeLessThan(1e-4);
    expectClose(await other.policy.logprobs(rows, CURRENT), await subject.policy.logprobs(rows, CURRENT), 1e-5);
  },

  "change nothing at a learning rate of 0": async (subject) => {
    const rows = await trainingRows(subject);
    const before = await subject.policy.logprobs(rows, CURRENT);
    await subject.policy.update(rows, { ...adam, learningRate: 0, weightDecay: 0.1 });
    expect(await subject.policy.logprobs(rows, CURRENT)).toEqual(before);
  },

  "are skipped when the gradient is not finite": async (subject, create) => {
    const rows = await trainingRows(subject);
    const before = await subject.policy.logprobs(rows, CURRENT);
    for (const value of [Number.NaN, Infinity]) {
      const [first, ...others] = rows;
      const report = await subject.policy.update([{ ...first!, advantages: Array.from(first!.advantages, () => value) }, ...others], adam);
      expect(report.skipped).toBe(true);
      expect(await subject.policy.logprobs(rows, CURRENT)).toEqual(before);
    }
    // The optimizer is as new, too.
    const other = await create();
    await subject.policy.update(rows, adam);
    await other.policy.update(rows, adam);
    expect(await subject.policy.logprobs(rows, CURRENT)).toEqual(await other.policy.logprobs(rows, CURRENT));
  },

  "leave their inputs as they are": async (subject) => {
    const rows = await trainingRows(subject);
    const copy = structuredClone(rows);
    await subject.policy.update(rows, adam);
    expect(rows).toEqual(copy);
  },

  "take effect in the order of the calls, awaited or not": async (subject, create) => {
    const rows = await trainingRows(subject);
    const { policy } = await create();
    const expected: (readonly Float32Array[])[] = [];
    const pending: Promise<readonly Float32Array[]>[] = [];
    for (let update = 0; update < 4; update++) {
      await policy.update(rows, adam);
      expected.push(await policy.logprobs(rows, CURRENT));
    }
    for (let update = 0; update < 4; update++) {
      void subject.policy.update(rows, adam);
      pending.push(subject.policy.logprobs(rows, CURRENT));
    }
    expect(await Promise.all(pending)).toEqual(expected);
  },
};
