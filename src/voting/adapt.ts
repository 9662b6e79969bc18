import { sampledPrompts } from "../config.ts";
import type { Config } from "../config.ts";
import type { PartlyLabelledProblem } from "../data/index.ts";
import { completeProblems } from "../evaluate.ts";
import type { Batches, SamplingOptions } from "../evaluate.ts";
import { vote } from "../srt/vote.ts";
import type { Grader } from "../types.ts";
import { mean } from "../util/statistics.ts";
import { strictZip } from "../util/strict-zip.ts";
import { passRate, voteFigures } from "./label.ts";
import type { VoteFigures } from "./label.ts";

/** The final answers that a fixed model samples for a question: a row of a file of votes. */
export interface SampledAnswers {
  readonly id: string;
  /** `[sample]`; `null` where none could be read. */
  readonly answers: readonly (string | null)[];
}

/** A vote on a question, and how right it is where the true answer is known. */
export interface AnswerVote extends VoteFigures {
  /** The majority answer, or `null` when every sample abstained. */
  readonly answer: string | null;
  readonly passRate?: number;
  readonly correct?: boolean;
}

/** What test-time training made of a question: a row of answers.jsonl. */
export interface AdaptedAnswer {
  readonly id: string;
  readonly problem: string;
  readonly source: string;
  /** The final answer: the majority's after adapting. */
  readonly answer: string | null;
  readonly trueAnswer?: string;
  readonly before: AnswerVote;
  readonly after: AnswerVote;
  /** The vote of the model as it was, over as many samples as adapting took. */
  readonly votingOnly: AnswerVote;
}

/** Figures over all questions; those of one vote in `before`, `after` and `votingOnly`. */
export interface AdaptationSummary {
  readonly questions: number;
  /** Questions whose majority answer is another one after adapting. */
  readonly changed: number;
  /** Questions whose true answer is known, over which the last two figures of a vote are taken. */
  readonly known: number;
  readonly before: VoteSummary;
  readonly after: VoteSummary;
  readonly votingOnly: VoteSummary;
}

export interface VoteSummary {
  /** Samples per question. */
  readonly samples: number;
  readonly meanShare: number;
  /** `null` where no true answer is known. */
  readonly passAt1: number | null;
  /** Share of questions whose majority answer is right; k is `samples`. */
  readonly majAtK: number | null;
}

type Sampling = Pick<Config, "steps" | "promptsPerStep" | "keepFraction" | "samplesPerPrompt" | "crossLabels" | "teacher" | "algorithm" | "startVotes" | "probe">;

/**
 * Samples that training takes for each of its questions, those of teachers, of the first model and on the questions
 * of a probe among them, on average and rounded.
 */
export function samplesPerQuestion(config: Sampling, { questions, probed }: { readonly questions: number; readonly probed: number }): number {
  const { steps, samplesPerPrompt: own, crossLabels, teacher, algorithm, startVotes, probe } = config;
  const teachers = teacher.kind === "none" ? 0 : teacher.samples === 0 ? own : teacher.samples;
  const wordings = crossLabels ? 2 : 1;
  const greedy = algorithm === "remax" ? 1 : 0;
  const probes = probed * (startVotes + probe.samples * Math.ceil(steps / probe.every));
  return Math.round((steps * sampledPrompts(config) * wordings * (own + teachers + greedy) + probes) / questions + wordings * startVotes);
}

/** Samples final answers of every question with a fixed model, `[question]`; in parts, so that killed work can go on. */
export async function sampleVotes(
  questions: readonly PartlyLabelledProblem[],
  options: SamplingOptions & { readonly grader: Grader },
  batches?: Batches<SampledAnswers>,
): Promise<readonly SampledAnswers[]> {
  const read = ({ problem, completions }: { readonly problem: PartlyLabelledProblem; readonly completions: readonly { readonly text: string }[] }) => ({
    id: problem.id,
    answers: completions.map(({ text }) => options.grader.extract(text)),
  });
  return completeProblems(questions, options, read, batches);
}

/**
 * The votes on every question before and after adapting, `[question]`. Those of the model as it was are over its first
 * `k` and its first `votes` samples, so `before` holds as many as the larger of the two for each question.
 */
export function adaptedAnswers(
  questions: readonly PartlyLabelledProblem[],
  { before, after, k, votes }: { readonly before: readonly SampledAnswers[]; readonly after: readonly SampledAnswers[]; readonly k: number; readonly votes: number },
  grader: Grader,
): readonly AdaptedAnswer[] {
  return strictZip(questions, strictZip(before, after)).map(([{ id, prompt, source, answer: truth }, [first, last]]) => {
    if (first.id !== id || last.id !== id) throw new RangeError(`adaptedAnswers: the answers of ${first.id} and ${last.id} stand at the question ${id}`);
    const figures = { before: answerVote(first.answers.slice(0, k), truth, grader), after: answerVote(last.answers, truth, grader), votingOnly: answerVote(first.answers.slice(0, votes), truth, grader) };
    return { id, problem: prompt, source, answer: figures.after.answer, ...(truth === undefined ? {} : { trueAnswer: truth }), ...figures };
  });
}

function answerVote(answers: readonly (string | null)[], truth: string | undefined, { classes, same }: Grader): AnswerVote {
  const ballot = vote(answers, classes);
  const answer = ballot.majority?.answer ?? null;
  const figures = { answer, ...voteFigures(ballot) };
  return truth === undefined ? figures : { ...figures, passRate: passRate(answers, truth, same), correct: answer !== null && same(truth, answer) };
}

/** The figures over all questions. `same` says whether the majority answer of a question has changed. */
export function summarizeAdaptation(answers: readonly AdaptedAnswer[], same: Grader["same"]): AdaptationSummary {
  const changed = answers.filter(({ before, after }) => !(before.answer === after.answer || (before.answer !== null && after.answer !== null && same(before.answer, after.answer))));
  const summaryOf = (votes: readonly AnswerVote[]): VoteSummary => {
    const known = votes.filter(({ correct }) => correct !== undefined);
    const overKnown = (valueOf: (vote: AnswerVote) => number) => (known.length === 0 ? null : mean(known.map(valueOf)));
    return { samples: votes[0]?.samples ?? 0, meanShare: mean(votes.map(({ share }) => share)), passAt1: overKnown((each) => each.passRate!), majAtK: overKnown(({ correct }) => (correct === true ? 1 : 0)) };
  };
  return {
    questions: answers.length,
    changed: changed.length,
    known: answers.filter(({ trueAnswer }) => trueAnswer !== undefined).length,
    before: summaryOf(answers.map(({ before }) => before)),
    after: summaryOf(answers.map(({ after }) => after)),
    votingOnly: summaryOf(answers.map(({ votingOnly }) => votingOnly)),
  };
}
