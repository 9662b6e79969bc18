import { createRandom, deriveSeed, shuffled } from "../../util/random.ts";
import { mean } from "../../util/statistics.ts";
import { verdictOf } from "../figure.ts";
import type { Figure } from "../figure.ts";
import { bootstrapped, describeDifference, share } from "../measures.ts";
import type { SampledProblem } from "../results.ts";
import { heldOut, LEVELS, START } from "../setting.ts";

const KS = [1, 2, 4, 8, 16, 32, 64] as const;
/** Draws of k of the 64 samples. */
const DRAWS = 40;
const GAIN = 0.05;

/** Before any training: how much better a vote is than a sample. */
export const voteGap: Figure = {
  name: "vote-gap",
  title: "The vote against a single sample",
  claim: "The majority of many samples is right more often than one sample (paper, section 3): this gap is what self-training learns from.",
  rule: `Holds if maj@64 is above pass@1 by ${100 * GAIN} points or more and the 95 % interval of the difference excludes 0; in part if only the interval does.`,
  jobs: () => [START],
  read: async (results) => {
    const problems = await results.evaluation(START.name);
    const { test, bits, level } = heldOut();
    const majority = (chosen: readonly SampledProblem[], k: number) => chosen.map((problem) => ({ id: problem.id, rate: majAt(k, problem) }));
    const tested = problems.filter(({ id }) => test(id));
    const gap = bootstrapped([majority(tested, 64)], [majority(tested, 1)]);
    const sets = [...LEVELS.map((each) => [`chain/${each}`, level(each)] as const), ["bits/2-4", bits] as const];
    const figures = sets.map(([name, chosen]) => {
      const own = problems.filter(({ id }) => chosen(id));
      return { name, points: KS.map((k) => ({ x: k, y: mean(majority(own, k).map(({ rate }) => rate)) })) };
    });
    return {
      verdict: gap.low <= 0 ? "does not hold here" : verdictOf([true, gap.difference >= GAIN]),
      effect: `maj@64 against pass@1 on ${tested.length} questions ${describeDifference(gap)}`,
      text: ["Where the model is right more often than it gives any one wrong answer, votes find the right one; the longer the question, the less often that is so."],
      table: { head: ["questions", "pass@1", "maj@8", "maj@64"], rows: figures.map(({ name, points }) => [name, ...[0, 3, 6].map((index) => share(points[index]!.y))]) },
      caption: "Votes among 64 completions of each question; one model, no training.",
      panels: [{ title: "maj@k of the model as it is", x: { label: "votes k", scale: "log2" }, y: { label: "share of questions", min: 0, max: 1 }, series: figures }],
    };
  },
};

/** The probability that k samples of a problem vote for a right answer, over draws of k of them; ties go to the answer that came first. */
function majAt(k: number, problem: SampledProblem): number {
  if (k === 1) return mean(problem.right.map(Number));
  const indices = problem.answers.map((_, index) => index);
  if (k >= indices.length) return majorityIsRight(indices, problem) ? 1 : 0;
  const draws = Array.from({ length: DRAWS }, (_, draw) => shuffled(indices, createRandom(deriveSeed(0, "vote gap", problem.id, k, draw))).slice(0, k));
  return mean(draws.map((drawn) => (majorityIsRight(drawn, problem) ? 1 : 0)));
}

/** Answers of the generated questions have one spelling each, so that equal answers are equal text. */
function majorityIsRight(drawn: readonly number[], { answers, right }: SampledProblem): boolean {
  const members = new Map<string, number[]>();
  for (const index of drawn) {
    const answer = answers[index];
    if (answer !== null && answer !== undefined) members.set(answer, [...(members.get(answer) ?? []), index]);
  }
  const majority = [...members.values()].reduce<readonly number[]>((best, found) => (found.length > best.length ? found : best), []);
  return majority[0] !== undefined && right[majority[0]] === true;
}
