import { z } from "zod";
import { readRows } from "../data/index.ts";
import type { Row } from "../data/index.ts";
import { DataError } from "../errors.ts";
import { majorityReward } from "../srt/reward.ts";
import { vote } from "../srt/vote.ts";
import type { Grader, Vote } from "../types.ts";
import { mean, sum } from "../util/statistics.ts";

/** Completions that some system sampled for one problem. */
export interface CompletionsRow {
  readonly id: string;
  readonly problem?: string | undefined;
  readonly completions: readonly string[];
  /** The true answer, where it is known. */
  readonly answer?: string | undefined;
}

/** The method applied to the completions of one problem. */
export interface Ballot {
  readonly id: string;
  readonly vote: Vote;
  /** Final answer of each completion, `[completion]`; `null` where none could be read. */
  readonly answers: readonly (string | null)[];
  /** The majority answer, or `null` when no completion has an answer. */
  readonly pseudoLabel: string | null;
  /** 1 for each completion in the majority, `[completion]`. */
  readonly rewards: readonly number[];
  /** Whether the pseudo-label is the true answer; `null` without either. */
  readonly labelCorrect: boolean | null;
}

/** Figures over all problems of a file. */
export interface BallotSummary {
  readonly problems: number;
  /** Share of right ones among the pseudo-labels whose true answer is known, or `null` when none is. */
  readonly labelAccuracy: number | null;
  /** Mean of the majority's share of all completions. */
  readonly meanMajorityShare: number;
  /** Completions without a readable answer. */
  readonly abstentions: number;
}

const text = z.string().min(1);
const textOrNumber = z.union([text, z.number().transform(String)]);
const rowSchema = z.object({
  id: textOrNumber,
  problem: text.optional(),
  completions: z.array(z.string()).min(1),
  // Where the answer isn't known, systems leave it out or write null.
  answer: textOrNumber.nullish().transform((answer) => answer ?? undefined),
});
const EXPECTED = {
  id: "text or a number",
  problem: "text",
  completions: "a list of at least one text",
  answer: "text or a number",
} as const;

/**
 * The rows `{id, problem?, completions, answer?}` of a JSON Lines file; other fields are ignored. Throws
 * DataError naming line and field for a bad row, and both lines for two rows with one id.
 */
export async function readCompletions(file: string): Promise<readonly CompletionsRow[]> {
  const lines = new Map<string, number>();
  return (await readRows(file)).map((row) => {
    const parsed = parseRow(row, file);
    const earlier = lines.get(parsed.id);
    if (earlier !== undefined) throw new DataError(`${file}, lines ${earlier} and ${row.line} have the same id \`${parsed.id}\`; ids must be distinct.`);
    lines.set(parsed.id, row.line);
    return parsed;
  });
}

function parseRow({ fields, line }: Row, file: string): CompletionsRow {
  const parsed = rowSchema.safeParse(fields);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]!.path[0] as keyof typeof EXPECTED;
  const found = fields[field] === undefined ? "missing" : "of another kind";
  throw new DataError(`${file}, line ${line}: the field \`${field}\` is ${found}; expected ${EXPECTED[field]}.`);
}

/** Votes on the completions of one problem: the pseudo-label and the rewards of a training step with the default config. */
export function castBallot({ id, problem = "", completions, answer }: CompletionsRow, grader: Grader): Ballot {
  const answers = completions.map((completion) => grader.extract(completion));
  const ballot = vote(answers, grader.classes);
  const reward = majorityReward({ threshold: 0, share: "all" }, grader.same)({ problem: { id, prompt: problem, source: "" }, answers_G: answers, vote: ballot, ballot, seed: 0 });
  const labelCorrect = answer === undefined || reward.label === null ? null : grader.same(answer, reward.label);
  return { id, vote: ballot, answers, pseudoLabel: reward.label, rewards: reward.rewards_G, labelCorrect };
}

/** The figures over all ballots. */
export function summarizeBallots(ballots: readonly Ballot[]): BallotSummary {
  const verdicts = ballots.flatMap(({ labelCorrect }) => (labelCorrect === null ? [] : [labelCorrect ? 1 : 0]));
  return {
    problems: ballots.length,
    labelAccuracy: verdicts.length === 0 ? null : mean(verdicts),
    meanMajorityShare: mean(ballots.map((ballot) => ballot.vote.shareOfAll)),
    abstentions: sum(ballots.map((ballot) => ballot.vote.abstentions)),
  };
}

/** A ballot as a row of the output file: flat, and with counts. */
export function ballotRow({ id, vote, answers, pseudoLabel, rewards, labelCorrect }: Ballot) {
  const classes = vote.classes.map(({ answer, members }) => ({ answer, count: members.length, members }));
  const { samples, shareOfAll, shareOfAnswered, margin, tied, abstentions } = vote;
  return {
    id, samples, answers, classes, majorityShare: shareOfAll, majorityShareOfAnswered: shareOfAnswered,
    margin, tied, abstentions, pseudoLabel, rewards, labelCorrect,
  };
}
