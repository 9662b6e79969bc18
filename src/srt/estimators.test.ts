import { describe, expect, it } from "vitest";
import { createRandom } from "../util/random.ts";
import { groupAdvantages } from "./advantage.ts";
import { sequenceKl } from "./kl.ts";
import { tokenWeights } from "./loss-weights.ts";

const close = (actual: readonly number[], expected: readonly number[]) => {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, index) => expect(Math.abs(value - expected[index]!)).toBeLessThan(1e-6));
};

/** 1 for the first `ones` of 32 samples, as in the table of group sizes that the values below come from. */
const rewards = (ones: number) => Array.from({ length: 32 }, (_, index) => (index < ones ? 1 : 0));

describe("group advantages", () => {
  it("rloo: the score minus the mean of the others, by its definition", () => {
    const scores = [0.3, -1, 2, 0.5];
    const leaveOneOut = scores.map((score, index) => {
      const others = scores.filter((_, other) => other !== index);
      return score - others.reduce((total, other) => total + other, 0) / others.length;
    });
    close(groupAdvantages(scores, "rloo"), leaveOneOut);
  });

  it("rloo: one dissenter among 32 is punished far more than the others are paid", () => {
    const advantages = groupAdvantages(rewards(31), "rloo");
    expect(advantages[0]).toBeCloseTo(1 / 31, 6);
    expect(advantages[31]).toBeCloseTo(-1, 6);
  });

  it("grpo: worked out by hand with the deviation of n - 1", () => {
    // mean 1, deviations -1 0 1, sample variance (1 + 0 + 1) / 2 = 1
    close(groupAdvantages([0, 1, 2], "grpo"), [-1, 0, 1]);
    // 16 of 32: mean 1/2, variance 32 * 0.25 / 31, so 0.5 / 0.508001
    expect(groupAdvantages(rewards(16), "grpo")[0]).toBeCloseTo(0.984251, 5);
  });

  it("dr-grpo: the score minus the mean", () => {
    close(groupAdvantages([1, 0, 0, 0], "dr-grpo"), [0.75, -0.25, -0.25, -0.25]);
  });

  it("sum to zero in each group", () => {
    for (const estimator of ["rloo", "grpo", "dr-grpo"] as const) {
      expect(groupAdvantages([0.2, 3, -1, 0.7, 0], estimator).reduce((a, b) => a + b)).toBeCloseTo(0, 6);
    }
  });
});

describe("the KL estimate of a completion", () => {
  it("k1 and k3 of one token, by hand", () => {
    // log p = log 0.5, log q = log 0.25: k1 = log 2, k3 = 0.5 - 1 + log 2
    const p = [Math.log(0.5)];
    const q = [Math.log(0.25)];
    expect(sequenceKl(p, q, "k1")).toBeCloseTo(Math.LN2, 10);
    expect(sequenceKl(p, q, "k3")).toBeCloseTo(0.5 - 1 + Math.LN2, 10);
  });

  it("sums over tokens", () => {
    expect(sequenceKl([-1, -2], [-1.5, -1], "k1")).toBeCloseTo(-0.5, 10);
  });

  it("in expectation both are the KL of the distributions", () => {
    const p = [0.7, 0.2, 0.1];
    const q = [0.4, 0.4, 0.2];
    const exact = p.reduce((total, probability, token) => total + probability * Math.log(probability / q[token]!), 0);
    const random = createRandom(1);
    const means = { k1: 0, k3: 0 };
    const draws = 40_000;
    for (let draw = 0; draw < draws; draw++) {
      const u = random.uniform();
      const token = u < 0.7 ? 0 : u < 0.9 ? 1 : 2;
      for (const estimator of ["k1", "k3"] as const) means[estimator] += sequenceKl([Math.log(p[token]!)], [Math.log(q[token]!)], estimator) / draws;
    }
    // Standard error of k1 is below 0.003, that of k3 smaller.
    expect(Math.abs(means.k1 - exact)).toBeLessThan(0.015);
    expect(Math.abs(means.k3 - exact)).toBeLessThan(0.01);
  });

  it("k3 limits the log ratio, so that one impossible token stays finite", () => {
    expect(sequenceKl([-1], [-1000], "k3")).toBeCloseTo(Math.exp(-10) - 1 + 10, 6);
  });
});

describe("token weights", () => {
  it("token-mean: every token of the batch counts the same", () => {
    close(tokenWeights([1, 3], "token-mean"), [0.25, 0.25]);
  });

  it("sequence-mean: every completion counts the same", () => {
    close(tokenWeights([1, 3], "sequence-mean"), [0.5, 1 / 6]);
  });
});
