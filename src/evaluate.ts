import { CURRENT } from "./policy.ts";
import type { Policy, WeightsName } from "./policy.ts";
import type { EvaluationFigures } from "./run/index.ts";
import { vote } from "./srt/vote.ts";
import type { Completion, Grader, LabelledProblem, Renderer, Vote } from "./types.ts";
import { mean, standardError } from "./util/statistics.ts";
import { strictZip } from "./util/strict-zip.ts";

export interface EvaluateOptions {
  readonly policy: Policy;
  readonly renderer: Renderer;
  readonly grader: Grader;
  /** At least one. Their answers are seen here and nowhere in training. */
  readonly problems: readonly LabelledProblem[];
  /** Completions per problem: the k of maj@k. */
  readonly samples: number;
  readonly temperature: number;
  readonly topP: number;
  readonly maxTokens: number;
  readonly seed: number;
  /** Version of the weights to evaluate; `current` when absent. */
  readonly weights?: WeightsName;
}

/** How one problem was answered. */
export interface ProblemResult {
  readonly problem: LabelledProblem;
  /** Share of samples with the true answer. */
  readonly passRate: number;
  /** Whether the majority answer is the true one; `false` when every sample abstained. */
  readonly majorityCorrect: boolean;
  readonly vote: Vote;
  readonly samples: readonly { readonly text: string; readonly answer: string | null; readonly correct: boolean }[];
}

export interface Evaluation extends EvaluationFigures {
  /** One for each problem, in their order. */
  readonly results: readonly ProblemResult[];
}

/**
 * Samples k completions of every problem and compares their answers with the true ones: pass@1 is the mean
 * over all samples, maj@k (Wang et al. 2023) asks whether the vote of a problem's k samples is right. A
 * sample without an answer is wrong. Standard errors are over problems, since samples of one problem are
 * not independent evidence. Same weights, same seed: same evaluation.
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { policy, renderer, grader, problems, samples: k, temperature, topP, maxTokens, seed } = options;
  if (problems.length === 0 || k < 1) throw new RangeError(`evaluate: ${problems.length} problems with ${k} samples each`);
  const completions_P = await policy.sample({
    prompts: problems.map((problem) => renderer.encodePrompt(problem.prompt)),
    count: k,
    weights: options.weights ?? CURRENT,
    seed,
    temperature,
    topP,
    topK: 0,
    stopTokens: renderer.stopTokens,
    maxTokens,
  });
  const results = strictZip(problems, completions_P).map(([problem, completions]) => grade(problem, completions, renderer, grader));
  const passRates = results.map(({ passRate }) => passRate);
  const majorities = results.map(({ majorityCorrect }) => (majorityCorrect ? 1 : 0));
  return {
    passAt1: mean(passRates),
    standardError: standardError(passRates),
    majAtK: mean(majorities),
    majStandardError: standardError(majorities),
    k,
    abstentionRate: mean(results.map((result) => result.vote.abstentions / k)),
    meanLength: mean(completions_P.flat().map(({ tokens }) => tokens.length)),
    problems: problems.length,
    results,
  };
}

function grade(problem: LabelledProblem, completions: readonly Completion[], renderer: Renderer, grader: Grader): ProblemResult {
  const texts = completions.map(({ tokens }) => renderer.decode(tokens));
  const answers = texts.map((text) => grader.extract(text));
  // Samples repeat few answers: each distinct one is compared once.
  const distinct = new Set(answers.filter((answer) => answer !== null));
  const right = new Set([...distinct].filter((answer) => grader.same(problem.answer, answer)));
  const isRight = (answer: string | null) => answer !== null && right.has(answer);
  const ballot = vote(answers, grader.classes);
  return {
    problem,
    passRate: mean(answers.map((answer) => (isRight(answer) ? 1 : 0))),
    majorityCorrect: isRight(ballot.majority?.answer ?? null),
    vote: ballot,
    samples: strictZip(texts, answers).map(([text, answer]) => ({ text, answer, correct: isRight(answer) })),
  };
}
