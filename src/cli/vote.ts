import { resolve } from "node:path";
import { Option } from "commander";
import type { Command } from "commander";
import { UsageError } from "../errors.ts";
import { createGrader, RULES_OF_READING } from "../grading/index.ts";
import { voteFigures } from "../voting/index.ts";
import { ANSWER_READINGS } from "../options.ts";
import type { AnswerReading } from "../options.ts";
import { ballotRow, castBallot, readCompletions, summarizeBallots } from "./ballot.ts";
import type { Ballot, BallotSummary } from "./ballot.ts";
import { counted, percent, shorten, table, tally } from "./format.ts";
import { createOutput, jsonOption, writeJsonLines } from "./output.ts";

interface VoteFlags {
  readonly answers: AnswerReading;
  readonly out?: string;
  readonly json?: boolean;
}

/** `selftrain vote COMPLETIONS.jsonl [--out FILE.jsonl]`: the vote of completions that some other system sampled. */
export function addVoteCommand(program: Command): void {
  program
    .command("vote")
    .description("Vote on completions that some other system sampled: pseudo-labels and rewards, as a training step gives them.")
    .argument("<COMPLETIONS.jsonl>", "rows {id, problem?, completions: [text, …], answer?}")
    .addOption(new Option("--answers <READING>", "where final answers are read: in \\boxed{} only, or by every rule of docs/grading.md").choices(ANSWER_READINGS).default("boxed"))
    .option("--out <FILE.jsonl>", "write a row for each problem: classes, majority share, margin, abstentions, pseudo-label, rewards")
    .addOption(jsonOption())
    .action(voteOn);
}

async function voteOn(file: string, { answers, out, json }: VoteFlags): Promise<void> {
  if (out !== undefined && resolve(out) === resolve(file)) throw new UsageError(`--out ${out} is the file that is read; name another`);
  const { terminal, result } = createOutput(json === true);
  const grader = createGrader({ rules: RULES_OF_READING[answers] });
  const ballots = (await readCompletions(file)).map((row) => castBallot(row, grader));
  if (out !== undefined) await writeJsonLines(out, ballots.map(ballotRow));
  const summary = summarizeBallots(ballots);
  for (const line of [...ballotLines(ballots), "", summaryLine(summary)]) terminal.line(line);
  result({ ...summary });
}

function ballotLines(ballots: readonly Ballot[]): readonly string[] {
  const rows = ballots.map(({ id, vote, pseudoLabel, labelCorrect }) => [
    shorten(id, 32),
    percent(vote.shareOfAll),
    percent(vote.margin),
    pseudoLabel === null ? "none" : shorten(pseudoLabel, 24),
    labelCorrect === null ? "" : labelCorrect ? "right" : "wrong",
    tally(voteFigures(vote).classes, vote.abstentions) + (vote.tied ? " (tied)" : ""),
  ]);
  return table([["problem", "majority", "margin", "pseudo-label", "", "answers"], ...rows]);
}

function summaryLine({ problems, labelAccuracy, meanMajorityShare, abstentions }: BallotSummary): string {
  const accuracy = labelAccuracy === null ? "" : `, label accuracy ${percent(labelAccuracy)}`;
  return `${counted(problems, "problem")}: mean majority share ${percent(meanMajorityShare)}, ${counted(abstentions, "abstention")}${accuracy}`;
}
