import { describe, expect, it } from "vitest";
import type { Grader, RewardContext } from "../types.ts";
import { formatReward, randomReward, wrongLabelReward } from "./controls.ts";
import { consensusReward, labelReward, majorityReward, mixedReward, shareReward } from "./reward.ts";
import { vote } from "./vote.ts";

const same: Grader["same"] = (a, b) => Number(a) === Number(b);
const classes: Grader["classes"] = (answers) => {
  const seen = [...new Set(answers.map(Number))];
  return answers.map((answer) => seen.indexOf(Number(answer)));
};
const problem = { id: "p", prompt: "?", source: "test" };

/** A group whose samples vote themselves, or are judged by other voters. */
function group(answers_G: readonly (string | null)[], voters?: readonly (string | null)[]): RewardContext {
  const own = vote(answers_G, classes);
  return { problem, answers_G, vote: own, ballot: voters === undefined ? own : vote(voters, classes), seed: 1 };
}
/** 2 of 5 samples, 2 of 4 answers. */
const split = group(["2", "2.0", null, "3", "1"]);
const silent = group([null, null]);

describe("the majority reward", () => {
  it("pays exactly the samples of the majority's class", () => {
    expect(majorityReward({ threshold: 0, share: "all" }, same)(split)).toEqual({ label: "2", rewards_G: [1, 1, 0, 0, 0] });
  });

  it("pays the samples that agree with a teacher, whatever they say among themselves", () => {
    expect(majorityReward({ threshold: 0, share: "all" }, same)(group(["2", "2.0", "3"], ["3", "3.0", "2"]))).toEqual({ label: "3", rewards_G: [0, 0, 1] });
  });

  it("gives no label below the threshold, by either share", () => {
    const labelled = (share: "answered" | "all") => majorityReward({ threshold: 0.45, share }, same)(split).label;
    expect(labelled("all")).toBeNull();
    expect(labelled("answered")).toBe("2");
  });

  it("gives no label where the second answer is too near", () => {
    // 2 of 5 against 1 of 5: a lead of 0.2
    const labelled = (margin: number) => majorityReward({ threshold: 0, share: "all", margin }, same)(split).label;
    expect(labelled(0.2)).toBe("2");
    expect(labelled(0.21)).toBeNull();
  });

  it("punishes rare answers and silence where it is told to, even without a label", () => {
    const reward = majorityReward({ threshold: 0.9, share: "all", negativeShare: 0.3 }, same);
    expect(reward(split)).toEqual({ label: null, rewards_G: [0, 0, -1, -1, -1] });
  });

  it("gives no label when every sample abstains, even without a threshold", () => {
    expect(majorityReward({ threshold: 0, share: "all" }, same)(silent)).toEqual({ label: null, rewards_G: [0, 0] });
  });
});

describe("the share reward", () => {
  it("pays each sample the share of its answer", () => {
    expect(shareReward({ share: "all" }, same)(split).rewards_G).toEqual([0.4, 0.4, 0, 0.2, 0.2]);
    expect(shareReward({ share: "answered" }, same)(split).rewards_G).toEqual([0.5, 0.5, 0, 0.25, 0.25]);
  });

  it("takes the share among the voters, none for an answer that nobody voted for", () => {
    expect(shareReward({ share: "all" }, same)(group(["2", "7"], ["2", "2", "3", "3"])).rewards_G).toEqual([0.5, 0]);
  });
});

describe("the consensus reward", () => {
  const options = { share: "all", width: 0.5, threshold: 0, penalty: 1, weightOf: () => 0.25 } as const;

  it("pays each answer by a bell over its share, and weights the problem", () => {
    const { rewards_G, weight } = consensusReward(options, same)(split);
    // exp(-(1 - 0.4)^2 / (2 * 0.25)) = exp(-0.72), exp(-(0.8)^2 / 0.5) = exp(-1.28)
    [0.486752, 0.486752, 0, 0.278037, 0.278037].forEach((expected, index) => expect(rewards_G[index]).toBeCloseTo(expected, 6));
    expect(weight).toBe(0.25);
  });

  it("pays nothing below the threshold, and says what is taken off the advantages", () => {
    expect(consensusReward({ ...options, threshold: 0.5 }, same)(split)).toEqual({ label: null, rewards_G: [0, 0, 0, 0, 0], weight: 0.25, penalty: 1 });
  });
});

describe("rewards by labels from elsewhere", () => {
  it("pay the samples that equal the label, whoever is in the majority", () => {
    expect(labelReward(new Map([["p", "3.0"]]), same)(split)).toEqual({ given: true, label: "3.0", rewards_G: [0, 0, 0, 1, 0] });
  });

  it("pay nobody for a problem without a label", () => {
    expect(labelReward(new Map(), same)(split)).toEqual({ label: null, rewards_G: [0, 0, 0, 0, 0] });
  });

  it("mixed: a problem with a label keeps it, another is voted on", () => {
    const rewardWith = (labels: ReadonlyMap<string, string>) => mixedReward(labels, labelReward(labels, same), majorityReward({ threshold: 0, share: "all" }, same))(split).label;
    expect(rewardWith(new Map([["p", "3"]]))).toBe("3");
    expect(rewardWith(new Map())).toBe("2");
  });
});

describe("the controls", () => {
  it("format: pays every readable answer", () => {
    expect(formatReward(split).rewards_G).toEqual([1, 1, 0, 1, 1]);
  });

  it("random: a coin for each sample, the same for the same seed", () => {
    const many = group(new Array<string>(1000).fill("1"));
    const { rewards_G } = randomReward(many);
    // 500 heads expected, standard deviation 15.8.
    expect(Math.abs(rewards_G.filter((reward) => reward === 1).length - 500)).toBeLessThan(80);
    expect(randomReward(many).rewards_G).toEqual(rewards_G);
    expect(randomReward({ ...many, seed: 2 }).rewards_G).not.toEqual(rewards_G);
  });

  it("wrong label: pays the most frequent answer that is not true", () => {
    expect(wrongLabelReward(new Map([["p", "2"]]), same)(split)).toEqual({ label: "3", rewards_G: [0, 0, 0, 1, 0] });
    expect(wrongLabelReward(new Map([["p", "9"]]), same)(split).label).toBe("2");
    // As of a greedy completion, or with a teacher: the voters say which wrong answer.
    expect(wrongLabelReward(new Map([["p", "2"]]), same)(group(["3"], ["7", "7", "3"]))).toEqual({ label: "7", rewards_G: [0] });
  });
});
