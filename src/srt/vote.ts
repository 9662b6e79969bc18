import type { AnswerClass, Grader, Vote } from "../types.ts";

/**
 * Majority vote over the final answers of one group (Algorithm 1, line 4).
 *
 * Answers are counted in classes of equal answers, not as strings, so that `0.5` and `1/2` vote
 * together. A sample without an answer abstains: it is never a candidate. Among equally large classes
 * the one with the earliest sample wins; samples are independent, so their order is random and the rule
 * favours no answer, and it is the same in every rerun.
 */
export function vote(answers_G: readonly (string | null)[], classesOf: Grader["classes"]): Vote {
  const answered = answers_G.flatMap((answer, index) => (answer === null ? [] : [{ answer, index }]));
  const numbers = classesOf(answered.map(({ answer }) => answer));
  const members = new Map<number, { answer: string; index: number }[]>();
  answered.forEach((sample, position) => {
    const number = numbers[position]!;
    const others = members.get(number);
    if (others) others.push(sample);
    else members.set(number, [sample]);
  });
  // Map keeps the order of first appearance and sort is stable: ties fall to the earliest sample.
  const classes = [...members.values()].map(toClass).sort((a, b) => b.members.length - a.members.length);
  const largest = classes[0]?.members.length ?? 0;
  const second = classes[1]?.members.length ?? 0;
  return {
    classes,
    samples: answers_G.length,
    abstentions: answers_G.length - answered.length,
    majority: classes[0] ?? null,
    tied: largest > 0 && largest === second,
    shareOfAnswered: answered.length === 0 ? 0 : largest / answered.length,
    shareOfAll: answers_G.length === 0 ? 0 : largest / answers_G.length,
    margin: answers_G.length === 0 ? 0 : (largest - second) / answers_G.length,
  };
}

function toClass(members: readonly { answer: string; index: number }[]): AnswerClass {
  const counts = new Map<string, number>();
  for (const { answer } of members) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  let answer = "";
  let best = 0;
  for (const [candidate, count] of counts) {
    if (count > best) [answer, best] = [candidate, count];
  }
  return { answer, members: members.map(({ index }) => index) };
}
