import { meanPassAt, summarize } from "../evaluate.ts";
import type { Evaluation, ProblemResult } from "../evaluate.ts";
import { percent, table } from "./format.ts";
import { withError } from "./progress.ts";

/** The figures of the problems of one subject or level. */
export interface GroupFigures {
  readonly by: "subject" | "level";
  readonly name: string;
  readonly problems: number;
  readonly passAt1: number;
  readonly standardError: number;
  readonly majAtK: number;
  readonly passAtK: number;
}

/** Figures by subject, then by level, in the order of their names; none where the problems have neither. */
export function evaluationGroups({ results }: Evaluation): readonly GroupFigures[] {
  return (["subject", "level"] as const).flatMap((by) => {
    const named = new Map<string, ProblemResult[]>();
    for (const result of results) {
      const name = result.problem[by];
      if (name !== undefined) named.set(name, [...(named.get(name) ?? []), result]);
    }
    const names = [...named.keys()].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    return names.map((name) => {
      const { problems, passAt1, standardError, majAtK, passAtK } = summarize(named.get(name)!);
      return { by, name, problems, passAt1, standardError, majAtK, passAtK };
    });
  });
}

/** An evaluation as people read it: a table, by subject and level where there are any, and pass@k for growing k. */
export function evaluationLines(evaluation: Evaluation, groups: readonly GroupFigures[]): readonly string[] {
  const { k, results, abstentionRate, meanLength } = evaluation;
  const row = (name: string, { problems, passAt1, standardError, majAtK, passAtK }: Omit<GroupFigures, "by" | "name">) =>
    [name, String(problems), withError(passAt1, standardError), percent(majAtK), percent(passAtK)];
  const powers: number[] = [];
  for (let power = 1; power < k; power *= 2) powers.push(power);
  return [
    ...table([
      ["", "problems", "pass@1, error", `maj@${k}`, `pass@${k}`],
      row("all", evaluation),
      ...groups.map((group) => row(group.by === "level" ? `level ${group.name}` : group.name, group)),
    ]),
    "",
    `pass@k: ${[...powers, k].map((power) => `k ${power} ${percent(meanPassAt(power, results))}`).join(", ")}`,
    `abstention rate ${percent(abstentionRate)}, mean length ${meanLength.toFixed(1)} tokens`,
  ];
}
