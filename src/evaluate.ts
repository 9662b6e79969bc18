import { DataError } from "./errors.ts";
import { CURRENT } from "./policy.ts";
import type { Policy, WeightsName } from "./policy.ts";
import type { EvaluationFigures } from "./run/index.ts";
import { vote } from "./srt/vote.ts";
import type { Grader, LabelledProblem, Problem, Renderer, Vote } from "./types.ts";
import { deriveSeed } from "./util/random.ts";
import { mean, standardError, sum } from "./util/statistics.ts";
import { strictZip } from "./util/strict-zip.ts";

/** How completions of a fixed model are sampled. */
export interface SamplingOptions {
  readonly policy: Policy;
  readonly renderer: Renderer;
  /** Completions per problem. */
  readonly samples: number;
  readonly temperature: number;
  readonly topP: number;
  /** Most likely tokens to keep; every token when absent. */
  readonly topK?: number;
  readonly maxTokens: number;
  readonly seed: number;
  /** Version of the weights to sample; `current` when absent. */
  readonly weights?: WeightsName;
}

/** `samples` is the k of maj@k and pass@k. */
export interface EvaluateOptions extends SamplingOptions {
  readonly grader: Grader;
  /** At least one. Their answers are seen here and nowhere in training. */
  readonly problems: readonly LabelledProblem[];
  /** Evaluates in parts, so that a killed evaluation can go on; all at once when absent. */
  readonly batches?: EvaluateBatches;
}

/** Work in parts: with the same `size` it ends the same wherever it was interrupted. */
export interface Batches<T> {
  /** Problems sampled together. */
  readonly size: number;
  /** What an earlier, interrupted process made of the first problems: of whole batches. */
  readonly earlier: readonly T[];
  /** Is given every new batch, and awaited, before the next one is sampled; what it throws ends the work. */
  readonly done: (batch: readonly T[]) => Promise<void>;
}

/** An evaluation in parts. */
export type EvaluateBatches = Batches<ProblemCompletions>;

/** What the policy wrote for a problem, which is all that grading needs. */
export interface ProblemCompletions<P extends Problem = LabelledProblem> {
  readonly problem: P;
  readonly completions: readonly { readonly text: string; readonly tokens: number }[];
}

/** How one problem was answered. */
export interface ProblemResult {
  readonly problem: LabelledProblem;
  /** Share of samples with the true answer. */
  readonly passRate: number;
  /** Whether the majority answer is the true one; `false` when every sample abstained. */
  readonly majorityCorrect: boolean;
  readonly vote: Vote;
  readonly samples: readonly { readonly text: string; readonly tokens: number; readonly answer: string | null; readonly correct: boolean }[];
}

export interface Evaluation extends EvaluationFigures {
  /** Share of problems that at least one of the k samples solves: the unbiased estimate of pass@k. */
  readonly passAtK: number;
  /** One for each problem, in their order. */
  readonly results: readonly ProblemResult[];
}

/**
 * Samples k completions of every problem and compares their answers with the true ones: pass@1 is the mean
 * over all samples, maj@k (Wang et al. 2023) asks whether the vote of a problem's k samples is right. A
 * sample without an answer is wrong. Standard errors are over problems, since samples of one problem are
 * not independent evidence. Same weights, same seed, same batch size: same evaluation.
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { grader, problems, samples: k, batches } = options;
  if (problems.length === 0 || k < 1) throw new RangeError(`evaluate: ${problems.length} problems with ${k} samples each`);
  const all = await completeProblems(problems, options, (answered) => answered, batches);
  return summarize(all.map((answered) => gradeProblem(answered, grader)));
}

/**
 * Samples completions of every problem with a fixed model and gives what `read` makes of each problem's,
 * `[problem]`: in batches, as an interrupted process had begun, or all at once when there are none.
 */
export async function completeProblems<P extends Problem, T>(
  problems: readonly P[],
  options: SamplingOptions,
  read: (answered: ProblemCompletions<P>) => T,
  batches?: Batches<T>,
): Promise<readonly T[]> {
  const size = batches?.size ?? problems.length;
  const all: T[] = [...(batches?.earlier ?? [])];
  for (let start = all.length; start < problems.length; start += size) {
    const batch = (await sampleBatch(problems.slice(start, start + size), start / size, options)).map(read);
    await batches?.done(batch);
    all.push(...batch);
  }
  return all;
}

async function sampleBatch<P extends Problem>(problems: readonly P[], index: number, options: SamplingOptions): Promise<readonly ProblemCompletions<P>[]> {
  const { policy, renderer, samples, temperature, topP, topK = 0, maxTokens, seed } = options;
  const completions_P = await policy.sample({
    prompts: problems.map((problem) => renderer.encodePrompt(problem.prompt, problem.template)),
    count: samples,
    weights: options.weights ?? CURRENT,
    // Batches draw independently; a single one draws with the seed itself.
    seed: index === 0 ? seed : deriveSeed(seed, "batch", index),
    temperature,
    topP,
    topK,
    stopTokens: renderer.stopTokens,
    maxTokens,
  });
  return strictZip(problems, completions_P).map(([problem, completions]) => ({
    problem,
    completions: completions.map(({ tokens }) => ({ text: renderer.decode(tokens), tokens: tokens.length })),
  }));
}

function gradeProblem({ problem, completions }: ProblemCompletions, grader: Grader): ProblemResult {
  const answers = completions.map(({ text }) => grader.extract(text));
  const isRight = rightAnswers(answers, problem.answer, grader.same);
  const ballot = vote(answers, grader.classes);
  return {
    problem,
    passRate: mean(answers.map((answer) => (isRight(answer) ? 1 : 0))),
    majorityCorrect: isRight(ballot.majority?.answer ?? null),
    vote: ballot,
    samples: strictZip(completions, answers).map(([completion, answer]) => ({ ...completion, answer, correct: isRight(answer) })),
  };
}

/** Tells which of the answers to a problem equal the true one. Samples repeat few answers: each distinct one is compared once. */
export function rightAnswers(answers: readonly (string | null)[], truth: string, same: Grader["same"]): (answer: string | null) => boolean {
  const right = new Set<string | null>([...new Set(answers)].filter((answer) => answer !== null && same(truth, answer)));
  return (answer) => right.has(answer);
}

/** The figures over some problems, each with the same number of samples; see `evaluate`. */
export function summarize(results: readonly ProblemResult[]): Evaluation {
  const passRates = results.map(({ passRate }) => passRate);
  const majorities = results.map(({ majorityCorrect }) => (majorityCorrect ? 1 : 0));
  const k = results[0]!.samples.length;
  return {
    passAt1: mean(passRates),
    standardError: standardError(passRates),
    majAtK: mean(majorities),
    majStandardError: standardError(majorities),
    passAtK: meanPassAt(k, results),
    k,
    abstentionRate: mean(results.map((result) => result.vote.abstentions / k)),
    meanLength: mean(results.map(({ samples }) => sum(samples.map(({ tokens }) => tokens)) / k)),
    problems: results.length,
    results,
  };
}

/** Mean over problems of the unbiased estimate of pass@k, for any k up to the number of samples. */
export function meanPassAt(k: number, results: readonly ProblemResult[]): number {
  return mean(results.map(({ samples }) => passAt(k, samples.length, samples.filter(({ correct }) => correct).length)));
}

/**
 * Unbiased estimate, from n samples of which c are right, of the probability that at least one of k samples is
 * right: 1 - C(n - c, k) / C(n, k) (Chen et al. 2021, eq. 1), as a product, which does not overflow. k <= n.
 */
export function passAt(k: number, n: number, c: number): number {
  if (k < 1 || k > n || c > n) throw new RangeError(`passAt: k ${k} of n ${n} samples, c ${c} right`);
  let allWrong = 1;
  for (let i = n - c + 1; i <= n; i++) allWrong *= Math.max(0, 1 - k / i);
  return 1 - allWrong;
}

/** Throws DataError for the first problem whose prompt leaves no room for `maxTokens` in the policy's context. */
export function checkContext(
  problems: readonly Problem[],
  { policy, renderer, maxTokens }: Pick<EvaluateOptions, "policy" | "renderer" | "maxTokens">,
): void {
  const { contextLength, model } = policy.description;
  for (const { id, source, prompt, paraphrase = prompt, template } of problems) {
    const length = Math.max(...[prompt, paraphrase].map((wording) => renderer.encodePrompt(wording, template).length));
    if (length + maxTokens > contextLength) {
      throw new DataError(
        `The prompt of problem \`${id}\` of ${source} has ${length} tokens, and with \`max-tokens\` ${maxTokens} it does not fit the ${contextLength} tokens of context of ${model}; lower \`max-tokens\`, or \`max-prompt-tokens\` to leave out prompts of this length.`,
      );
    }
  }
}
