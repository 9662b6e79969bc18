import { CURRENT, REFERENCE } from "../policy.ts";
import type { Policy, WeightsName } from "../policy.ts";
import type { StepMetrics, VotesLine } from "../run/index.ts";
import { driftOf, startSupport } from "../srt/collapse.ts";
import type { Comparison, Signals } from "../srt/collapse.ts";
import { vote } from "../srt/vote.ts";
import type { Grader, Group, Problem, Renderer } from "../types.ts";
import { mean } from "../util/statistics.ts";

/** What a probe found, and after which step. */
interface Probed {
  readonly step: number;
  readonly support: number;
  readonly variance: number;
}

/** What a run remembers of its votes, by problem: the newest majority answer, and that of the model it started from. */
export interface VoteMemory {
  readonly newest: Map<string, string | null>;
  readonly start: Map<string, { readonly answer: string | null; readonly share: number }>;
  /** The newest probe that tells, and the best one: the last of equals. */
  probe: Probed | null;
  best: Probed | null;
}

export function emptyMemory(): VoteMemory {
  return { newest: new Map(), start: new Map(), probe: null, best: null };
}

/** Takes the votes of a step into the memory. */
export function remember(memory: VoteMemory, line: VotesLine): void {
  for (const [id, answer] of line.votes) memory.newest.set(id, answer);
  for (const [id, answer, share] of line.start) memory.start.set(id, { answer, share });
  const found = line.probe === undefined ? null : probedIn(line.probe, memory);
  if (found === null) return;
  memory.probe = { ...found, step: line.step };
  if (memory.best === null || found.support >= memory.best.support) memory.best = memory.probe;
}

function probedIn({ samples, problems }: NonNullable<VotesLine["probe"]>, { start }: VoteMemory) {
  return startSupport(problems.flatMap(([id, support]) => (start.has(id) ? [{ firstShare: start.get(id)!.share, support }] : [])), samples);
}

export interface StartVoters {
  readonly policy: Policy;
  readonly renderer: Renderer;
  readonly grader: Grader;
  /** Votes on each problem; 0 asks nobody. */
  readonly count: number;
  readonly seed: number;
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly maxTokens: number;
}

/** Problems on which a run watches whether it still gives the first model's answers. */
export interface ProbeOptions {
  readonly problems: readonly Problem[];
  /** Completions of each. */
  readonly samples: number;
  /** The same for every probe: what changes between two of them is the model. */
  readonly seed: number;
}

/**
 * The votes of a step, those of the model that the run started from on the problems that it had not seen, and what a
 * probe finds, where the step has one.
 */
export async function votesOf(step: number, groups_P: readonly Group[], memory: VoteMemory, voters: StartVoters, probe: ProbeOptions | null = null): Promise<VotesLine> {
  const problems = new Map([...groups_P.map(({ problem }) => problem), ...(probe?.problems ?? [])].map((problem) => [problem.id, problem]));
  const unseen = voters.count === 0 ? [] : [...problems.values()].filter(({ id }) => !memory.start.has(id));
  const answers_P = await answersTo(unseen, REFERENCE, voters);
  const start = unseen.map(({ id }, index): VotesLine["start"][number] => {
    const { majority, shareOfAll } = vote(answers_P[index]!, voters.grader.classes);
    return [id, majority?.answer ?? null, shareOfAll];
  });
  const votes = groups_P.map((group) => votedIn(group, voters.grader.same));
  if (probe === null) return { kind: "votes", step, votes, start };
  const firsts = new Map([...[...memory.start].map(([id, { answer }]) => [id, answer] as const), ...start.map(([id, answer]) => [id, answer] as const)]);
  const now_P = await answersTo(probe.problems, CURRENT, { ...voters, count: probe.samples, seed: probe.seed });
  const support = (id: string, answers: readonly (string | null)[]) => mean(answers.map((answer) => (agree(firsts.get(id) ?? null, answer, voters.grader.same) ? 1 : 0)));
  return { kind: "votes", step, votes, start, probe: { samples: probe.samples, problems: probe.problems.map(({ id }, index) => [id, support(id, now_P[index]!)]) } };
}

/** The answers that some weights give to each problem, `[problem][count]`. */
async function answersTo(problems: readonly Problem[], weights: WeightsName, { policy, renderer, grader, ...sampling }: StartVoters): Promise<readonly (readonly (string | null)[])[]> {
  if (problems.length === 0) return [];
  const prompts = problems.map(({ prompt, template }) => renderer.encodePrompt(prompt, template));
  const completions_P = await policy.sample({ prompts, weights, stopTokens: renderer.stopTokens, ...sampling });
  return completions_P.map((completions) => completions.map(({ tokens }) => grader.extract(renderer.decode(tokens))));
}

function votedIn({ problem, vote: { majority, shareOfAll }, reward }: Group, same: Grader["same"]): VotesLine["votes"][number] {
  const answer = majority?.answer ?? null;
  return reward.given === true ? [problem.id, answer, shareOfAll, agree(reward.label, answer, same)] : [problem.id, answer, shareOfAll];
}

/** How the votes of a step compare with what is remembered from before it. */
export function voteFigures({ votes, start }: VotesLine, memory: VoteMemory, same: Grader["same"]) {
  const firsts = new Map([...memory.start, ...start.map(([id, answer, share]) => [id, { answer, share }] as const)]);
  const flips = votes.flatMap(([id, answer]) => (memory.newest.has(id) ? [agree(memory.newest.get(id)!, answer, same) ? 0 : 1] : []));
  const agreements = votes.flatMap(([id, answer]) => (firsts.has(id) ? [agree(firsts.get(id)!.answer, answer, same) ? 1 : 0] : []));
  return { flipRate: flips.length === 0 ? null : mean(flips), startAgreement: agreements.length === 0 ? null : mean(agreements) };
}

/** What a step says of the run's health; its votes are in the memory already. */
export function signalsOf(line: VotesLine, { kl, meanLength, abstentionRate }: StepMetrics, memory: VoteMemory, same: Grader["same"]): Signals {
  const comparisons: Comparison[] = [];
  for (const [id, now, nowShare, taught = false] of line.votes) {
    const first = memory.start.get(id);
    if (first !== undefined) comparisons.push({ now, first: first.answer, same: agree(first.answer, now, same), firstShare: first.share, nowShare, taught });
  }
  const { probe: found, best } = memory;
  const probe = found?.step !== line.step || best === null ? null : { support: found.support, error: Math.sqrt(found.variance + best.variance), best: best.support, bestStep: best.step };
  return { step: line.step, tokenKl: kl / Math.max(1, meanLength), abstentionRate, drift: driftOf(comparisons), probe };
}

/** Whether two majority answers are the same; none is the same as none. */
export function agree(one: string | null, other: string | null, same: Grader["same"]): boolean {
  return one === other || (one !== null && other !== null && same(one, other));
}
