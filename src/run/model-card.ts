import type { RewardName, TeacherKind } from "../options.ts";
import type { EvaluationSummary, RunSummary } from "./summary.ts";

export interface CardOptions {
  readonly config: {
    readonly model: string;
    readonly train: unknown;
    readonly heldOut: string;
    readonly validation: string;
    readonly reward: RewardName;
    readonly teacher: { readonly kind: TeacherKind };
    readonly algorithm: string;
  };
  /** The complete config, YAML. */
  readonly configText: string;
  readonly summary: Omit<RunSummary, "seconds">;
}

const REWARDS: Readonly<Record<RewardName, string>> = {
  majority: "without labels: the reward is agreement with the majority of VOTES",
  share: "without labels: the reward is an answer's share of VOTES",
  consensus: "without labels: every answer is rewarded by its share of VOTES, and low consensus is penalised",
  "offline-labels": "with the votes of a fixed model, made before, as labels",
  mixed: "with the true answers of some questions, and elsewhere agreement with the majority of VOTES",
  "ground-truth": "with the true answers as the reward (the supervised control)",
  random: "with a coin as the reward (a control)",
  format: "with a reward for any readable answer (a control)",
  "wrong-label": "with a reward for the most frequent wrong answer (a control)",
};
const VOTERS: Readonly<Record<Exclude<TeacherKind, "none">, string>> = {
  average: "a moving average of the model",
  snapshot: "an earlier version of the model",
  start: "the model that training started from",
};

const percent = (share: number, error: number): string => `${(100 * share).toFixed(1)} % ± ${(100 * error).toFixed(1)}`;

/** The README.md of a trained model, as the Hugging Face hub reads it: what was trained on what, how, and what came of it. */
export function modelCard({ config, configText, summary }: CardOptions): string {
  const { steps, before, after, stopped } = summary;
  const { reward, teacher } = config;
  const voters = teacher.kind === "none" ? "its own answers" : VOTERS[teacher.kind];
  const labels = REWARDS[reward].replace("VOTES", voters);
  const ended = stopped === undefined ? "" : ` The run went back from step ${stopped.step}: ${stopped.message}.`;
  return `---
library_name: transformers
pipeline_tag: text-generation
tags: [selftrain, reinforcement-learning, ${reward === "majority" ? "self-rewarded-training" : reward}]
---

# ${config.model}, trained by selftrain

Trained for ${steps} steps ${labels} (Self-Rewarded Training, arXiv 2505.21444; advantages: ${config.algorithm}).${ended}

- Start: \`${config.model}\`
- Questions trained on: \`${typeof config.train === "string" ? config.train : JSON.stringify(config.train)}\`
${config.validation === "" ? "" : `- Labelled questions that chose the step to keep: \`${config.validation}\`\n`}${before === null || after === null ? "- Nothing was held out, and nothing measured" : heldOutFigures(config.heldOut, before, after)}

The complete config:

\`\`\`yaml
${configText.trimEnd()}
\`\`\`
`;
}

function heldOutFigures(heldOut: string, before: EvaluationSummary, after: EvaluationSummary): string {
  return `- Held-out questions, never trained on: \`${heldOut}\`

| held-out, ± standard error over questions | before | after |
|---|---|---|
| pass@1 | ${percent(before.passAt1, before.standardError)} | ${percent(after.passAt1, after.standardError)} |
| maj@${after.k} | ${percent(before.majAtK, before.majStandardError)} | ${percent(after.majAtK, after.majStandardError)} |`;
}
