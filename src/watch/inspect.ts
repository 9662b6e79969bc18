import { compareAnswers, POLICIES } from "../grading/index.ts";
import type { SampleRow } from "../run/index.ts";
import type { AnswerClass, InspectedCompletion } from "./protocol.ts";

/** Columns of a recording that show one problem. */
export const OPENED = ["text", "answer", "class", "reward", "advantage", "kl", "stopReason", "logprobs", "tokenEnds", "answerStart", "answerEnd"] as const;
/** A row of them; the last three are `null` in recordings of earlier versions. */
export type OpenedRow = Omit<Pick<SampleRow, (typeof OPENED)[number]>, "tokenEnds"> & { readonly tokenEnds: readonly number[] | null };

/**
 * The classes of a problem's samples, the majority first, each with its spellings and why they are equal. The answer
 * that stands for a class is its most frequent one, the earliest on a tie.
 */
export function answerClasses(rows: readonly OpenedRow[], truth: string | null, same: (gold: string, prediction: string) => boolean): readonly AnswerClass[] {
  const answersByClass: string[][] = [];
  for (const row of rows) if (row.class !== null) (answersByClass[row.class] ??= []).push(row.answer!);
  return answersByClass.map((answers) => {
    const counts = new Map<string, number>();
    for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
    const spellings = [...counts].sort(([, first], [, second]) => second - first);
    const [answer] = spellings[0]!;
    return {
      answer,
      count: answers.length,
      correct: truth === null ? null : same(truth, answer),
      spellings: spellings.map(([text, count]) => ({ text, count, rule: ruleOf(answer, text) })),
    };
  });
}

/** By which rule a spelling equals the answer of its class. */
function ruleOf(answer: string, spelling: string): string {
  if (answer === spelling) return "same text";
  const { same, policies } = compareAnswers(answer, spelling);
  // Members of a class may be equal by way of a third alone.
  if (!same) return "equal to another spelling of the class";
  return policies.length === 0 ? "equal as mathematics" : policies.map((policy) => POLICIES[policy].says).join(" ");
}

/** A sample as the page shows it. */
export function completionOf(row: OpenedRow): InspectedCompletion {
  const { text, answer, reward, advantage, kl, stopReason, logprobs, tokenEnds, answerStart, answerEnd } = row;
  return {
    text,
    answer,
    group: row.class,
    reward,
    advantage,
    kl,
    tokens: logprobs.length,
    stopReason,
    logprobs,
    tokenEnds,
    answerAt: answerStart === null || answerEnd === null ? null : { start: answerStart, end: answerEnd },
  };
}
