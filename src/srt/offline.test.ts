import { expect, it } from "vitest";
import { offlineLabelsReward } from "./offline.ts";
import { vote } from "./vote.ts";

const same = (left: string, right: string) => Number(left) === Number(right);

it("pays the label against the majority, and nobody for a problem without one", () => {
  const reward = offlineLabelsReward(new Map([["p", "3.0"]]), same);
  const answers = ["2", "2", "3", null];
  const ballot = vote(answers, (values) => values.map(Number));
  expect(reward({ id: "p", prompt: "?", source: "" }, answers, ballot)).toEqual({ label: "3.0", rewards_G: [0, 0, 1, 0] });
  expect(reward({ id: "q", prompt: "?", source: "" }, answers, ballot)).toEqual({ label: null, rewards_G: [0, 0, 0, 0] });
});
