import type { Evaluation } from "../evaluate.ts";
import { voteFigures } from "../voting/index.ts";
import type { TrainResult } from "../train.ts";
import { duration, shorten, table, tally } from "./format.ts";
import { withError } from "./progress.ts";

/** An evaluation and the number of steps before it. */
export interface EvaluationAt {
  readonly step: number;
  readonly evaluation: Evaluation;
}

/** How many example questions are shown. */
const EXAMPLES = 2;

/** What a run came to: a table of the scores before and after, where anything was evaluated. */
export function comparison({ steps, seconds, before, after }: TrainResult): readonly string[] {
  if (before === null || after === null) return ["", `${steps} steps in ${duration(seconds)}; there are no held-out questions, so nothing was evaluated`];
  const rows = [
    ["", "before", "after"],
    ["pass@1", withError(before.passAt1, before.standardError), withError(after.passAt1, after.standardError)],
    [`maj@${after.k}`, withError(before.majAtK, before.majStandardError), withError(after.majAtK, after.majStandardError)],
  ];
  return ["", `${steps} steps in ${duration(seconds)}; held-out questions, standard error:`, ...table(rows)];
}

/**
 * The first held-out questions, not chosen ones, with their votes in the first and the last evaluation: the
 * answers by frequency, and whether the majority is right.
 */
export function examples(evaluations: readonly EvaluationAt[]): readonly string[] {
  const ends = evaluations.length < 2 ? evaluations : [evaluations[0]!, evaluations.at(-1)!];
  const questions = evaluations[0]?.evaluation.results.slice(0, EXAMPLES) ?? [];
  return questions.flatMap(({ problem: { prompt, answer } }, index) => {
    const rows = ends.map(({ step, evaluation }) => {
      const { vote, majorityCorrect } = evaluation.results[index]!;
      return [`  step ${step}`, tally(voteFigures(vote).classes, vote.abstentions), majorityCorrect ? "right" : "wrong"];
    });
    return ["", `${shorten(prompt, 60)} (answer: ${shorten(answer, 24)})`, ...table(rows)];
  });
}
