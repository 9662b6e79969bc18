import { resolve } from "node:path";
import type { Command } from "commander";
import { UsageError } from "../errors.ts";
import { counted, percent, shorten, table } from "./format.ts";
import { gradingReport, isWrong, judgeAll, readCases } from "./grade-cases.ts";
import type { GradingReport, Verdict } from "./grade-cases.ts";
import { createOutput, jsonOption, writeJsonLines } from "./output.ts";

interface GradeFlags {
  readonly errors?: string;
  readonly json?: boolean;
}

/** `selftrain grade CASES.jsonl [--errors FILE.jsonl]`: how often the judge of answers agrees with people. */
export function addGradeCommand(program: Command): void {
  program
    .command("grade")
    .description("Compare pairs of answers and count how often the judge agrees with their labels.")
    .argument("<CASES.jsonl>", "rows {gold, pred, equal, bare?, kind?, disputed?}; `bare` rows are answers already, others are texts to read them from")
    .option("--errors <FILE.jsonl>", "write the rows that the judge got wrong, with the answers that it read")
    .addOption(jsonOption())
    .action(gradeFile);
}

async function gradeFile(file: string, { errors, json }: GradeFlags): Promise<void> {
  if (errors !== undefined && resolve(errors) === resolve(file)) throw new UsageError(`--errors ${errors} is the file that is read; name another`);
  const { terminal, result } = createOutput(json === true);
  const verdicts = judgeAll(await readCases(file), () => performance.now());
  if (errors !== undefined) await writeJsonLines(errors, verdicts.filter(isWrong));
  const report = gradingReport(verdicts);
  for (const line of [...wrongLines(verdicts), ...reportLines(report)]) terminal.line(line);
  result({ ...report });
}

const SHOWN = 10;

function wrongLines(verdicts: readonly Verdict[]): readonly string[] {
  const wrong = verdicts.filter(isWrong);
  if (wrong.length === 0) return [];
  const rows = wrong.slice(0, SHOWN).map(({ same, goldAnswer, predAnswer, policies }) => [
    same ? "false positive" : "false negative",
    shorten(goldAnswer ?? "no answer read", 36),
    shorten(predAnswer ?? "no answer read", 36),
    policies.join(", "),
  ]);
  const rest = wrong.length > SHOWN ? [`and ${counted(wrong.length - SHOWN, "more error")}; --errors FILE.jsonl writes all`] : [];
  return [...table([["error", "gold", "prediction", "policies"], ...rows]), ...rest, ""];
}

/** The report as people read it. */
export function reportLines({ pairs, scored, accuracy, recall, falsePositives, falseNegatives, kinds, policies, milliseconds }: GradingReport): readonly string[] {
  const byKind = kinds.map(({ kind, ...errors }) => [kind, String(errors.scored), String(errors.falsePositives), String(errors.falseNegatives)]);
  const deciding = Object.entries(policies).map(([name, count]) => `${name} ×${count}`);
  const { mean, p50, p99, max } = milliseconds;
  return [
    ...table([["kind", "scored", "false positives", "false negatives"], ...byKind]),
    "",
    `${counted(pairs, "pair")}, ${scored} scored: accuracy ${share(accuracy)}, recall ${share(recall)}, ${counted(falsePositives, "false positive")}, ${counted(falseNegatives, "false negative")}`,
    `time per pair: mean ${mean.toFixed(2)} ms, median ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, max ${max.toFixed(1)} ms`,
    ...(deciding.length > 0 ? [`policies that decided: ${deciding.join(", ")}`] : []),
  ];
}

const share = (value: number | null): string => (value === null ? "unknown" : percent(value));
