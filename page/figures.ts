import type { EvaluationPoint, StepColumn } from "../src/watch/protocol.ts";

/** What a chart draws, once for each chosen run. */
export interface Figure {
  readonly title: string;
  /** What the reader should look for, in a few words. */
  readonly hint: string;
  /** Columns of the steps; where there are two, the second is drawn bold. */
  readonly columns: readonly StepColumn[];
  /** A figure of the evaluations, with the standard error that its band shows. */
  readonly evaluation?: (point: EvaluationPoint) => { readonly value: number; readonly error: number };
  /** Has no upper bound, so that a logarithmic axis makes sense. */
  readonly magnitude?: boolean;
}

export interface Section {
  readonly title: string;
  readonly figures: readonly Figure[];
}

/** The first screen, in the order in which it answers whether the run learns or fools itself. */
export const SECTIONS: readonly Section[] = [
  {
    title: "Is it learning?",
    figures: [
      { title: "Held-out pass@1", hint: "band: ± 1 standard error", columns: [], evaluation: (p) => ({ value: p.passAt1, error: p.standardError }) },
      { title: "Held-out maj@k", hint: "band: ± 1 standard error", columns: [], evaluation: (p) => ({ value: p.majAtK, error: p.majStandardError }) },
      { title: "Pseudo-reward and true accuracy", hint: "thin: what it is paid for; bold: share of samples that are right", columns: ["pseudoReward", "trainPassAt1"] },
      { title: "Label accuracy", hint: "share of majority labels that are true", columns: ["labelAccuracy"] },
      { title: "Majority share", hint: "of all samples of a problem", columns: ["majorityShareOfAll"] },
      { title: "KL to the start", hint: "nats per completion", columns: ["kl"], magnitude: true },
    ],
  },
  {
    title: "Signs of collapse",
    figures: [
      { title: "Lost support", hint: "of a probe for what the first model was sure of, below its best; dotted: limit of the alarm", columns: ["lostSupport"] },
      { title: "Lost sureness", hint: "what the first model was sure of and has gone over; dotted: limit of the alarm", columns: ["lostSureness"] },
      { title: "Answer excess", hint: "one answer beyond its first share; dotted: limit of the alarm", columns: ["answerExcess"] },
      { title: "KL of a token", hint: "nats, mean of 8 steps; dotted: limit of the alarm", columns: ["tokenKl"], magnitude: true },
      { title: "Top answer's share", hint: "problems with one and the same majority", columns: ["topAnswerShare"] },
      { title: "Agreement with the start", hint: "majorities still those of the first model", columns: ["startAgreement"] },
      { title: "Abstention rate", hint: "samples without a readable answer; dotted: limit of the mean of 8 steps", columns: ["abstentionRate"] },
    ],
  },
  {
    title: "Mechanics",
    figures: [
      { title: "Entropy", hint: "nats per token", columns: ["entropy"], magnitude: true },
      { title: "Length", hint: "mean tokens of a completion", columns: ["meanLength"], magnitude: true },
      { title: "Loss", hint: "of the update", columns: ["loss"] },
      { title: "Seconds per step", hint: "wall clock", columns: ["seconds"], magnitude: true },
    ],
  },
];

/** All columns that the first screen draws. */
export const COLUMNS: readonly StepColumn[] = [...new Set(SECTIONS.flatMap(({ figures }) => figures.flatMap(({ columns }) => columns)))];
