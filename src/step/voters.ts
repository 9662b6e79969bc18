import { CURRENT, REFERENCE } from "../policy.ts";
import type { Policy, WeightsName } from "../policy.ts";
import { answerSpan } from "../srt/answer-span.ts";
import { vote } from "../srt/vote.ts";
import type { Completion, Problem, Sample, Vote } from "../types.ts";
import { deriveSeed } from "../util/random.ts";
import type { SeededSettings, StepParts, TeacherSettings } from "./settings.ts";

/** Name of the weights of a teacher that follows the policy. */
const TEACHER: WeightsName = "teacher";

/** One problem, its samples, and their vote. */
export interface Answered {
  readonly problem: Problem;
  readonly promptTokens: readonly number[];
  readonly samples_G: readonly Sample[];
  readonly vote: Vote;
}

/** The problems as they are asked, `[problem]`; each followed by its paraphrase where wordings label one another. */
export function askedProblems(problems_P: readonly Problem[], { crossLabels }: Pick<SeededSettings, "crossLabels">): readonly Problem[] {
  if (!crossLabels) return problems_P;
  return problems_P.flatMap((problem) => [problem, { ...problem, id: `${problem.id} (paraphrase)`, prompt: problem.paraphrase! }]);
}

/** Samples n completions for each problem from the current policy, reads their answers and counts them. */
export async function answer(problems_P: readonly Problem[], parts: StepParts, settings: SeededSettings): Promise<readonly Answered[]> {
  const prompts_P = problems_P.map(({ prompt, template }) => parts.renderer.encodePrompt(prompt, template));
  const voters = { weights: CURRENT, count: settings.samplesPerPrompt, seed: settings.seed };
  return sampleAnswers(prompts_P, voters, parts, settings, (samples_G, index) => {
    const located_G = samples_G.map((sample): Sample => ({ ...sample, answerSpan: answerSpan(sample.tokens, sample.text, sample.answer, parts.renderer.decode) }));
    return { problem: problems_P[index]!, promptTokens: prompts_P[index]!, samples_G: located_G, vote: vote(answersOf(samples_G), parts.grader.classes) };
  });
}

/**
 * The vote that labels each problem, `[problem]`: the samples' own, the one on its other wording, or that of a
 * teacher, who answers the same prompts as often as `teacher.samples` says.
 */
export async function ballotsOf(answered_P: readonly Answered[], parts: StepParts, settings: SeededSettings): Promise<readonly Vote[]> {
  const { teacher, crossLabels, seed } = settings;
  // The two wordings of a problem stand side by side.
  if (crossLabels) return answered_P.map((_, index) => answered_P[index ^ 1]!.vote);
  if (teacher.kind === "none") return answered_P.map((answered) => answered.vote);
  const voters = { weights: teacher.kind === "start" ? REFERENCE : TEACHER, count: teacher.samples, seed: deriveSeed(seed, "teacher") };
  return sampleAnswers(answered_P.map(({ promptTokens }) => promptTokens), voters, parts, settings, (samples_V, index) => {
    const own = teacher.ownVotes ? answersOf(answered_P[index]!.samples_G) : [];
    return vote([...answersOf(samples_V), ...own], parts.grader.classes);
  });
}

/** Lets a teacher begin as the model that the run starts from. */
export async function startTeacher(policy: Policy, { kind }: TeacherSettings): Promise<void> {
  if (kind === "average" || kind === "snapshot") await policy.snapshot(TEACHER);
}

/** Lets the teacher follow the policy after a step, when it is due. */
export async function moveTeacher(policy: Policy, step: number, { kind, every, decay }: TeacherSettings): Promise<void> {
  if (step % every !== 0) return;
  if (kind === "average") await policy.average(TEACHER, decay);
  if (kind === "snapshot") await policy.snapshot(TEACHER);
}

interface Voters {
  readonly weights: WeightsName;
  readonly count: number;
  readonly seed: number;
}

/**
 * What `use` makes of each prompt's completions with their answers, `[prompt]`. An engine that has those of one prompt
 * before the others lets them be read while it samples: `use` may be called in any order, once for each prompt.
 */
export async function sampleAnswers<T extends object>(
  prompts: readonly (readonly number[])[],
  voters: Voters,
  { policy, renderer, grader }: StepParts,
  { temperature, topP, topK, maxTokens }: Pick<SeededSettings, "temperature" | "topP" | "topK" | "maxTokens">,
  use: (samples: readonly Omit<Sample, "answerSpan">[], prompt: number) => T,
): Promise<readonly T[]> {
  const read = (completion: Completion) => {
    const text = renderer.decode(completion.tokens);
    const finalAnswer = grader.extract(text);
    return { ...completion, text, answer: finalAnswer };
  };
  const early = new Map<number, T>();
  const request = { prompts, ...voters, temperature, topP, topK, stopTokens: renderer.stopTokens, maxTokens };
  const completions_P_G = await policy.sample(request, (prompt, completions_G) => early.set(prompt, use(completions_G.map(read), prompt)));
  return completions_P_G.map((completions_G, prompt) => early.get(prompt) ?? use(completions_G.map(read), prompt));
}

export function answersOf(samples_G: readonly Pick<Sample, "answer">[]): readonly (string | null)[] {
  return samples_G.map((sample) => sample.answer);
}
