import { compareAnswers, POLICIES } from "../grading/index.ts";
import type { SampleRow } from "../run/index.ts";
import { placeOfAnswer } from "../srt/answer-span.ts";
import type { AnswerClass, InspectedCompletion, InspectedProblem, ProblemOverview } from "./protocol.ts";

/** What is read of every sample of a step; the true answer is lacking in recordings of old. */
export type GroupRow = Pick<SampleRow, "problem" | "prompt" | "sample" | "answer" | "class" | "pseudoLabel" | "status"> & { readonly truth?: string | null };
type Same = (one: string, other: string) => boolean;

const PROMPT_CHARACTERS = 200;

/** What the list of a step says of one problem, whose samples are `rows`. `before` has the majorities of earlier steps. */
export function overview(index: number, rows: readonly GroupRow[], before: ReadonlyMap<string, string | null>, same: Same): ProblemOverview {
  const { problem: id, prompt, pseudoLabel, status, truth = null } = rows[0]!;
  const sizes = classSizes(rows);
  const majority = answersOf(rows, 0)[0]?.text ?? null;
  const agrees = (other: string | null): boolean => majority === other || (majority !== null && other !== null && same(majority, other));
  return {
    index,
    id,
    prompt: prompt.slice(0, PROMPT_CHARACTERS),
    pseudoLabel,
    truth,
    majorityCorrect: truth === null || majority === null ? null : same(truth, majority),
    shareOfAll: (sizes[0] ?? 0) / rows.length,
    classes: sizes.length,
    tied: sizes.length > 1 && sizes[0] === sizes[1],
    flipped: before.has(id) ? !agrees(before.get(id)!) : null,
    samples: rows.length,
    abstentions: rows.filter((row) => row.class === null).length,
    status,
  };
}

/** A problem with its classes and all of its completions. */
export function inspected(known: ProblemOverview, rows: readonly (Omit<SampleRow, "tokenEnds"> & Partial<Pick<SampleRow, "tokenEnds">>)[], same: Same): InspectedProblem {
  const groups = classSizes(rows).map((count, group): AnswerClass => {
    const [first, ...others] = answersOf(rows, group);
    const { text: answer } = first!;
    return {
      answer,
      count,
      correct: known.truth === null ? null : same(known.truth, answer),
      spellings: [{ ...first!, rule: "stands for the class" }, ...others.map((spelling) => ({ ...spelling, rule: ruleOf(answer, spelling.text) }))],
    };
  });
  return { ...known, prompt: rows[0]!.prompt, groups, completions: rows.map(completion) };
}

/** Size of each class, the majority's first. */
function classSizes(rows: readonly GroupRow[]): readonly number[] {
  const sizes: number[] = [];
  for (const { class: rank } of rows) if (rank !== null) sizes[rank] = (sizes[rank] ?? 0) + 1;
  return sizes;
}

/** The answers of a class as they are written, the most frequent first and the earliest of equally frequent ones: the first stands for it. */
function answersOf(rows: readonly GroupRow[], group: number): readonly { readonly text: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const { class: rank, answer } of rows) if (rank === group && answer !== null) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  return [...counts].map(([text, count]) => ({ text, count })).sort((first, second) => second.count - first.count);
}

/** Why two ways of writing are one answer, in words. */
function ruleOf(answer: string, other: string): string {
  const { same, policies } = compareAnswers(answer, other);
  if (!same) return "equal to another answer of the class";
  return policies.length === 0 ? "equal as mathematics" : policies.map((name) => POLICIES[name].says).join(" ");
}

function completion(row: Parameters<typeof inspected>[1][number]): InspectedCompletion {
  const { text, answer, class: group, reward, advantage, kl, tokens, stopReason, logprobs, tokenEnds = [] } = row;
  const start = placeOfAnswer(text, answer);
  return {
    text,
    answer,
    group,
    reward,
    advantage,
    kl,
    tokens: tokens.length,
    stopReason,
    logprobs,
    tokenEnds: tokenEnds.length === tokens.length ? tokenEnds : null,
    answerAt: start === null ? null : { start, end: start + answer!.length },
  };
}
