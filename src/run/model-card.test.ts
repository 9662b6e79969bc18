import { expect, it } from "vitest";
import { modelCard } from "./model-card.ts";

const figures = { standardError: 0.012, majStandardError: 0.02, k: 16 };
const summary = { steps: 60, before: { passAt1: 0.494, majAtK: 0.93, ...figures }, after: { passAt1: 0.989, majAtK: 1, ...figures } };
const config = { model: "some/model", train: "train.jsonl", heldOut: "test.jsonl", validation: "", reward: "majority", teacher: { kind: "none" }, algorithm: "rloo" } as const;

it("states data, method and figures, and the whole config", () => {
  const card = modelCard({ config, configText: "model: some/model\nsteps: 60\n", summary });
  expect(card.startsWith("---\nlibrary_name: transformers\n")).toBe(true);
  expect(card).toContain("Trained for 60 steps without labels");
  expect(card).toContain("- Questions trained on: `train.jsonl`");
  expect(card).toContain("| pass@1 | 49.4 % ± 1.2 | 98.9 % ± 1.2 |");
  expect(card).toContain("| maj@16 | 93.0 % ± 2.0 | 100.0 % ± 2.0 |");
  expect(card).toContain("```yaml\nmodel: some/model\nsteps: 60\n```");
});

it("says so when true answers were the reward", () => {
  const card = modelCard({ config: { ...config, reward: "ground-truth" }, configText: "", summary });
  expect(card).toContain("with the true answers as the reward");
  expect(card).not.toContain("without labels");
});

it("says so when nothing was held out", () => {
  const card = modelCard({ config: { ...config, heldOut: "" }, configText: "", summary: { steps: 60, before: null, after: null } });
  expect(card).toContain("- Questions trained on: `train.jsonl`\n- Nothing was held out, and nothing measured\n\nThe complete config:");
});

it("says who voted, what chose the weights, and why the run went back", () => {
  const stopped = { reason: "collapse", step: 60, restored: 40, message: "step 60: a sign is 0.30, above 0.10" } as const;
  const card = modelCard({ config: { ...config, teacher: { kind: "average" }, validation: "few.jsonl" }, configText: "", summary: { ...summary, stopped } });
  expect(card).toContain("agreement with the majority of a moving average of the model");
  expect(card).toContain("The run went back from step 60: step 60: a sign is 0.30, above 0.10.");
  expect(card).toContain("- Labelled questions that chose the step to keep: `few.jsonl`\n- Held-out questions");
});
