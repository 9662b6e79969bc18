import type { PartlyLabelledProblem } from "../data/index.ts";
import { completeProblems, rightAnswers } from "../evaluate.ts";
import type { Batches, ProblemCompletions, SamplingOptions } from "../evaluate.ts";
import { vote } from "../srt/vote.ts";
import type { Grader, Vote } from "../types.ts";
import { mean } from "../util/statistics.ts";

/** A vote in numbers, as it is kept in files. */
export interface VoteFigures {
  /** The majority's share of all samples; 0 when every one abstained. */
  readonly share: number;
  /** (Largest class - second largest) over all samples. */
  readonly margin: number;
  /** Whether another answer is as frequent as the majority. */
  readonly tied: boolean;
  /** Samples without a readable answer. */
  readonly abstentions: number;
  readonly samples: number;
  /** Largest first. */
  readonly classes: readonly { readonly answer: string; readonly count: number }[];
}

/** What a fixed model's vote says of one problem: a row of a label file. */
export interface ProblemLabel extends VoteFigures {
  readonly id: string;
  /** The question. */
  readonly problem: string;
  /** The majority answer, or `null` when every sample abstained. */
  readonly label: string | null;
  readonly source: string;
  /** The question's own template, where it has one. */
  readonly template?: string;
  /** Share of samples equal to the true answer, where that is known. The label never depends on it. */
  readonly passRate?: number;
}

export interface LabelOptions extends SamplingOptions {
  readonly grader: Grader;
  readonly problems: readonly PartlyLabelledProblem[];
  /** Labels in parts, so that killed work can go on; all at once when absent. */
  readonly batches?: Batches<ProblemLabel>;
}

/** Figures over all labels. */
export interface LabelSummary {
  readonly problems: number;
  readonly labelled: number;
  readonly meanShare: number;
  /** Share of right ones among the labels whose true answer is known; `null` when none is. */
  readonly labelAccuracy: number | null;
}

/**
 * Labels every problem with the majority answer of a fixed model (arXiv 2505.21444, figure 7: offline labels,
 * made before training), `[problem]`. Same weights, same seed, same batch size: same labels.
 */
export async function labelProblems(options: LabelOptions): Promise<readonly ProblemLabel[]> {
  return completeProblems(options.problems, options, (answered) => labelOf(answered, options.grader), options.batches);
}

function labelOf({ problem: { id, prompt, source, template, paraphrase, answer: truth }, completions }: ProblemCompletions<PartlyLabelledProblem>, grader: Grader): ProblemLabel {
  const answers = completions.map(({ text }) => grader.extract(text));
  const ballot = vote(answers, grader.classes);
  const row = { id, problem: prompt, label: ballot.majority?.answer ?? null, ...voteFigures(ballot), source, ...(template !== undefined && { template }), ...(paraphrase !== undefined && { paraphrase }) };
  return truth === undefined ? row : { ...row, passRate: passRate(answers, truth, grader.same) };
}

/** Share of a problem's answers that equal the true one; an abstention is wrong. */
export function passRate(answers: readonly (string | null)[], truth: string, same: Grader["same"]): number {
  const isRight = rightAnswers(answers, truth, same);
  return mean(answers.map((answer) => (isRight(answer) ? 1 : 0)));
}

/** The numbers of a vote. */
export function voteFigures({ shareOfAll, margin, tied, abstentions, samples, classes }: Vote): VoteFigures {
  return { share: shareOfAll, margin, tied, abstentions, samples, classes: classes.map(({ answer, members }) => ({ answer, count: members.length })) };
}

/** The figures over all labels. `problems` hold the true answers, where they are known. */
export function summarizeLabels(labels: readonly ProblemLabel[], problems: readonly PartlyLabelledProblem[], same: Grader["same"]): LabelSummary {
  const truths = new Map(problems.map(({ id, answer }) => [id, answer]));
  const verdicts = labels.flatMap(({ id, label }) => {
    const truth = truths.get(id);
    return label === null || truth === undefined ? [] : [same(truth, label) ? 1 : 0];
  });
  return {
    problems: labels.length,
    labelled: labels.filter(({ label }) => label !== null).length,
    meanShare: mean(labels.map(({ share }) => share)),
    labelAccuracy: verdicts.length === 0 ? null : mean(verdicts),
  };
}
