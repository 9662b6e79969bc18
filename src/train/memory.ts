import { REFERENCE } from "../policy.ts";
import type { Policy } from "../policy.ts";
import type { StepMetrics, VotesLine } from "../run/index.ts";
import { driftOf } from "../srt/collapse.ts";
import type { Comparison, Signals } from "../srt/collapse.ts";
import { vote } from "../srt/vote.ts";
import type { Grader, Group, Renderer } from "../types.ts";
import { mean } from "../util/statistics.ts";

/** What a run remembers of its votes, by problem: the newest majority answer, and that of the model it started from. */
export interface VoteMemory {
  readonly newest: Map<string, string | null>;
  readonly start: Map<string, { readonly answer: string | null; readonly share: number }>;
}

export function emptyMemory(): VoteMemory {
  return { newest: new Map(), start: new Map() };
}

/** Takes the votes of a step into the memory. */
export function remember({ newest, start }: VoteMemory, line: VotesLine): void {
  for (const [id, answer] of line.votes) newest.set(id, answer);
  for (const [id, answer, share] of line.start) start.set(id, { answer, share });
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

/** The votes of a step, and those of the model that the run started from on the problems that it had not seen. */
export async function votesOf(step: number, groups_P: readonly Group[], memory: VoteMemory, voters: StartVoters): Promise<VotesLine> {
  const { policy, renderer, grader, count, ...sampling } = voters;
  const unseen = count === 0 ? [] : groups_P.filter(({ problem }) => !memory.start.has(problem.id));
  const prompts = unseen.map(({ promptTokens }) => promptTokens);
  const completions_P = unseen.length === 0 ? [] : await policy.sample({ prompts, count, weights: REFERENCE, stopTokens: renderer.stopTokens, ...sampling });
  const answers_P = completions_P.map((completions) => completions.map(({ tokens }) => grader.extract(renderer.decode(tokens))));
  return {
    kind: "votes",
    step,
    votes: groups_P.map((group) => votedIn(group, grader.same)),
    start: unseen.map(({ problem }, index) => {
      const { majority, shareOfAll } = vote(answers_P[index]!, grader.classes);
      return [problem.id, majority?.answer ?? null, shareOfAll];
    }),
  };
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
export function signalsOf({ step, votes }: VotesLine, { kl, meanLength, abstentionRate }: StepMetrics, memory: VoteMemory, same: Grader["same"]): Signals {
  const comparisons: Comparison[] = [];
  for (const [id, now, nowShare, taught = false] of votes) {
    const first = memory.start.get(id);
    if (first !== undefined) comparisons.push({ now, first: first.answer, same: agree(first.answer, now, same), firstShare: first.share, nowShare, taught });
  }
  return { step, tokenKl: kl / Math.max(1, meanLength), abstentionRate, drift: driftOf(comparisons) };
}

/** Whether two majority answers are the same; none is the same as none. */
export function agree(one: string | null, other: string | null, same: Grader["same"]): boolean {
  return one === other || (one !== null && other !== null && same(one, other));
}
