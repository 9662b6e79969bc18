import type { AdaptationSummary, AdaptedAnswer, AnswerVote, VoteSummary } from "../voting/index.ts";
import { counted, duration, percent, shorten, table } from "./format.ts";

/** How many questions are shown. */
const SHOWN = 10;

/**
 * What adapting came to, as people read it: the first questions with their majority answers before and after, and the
 * figures of both and of plain voting. `taken` are the samples per question that training took.
 */
export function adaptationLines(
  answers: readonly AdaptedAnswer[],
  summary: AdaptationSummary,
  { steps, seconds, taken }: { readonly steps: number; readonly seconds: number; readonly taken: number },
): readonly string[] {
  const { questions, known, changed, before, after, votingOnly } = summary;
  const cell = (vote: AnswerVote): string => `${vote.answer === null ? "none" : shorten(vote.answer, 10)} (${Math.round(100 * vote.share)} %)${vote.correct === undefined ? "" : vote.correct ? " right" : " wrong"}`;
  const rows = answers.slice(0, SHOWN).map((each) => [shorten(each.problem, 20), cell(each.before), cell(each.after)]);
  const column = (name: string, valueOf: (vote: VoteSummary) => number | null): readonly string[] =>
    [name, ...[before, after, votingOnly].map((vote) => valueOf(vote)).map((value) => (value === null ? "unknown" : percent(value)))];
  return [
    "",
    ...table([["question", "majority before", "after"], ...rows]),
    ...(questions > SHOWN ? [`and ${counted(questions - SHOWN, "more question")}`] : []),
    "",
    `${steps} steps in ${duration(seconds)}; ${changed} of ${counted(questions, "question")} with another majority than before`,
    ...(known === 0 || known === questions ? [] : [`pass@1 and right majorities are of the ${counted(known, "question")} with a known answer`]),
    ...table([
      ["", "before", "after", "voting only"],
      ["samples per question", ...[before, after, votingOnly].map(({ samples }) => String(samples))],
      column("mean majority share", ({ meanShare }) => meanShare),
      ...(known === 0 ? [] : [column("pass@1", ({ passAt1 }) => passAt1), column("majority right", ({ majAtK }) => majAtK)]),
    ]),
    ...(votingOnly.samples < taken
      ? [`voting only: the model as it was, with ${votingOnly.samples} of the ${taken} samples that training took`, "(--max-votes)"]
      : ["voting only: the model as it was, with as many samples as training took"]),
  ];
}
