import { CURRENT, REFERENCE } from "../policy.ts";
import type { Policy, WeightsName } from "../policy.ts";
import { answerSpan } from "../srt/answer-span.ts";
import { vote } from "../srt/vote.ts";
import type { Completion, Problem, Sample, Vote } from "../types.ts";
import { deriveSeed } from "../util/random.ts";
import { strictZip } from "../util/strict-zip.ts";
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
  const samples_P_G = await sampleAnswers(prompts_P, { weights: CURRENT, count: settings.samplesPerPrompt, seed: settings.seed }, parts, settings);
  return strictZip(problems_P, strictZip(prompts_P, samples_P_G)).map(([problem, [promptTokens, samples_G]]) => {
    const located_G = samples_G.map((sample): Sample => ({ ...sample, answerSpan: answerSpan(sample.tokens, sample.text, sample.answer, parts.renderer.decode) }));
    return { problem, promptTokens, samples_G: located_G, vote: vote(answersOf(samples_G), parts.grader.classes) };
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
  const samples_P_V = await sampleAnswers(answered_P.map(({ promptTokens }) => promptTokens), voters, parts, settings);
  return strictZip(answered_P, samples_P_V).map(([{ samples_G }, samples_V]) => {
    const own = teacher.ownVotes ? answersOf(samples_G) : [];
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

/** Completions with their answers, `[prompt][count]`. */
export async function sampleAnswers(
  prompts: readonly (readonly number[])[],
  voters: Voters,
  { policy, renderer, grader }: StepParts,
  { temperature, topP, topK, maxTokens }: Pick<SeededSettings, "temperature" | "topP" | "topK" | "maxTokens">,
): Promise<readonly (readonly Omit<Sample, "answerSpan">[])[]> {
  const completions_P_G = await policy.sample({ prompts, ...voters, temperature, topP, topK, stopTokens: renderer.stopTokens, maxTokens });
  const read = (completion: Completion) => {
    const text = renderer.decode(completion.tokens);
    const finalAnswer = grader.extract(text);
    return { ...completion, text, answer: finalAnswer };
  };
  return completions_P_G.map((completions_G) => completions_G.map(read));
}

export function answersOf(samples_G: readonly Pick<Sample, "answer">[]): readonly (string | null)[] {
  return samples_G.map((sample) => sample.answer);
}
