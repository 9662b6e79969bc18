import { describe, expect, it } from "vitest";
import { createRandom } from "../util/random.ts";
import { advantages } from "./advantage.ts";
import type { Outcome } from "./advantage.ts";
import { adaptedCoefficient, klLossAdvantage, tokenKl } from "./kl.ts";
import { tokenWeights } from "./loss-weights.ts";
import { generalizedAdvantages, returnsToGo } from "./returns.ts";

const close = (actual: ArrayLike<number>, expected: readonly number[]) => {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, index) => expect(Math.abs(actual[index]! - value)).toBeLessThan(1e-6));
};

/** 1 for the first `ones` of 32 samples, as in the table of group sizes that the values below come from. */
const rewards = (ones: number) => Array.from({ length: 32 }, (_, index) => (index < ones ? 1 : 0));

/** Samples of one token each, without a penalty. */
const outcomes = (scores: readonly number[]): Outcome[] => scores.map((reward) => ({ reward, penalty_T: [0] }));
/** The advantage of the only token of each sample of one group. */
const groupAdvantages = (scores: readonly number[], estimator: Parameters<typeof advantages>[1]) =>
  advantages([outcomes(scores)], estimator)[0]!.map(([value]) => value!);

describe("advantages within a group", () => {
  it("rloo: the score minus the mean of the others, by its definition", () => {
    const scores = [0.3, -1, 2, 0.5];
    const leaveOneOut = scores.map((score, index) => {
      const others = scores.filter((_, other) => other !== index);
      return score - others.reduce((total, other) => total + other, 0) / others.length;
    });
    close(groupAdvantages(scores, "rloo"), leaveOneOut);
  });

  it("rloo: one dissenter among 32 is punished far more than the others are paid", () => {
    const values = groupAdvantages(rewards(31), "rloo");
    expect(values[0]).toBeCloseTo(1 / 31, 6);
    expect(values[31]).toBeCloseTo(-1, 6);
  });

  it("grpo: worked out by hand with the deviation of n - 1", () => {
    // mean 1, deviations -1 0 1, sample variance (1 + 0 + 1) / 2 = 1; the 1e-6 beside it is seen in the sixth place
    close(groupAdvantages([0, 1, 2], "grpo"), [-1 / (1 + 1e-6), 0, 1 / (1 + 1e-6)]);
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

  it("give every token of a sample the same, with the penalty of all its tokens taken off the reward", () => {
    const [[first, second]] = advantages([[{ reward: 1, penalty_T: [0.25, 0.5] }, { reward: 0, penalty_T: [0] }]], "dr-grpo") as [[Float32Array, Float32Array]];
    // Scores 0.25 and 0, mean 0.125.
    close(first, [0.125, 0.125]);
    close(second, [-0.125]);
  });
});

describe("advantages against something else than the group", () => {
  const twoGroups: Outcome[][] = [outcomes([1, 0]), outcomes([1, 1])];

  it("reinforce: the score itself", () => {
    close(advantages(twoGroups, "reinforce").flat().flatMap((values) => [...values]), [1, 0, 1, 1]);
  });

  it("reinforce-baseline: the score minus the mean of the batch", () => {
    close(advantages(twoGroups, "reinforce-baseline").flat().flatMap((values) => [...values]), [0.25, -0.75, 0.25, 0.25]);
  });

  it("remax: the score minus what the greedy completion earned", () => {
    const group = outcomes([1, 0]).map((outcome) => ({ ...outcome, greedyReward: 1 }));
    close(groupAdvantagesOf(group, "remax"), [0, -1]);
  });

  it("reinforce++: what is still to be earned at each token, with mean 0 and variance 1 over the tokens of the batch", () => {
    const batch: Outcome[][] = [[{ reward: 1, penalty_T: [0.5, 0] }, { reward: 0, penalty_T: [0] }]];
    // Returns: 1 - 0.5 = 0.5 and 1, and 0; mean 0.5, deviations 0 0.5 -0.5, variance 0.25.
    const [[first, second]] = advantages(batch, "reinforce++") as [[Float32Array, Float32Array]];
    close(first, [0, 1]);
    close(second, [-1]);
  });

  it("reinforce++-baseline: the score minus the mean of the group, whitened likewise", () => {
    const batch: Outcome[][] = [[{ reward: 1, penalty_T: [0, 0] }, { reward: 0, penalty_T: [0] }]];
    // Centered: 0.5 0.5 -0.5; mean 1/6; deviations 1/3 1/3 -2/3; variance (1/9 + 1/9 + 4/9) / 2 = 1/3.
    const [[first, second]] = advantages(batch, "reinforce++-baseline") as [[Float32Array, Float32Array]];
    close(first, [1, 1].map((value) => value / Math.sqrt(3)));
    close(second, [-2 / Math.sqrt(3)]);
  });

  it("gae: the return minus the critic's value, whitened, as gamma and lambda are 1", () => {
    const batch: Outcome[][] = [[{ reward: 1, penalty_T: [0, 0], values_T: [0.5, 1] }, { reward: 0, penalty_T: [0], values_T: [0.5] }]];
    // 1 - 0.5, 1 - 1, 0 - 0.5
    const [[first, second]] = advantages(batch, "gae") as [[Float32Array, Float32Array]];
    close(first, [1, 0]);
    close(second, [-1]);
  });
});

/** The advantage of the only token of each sample of one group. */
function groupAdvantagesOf(group: readonly Outcome[], estimator: Parameters<typeof advantages>[1]): readonly number[] {
  return advantages([group], estimator)[0]!.map(([value]) => value!);
}

describe("returns", () => {
  it("to go: what is earned from each token on", () => {
    close(returnsToGo([1, 2, 4]), [7, 6, 4]);
  });

  it("generalized advantages are the weighted sum of the temporal differences, by definition", () => {
    const [rewards_T, values_T, gamma, lambda] = [[0.1, -0.2, 1], [0.3, 0.4, 0.6], 0.9, 0.8] as const;
    const delta = rewards_T.map((reward, t) => reward + gamma * (values_T[t + 1] ?? 0) - values_T[t]!);
    const expected = rewards_T.map((_, t) => delta.slice(t).reduce((total, value, l) => total + (gamma * lambda) ** l * value, 0));
    close(generalizedAdvantages(rewards_T, values_T, gamma, lambda), expected);
  });
});

describe("the KL estimate of a token", () => {
  it("k1, k2 and k3, by hand", () => {
    // log p = log 0.5, log q = log 0.25: k1 = log 2, k2 = (log 2)^2 / 2, k3 = 0.5 - 1 + log 2
    const p = [Math.log(0.5)];
    const q = [Math.log(0.25)];
    close(tokenKl(p, q, "k1"), [Math.LN2]);
    close(tokenKl(p, q, "k2"), [Math.LN2 ** 2 / 2]);
    close(tokenKl(p, q, "k3"), [0.5 - 1 + Math.LN2]);
  });

  it("in expectation k1 and k3 are the KL of the distributions", () => {
    const p = [0.7, 0.2, 0.1];
    const q = [0.4, 0.4, 0.2];
    const exact = p.reduce((total, probability, token) => total + probability * Math.log(probability / q[token]!), 0);
    const random = createRandom(1);
    const means = { k1: 0, k3: 0 };
    const draws = 40_000;
    for (let draw = 0; draw < draws; draw++) {
      const u = random.uniform();
      const token = u < 0.7 ? 0 : u < 0.9 ? 1 : 2;
      for (const estimator of ["k1", "k3"] as const) means[estimator] += tokenKl([Math.log(p[token]!)], [Math.log(q[token]!)], estimator)[0]! / draws;
    }
    // Standard error of k1 is below 0.003, that of k3 smaller.
    expect(Math.abs(means.k1 - exact)).toBeLessThan(0.015);
    expect(Math.abs(means.k3 - exact)).toBeLessThan(0.01);
  });

  it("k3 limits the log ratio, so that one impossible token stays finite", () => {
    expect(tokenKl([-1], [-1000], "k3")[0]).toBeCloseTo(Math.exp(-10) - 1 + 10, 5);
  });

  it("as a term of the loss gives each token the slope of the estimate, by central differences", () => {
    for (const estimator of ["k2", "k3"] as const) {
      const [reference, logprob, h] = [-1.3, -0.7, 1e-3];
      const kl = (value: number) => Number(tokenKl([value], [reference], estimator)[0]);
      // The loss -A log p has the slope -A.
      expect(klLossAdvantage([logprob], [reference], estimator)[0]).toBeCloseTo(-(kl(logprob + h) - kl(logprob - h)) / (2 * h), 3);
    }
  });

  it("an adaptive coefficient moves by at most a fifth of the samples over the horizon", () => {
    // KL three times the target: the error 2 is cut to 0.2, times 512 of 10,000.
    expect(adaptedCoefficient(0.1, 0.3, { target: 0.1, horizon: 10_000, samples: 512 })).toBeCloseTo(0.1 * (1 + 0.2 * 0.0512), 9);
    expect(adaptedCoefficient(0.1, 0.1, { target: 0.1, horizon: 10_000, samples: 512 })).toBe(0.1);
    expect(adaptedCoefficient(0.1, 0, { target: 0.1, horizon: 10_000, samples: 512 })).toBeCloseTo(0.1 * (1 - 0.2 * 0.0512), 9);
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
