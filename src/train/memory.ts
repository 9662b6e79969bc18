import { REFERENCE } from "../policy.ts";
import type { Policy } from "../policy.ts";
import type { VotesLine } from "../run/index.ts";
import { vote } from "../srt/vote.ts";
import type { Grader, Group, Renderer } from "../types.ts";
import { mean } from "../util/statistics.ts";

/** What a run remembers of its votes, by problem: the newest majority answer, and that of the model it started from. */
export interface VoteMemory {
  readonly newest: Map<string, string | null>;
  readonly start: Map<string, string | null>;
}

/** The memory of the steps that are on record, in their order. */
export function rememberedVotes(lines: readonly VotesLine[]): VoteMemory {
  const memory: VoteMemory = { newest: new Map(), start: new Map() };
  for (const line of lines) remember(memory, line);
  return memory;
}

export function remember({ newest, start }: VoteMemory, line: VotesLine): void {
  for (const [id, answer] of line.votes) newest.set(id, answer);
  for (const [id, answer] of line.start) start.set(id, answer);
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
    votes: groups_P.map((group) => [group.problem.id, group.vote.majority?.answer ?? null, group.vote.shareOfAll]),
    start: unseen.map(({ problem }, index) => [problem.id, vote(answers_P[index]!, grader.classes).majority?.answer ?? null]),
  };
}

/** How the votes of a step compare with what is remembered from before it. */
export function voteFigures({ votes, start }: VotesLine, memory: VoteMemory, same: Grader["same"]) {
  const agree = (one: string | null, other: string | null) => one === other || (one !== null && other !== null && same(one, other));
  const firsts = new Map([...memory.start, ...start]);
  const flips = votes.flatMap(([id, answer]) => (memory.newest.has(id) ? [agree(memory.newest.get(id)!, answer) ? 0 : 1] : []));
  const agreements = votes.flatMap(([id, answer]) => (firsts.has(id) ? [agree(firsts.get(id)!, answer) ? 1 : 0] : []));
  return { flipRate: flips.length === 0 ? null : mean(flips), startAgreement: agreements.length === 0 ? null : mean(agreements) };
}
