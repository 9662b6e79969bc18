import type { EvaluationSummary, RunSummary } from "./summary.ts";

export interface CardOptions {
  readonly config: { readonly model: string; readonly train: unknown; readonly heldOut: string; readonly reward: string; readonly algorithm: string };
  /** The complete config, YAML. */
  readonly configText: string;
  readonly summary: Omit<RunSummary, "seconds">;
}

const percent = (share: number, error: number): string => `${(100 * share).toFixed(1)} % ± ${(100 * error).toFixed(1)}`;

/** The README.md of a trained model, as the Hugging Face hub reads it: what was trained on what, how, and what came of it. */
export function modelCard({ config, configText, summary }: CardOptions): string {
  const { steps, before, after } = summary;
  const labels = config.reward === "ground-truth" ? "with the true answers as the reward (the supervised control)" : "without labels: the reward is agreement with the majority of its own answers";
  return `---
library_name: transformers
pipeline_tag: text-generation
tags: [selftrain, reinforcement-learning, ${config.reward === "ground-truth" ? "ground-truth" : "self-rewarded-training"}]
---

# ${config.model}, trained by selftrain

Trained for ${steps} steps ${labels} (Self-Rewarded Training, arXiv 2505.21444; advantages: ${config.algorithm}).

- Start: \`${config.model}\`
- Questions trained on: \`${typeof config.train === "string" ? config.train : JSON.stringify(config.train)}\`
${before === null || after === null ? "- Nothing was held out, and nothing measured" : heldOutFigures(config.heldOut, before, after)}

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
