import { describe, expect, it } from "vitest";
import { vote } from "../srt/vote.ts";
import type { Group, GroupReward, GroupStatus, Sample, StepReport } from "../types.ts";
import { strictZip } from "../util/strict-zip.ts";
import { stepMetrics } from "./metrics.ts";

function sample(answer: string | null, logprobs: number[], stopReason: Sample["stopReason"] = "stop"): Sample {
  return { answer, text: answer ?? "", tokens: logprobs.map(() => 1), answerSpan: { start: logprobs.length - 1, end: logprobs.length }, logprobs: new Float32Array(logprobs), stopReason };
}

function group(id: string, samples_G: Sample[], reward: GroupReward, kl_G: number[], status: GroupStatus): Group {
  const sameString = (answers: readonly string[]) => answers.map((answer) => answers.indexOf(answer));
  const ballot = vote(samples_G.map(({ answer }) => answer), sameString);
  const problem = { id, prompt: id, source: "test" };
  return { problem, promptTokens: [1], samples_G, vote: ballot, ballot, reward, kl_G_T: strictZip(samples_G, kl_G).map(([{ tokens }, kl]) => klAtEnd(tokens.length, kl)), advantages_G_T: [], status };
}

/** All of it at the last token, which is the answer's. */
function klAtEnd(length: number, kl: number): Float32Array {
  const values = new Float32Array(length);
  values[length - 1] = kl;
  return values;
}

const report: StepReport = {
  step: 7,
  groups_P: [
    // 2 of 4 samples say "3", one abstains: share 1/2 of all, 2/3 of answered.
    group(
      "a",
      [sample("3", [-1]), sample("3", [-1, -2]), sample("4", [-1]), sample(null, [-0.5, -0.5], "length")],
      { label: "3", rewards_G: [1, 1, 0, 0] },
      [1, 2, 3, 4],
      "trained",
    ),
    // All agree: nothing to learn.
    group("b", [1, 2, 3, 4].map(() => sample("5", [-1])), { label: "5", rewards_G: [1, 1, 1, 1] }, [0, 0, 0, 0], "no-signal"),
    // A tie below the threshold: no label, so its zeros are no rewards.
    group(
      "c",
      [sample("1", [-1]), sample("2", [-1]), sample("1", [-1]), sample("2", [-1])],
      { label: null, rewards_G: [0, 0, 0, 0] },
      [0, 0, 1, 1],
      "unlabelled",
    ),
  ],
  update: { loss: 0.25, gradientNorm: Infinity, skipped: true, clipFraction: 0.5, tokens: 6 },
  seconds: { sample: 0.25, vote: 0, reference: 0.1, update: 0.5, total: 2 },
};

describe("stepMetrics", () => {
  it("computes what its fields say", () => {
    const metrics = stepMetrics(report, { elapsed: 100, klCoefficient: 0.5, truth: new Map([["a", "3"], ["b", "4"], ["c", "1"]]), same: (gold, prediction) => gold === prediction });
    expect(metrics).toMatchObject({
      kind: "step",
      step: 7,
      pseudoReward: 6 / 8,
      majorityShareOfAll: (1 / 2 + 1 + 1 / 2) / 3,
      unanimousShare: 1 / 3,
      abstentionRate: 1 / 12,
      groupsTied: 1,
      groupsTrained: 1,
      groupsUnlabelled: 1,
      groupsWithoutSignal: 1,
      groupsLeftOut: 0,
      kl: 1,
      answerTokenKl: 1,
      otherTokenKl: 0,
      klCoefficient: 0.5,
      // Of the two labels "3" is true and "5" is not; right are 2 of 4, 0 of 4 and 2 of 4.
      labelAccuracy: 1 / 2,
      trainPassAt1: 1 / 3,
      topAnswerShare: 1 / 3,
      meanLength: 14 / 12,
      truncatedShare: 1 / 12,
      entropy: 14 / 14,
      loss: 0.25,
      gradientNorm: null,
      clipFraction: 0.5,
      skipped: true,
      tokens: 14,
      timing: { seconds: 2, sampleSeconds: 0.25, voteSeconds: 0, referenceSeconds: 0.1, updateSeconds: 0.5, tokensPerSecond: 7, elapsed: 100 },
    });
    expect(metrics.majorityShareOfAnswered).toBeCloseTo((2 / 3 + 1 + 1 / 2) / 3, 12);
  });

  it("has no pseudo-reward without a label and no loss without an update", () => {
    const metrics = stepMetrics({ ...report, groups_P: report.groups_P.slice(2), update: null }, { elapsed: 0, klCoefficient: 0 });
    expect(metrics).toMatchObject({ pseudoReward: null, loss: null, gradientNorm: null, clipFraction: null, skipped: false });
  });
});
