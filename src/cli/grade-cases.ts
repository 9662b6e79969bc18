import { z } from "zod";
import { readRows } from "../data/index.ts";
import { DataError } from "../errors.ts";
import { compareAnswers, EXTRACTION_RULES, extractAnswer } from "../grading/index.ts";
import type { ExtractionRule, PolicyName } from "../grading/index.ts";
import { mean } from "../util/statistics.ts";

/** A pair of answers that a person has judged. */
export interface GradingCase {
  readonly gold: string;
  readonly pred: string;
  readonly equal: boolean;
  /** Whether `gold` and `pred` are answers already, or texts to read the answer from. */
  readonly bare: boolean;
  readonly kind: string;
  /** Why the label is doubtful; such rows are compared but not scored. */
  readonly disputed: boolean;
}

/** What the judge said of one case. */
export interface Verdict extends GradingCase {
  /** The answers as read; `null` when the text has none, which is equal to nothing. */
  readonly goldAnswer: string | null;
  readonly predAnswer: string | null;
  readonly rule: ExtractionRule | null;
  readonly same: boolean;
  readonly policies: readonly PolicyName[];
  readonly milliseconds: number;
}

export interface KindSummary {
  readonly kind: string;
  readonly scored: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
}

/** Figures over the scored cases; `recall` is `null` when no case is labelled equal. Times are over all pairs. */
export interface GradingReport {
  readonly pairs: number;
  readonly scored: number;
  readonly accuracy: number | null;
  readonly recall: number | null;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly kinds: readonly KindSummary[];
  /** Cases that each policy decided. */
  readonly policies: Readonly<Partial<Record<PolicyName, number>>>;
  readonly milliseconds: { readonly mean: number; readonly p50: number; readonly p99: number; readonly max: number };
}

const caseSchema = z.object({
  gold: z.string(),
  pred: z.string(),
  equal: z.boolean(),
  bare: z.boolean().default(false),
  kind: z.string().default("all"),
  // A reason in words, or a flag.
  disputed: z.union([z.string(), z.boolean()]).default(false).transform((reason) => reason !== false && reason !== ""),
});
const EXPECTED: Readonly<Record<string, string>> = { gold: "text", pred: "text", equal: "true or false", bare: "true or false", kind: "text", disputed: "a reason, or true or false" };

/** The rows `{gold, pred, equal, bare?, kind?, disputed?}` of a JSON Lines file. Throws DataError naming line and field. */
export async function readCases(file: string): Promise<readonly GradingCase[]> {
  return (await readRows(file)).map(({ fields, line }) => {
    const parsed = caseSchema.safeParse(fields);
    if (parsed.success) return parsed.data;
    const field = String(parsed.error.issues[0]!.path[0]);
    const found = fields[field] === undefined ? "missing" : "of another kind";
    throw new DataError(`${file}, line ${line}: the field \`${field}\` is ${found}; expected ${EXPECTED[field] ?? "another value"}.`);
  });
}

/** Judges one case; `clock` gives milliseconds. */
export function judge(row: GradingCase, clock: () => number): Verdict {
  const start = clock();
  const [gold, pred] = [answerOf(row.gold, row.bare), answerOf(row.pred, row.bare)];
  const { same, policies } = gold && pred ? compareAnswers(gold.answer, pred.answer) : { same: false, policies: [] };
  const milliseconds = clock() - start;
  return { ...row, goldAnswer: gold?.answer ?? null, predAnswer: pred?.answer ?? null, rule: pred?.rule ?? null, same, policies, milliseconds };
}

const PASSES = 3;

/** Judges all cases. A pair's time is the best of three passes: that of a running judge without what else the machine does. */
export function judgeAll(cases: readonly GradingCase[], clock: () => number): readonly Verdict[] {
  let verdicts = cases.map((row) => judge(row, clock));
  for (let pass = 1; pass < PASSES; pass++) {
    verdicts = verdicts.map((verdict) => ({ ...verdict, milliseconds: Math.min(verdict.milliseconds, judge(verdict, clock).milliseconds) }));
  }
  return verdicts;
}

function answerOf(text: string, bare: boolean): { readonly answer: string; readonly rule: ExtractionRule | null } | null {
  return bare ? { answer: text, rule: null } : extractAnswer(text, EXTRACTION_RULES);
}

export const isWrong = ({ same, equal, disputed }: Verdict): boolean => !disputed && same !== equal;

/** Accuracy, errors by kind, deciding policies and times of a list of verdicts. */
export function gradingReport(verdicts: readonly Verdict[]): GradingReport {
  const scored = verdicts.filter(({ disputed }) => !disputed);
  const positives = scored.filter(({ equal }) => equal).length;
  const { falsePositives, falseNegatives } = errorsOf(scored);
  const kinds = [...new Set(scored.map(({ kind }) => kind))].map((kind) => {
    const rows = scored.filter((row) => row.kind === kind);
    return { kind, scored: rows.length, ...errorsOf(rows) };
  });
  const policies: Partial<Record<PolicyName, number>> = {};
  for (const name of verdicts.flatMap((verdict) => verdict.policies)) policies[name] = (policies[name] ?? 0) + 1;
  const times = verdicts.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  const quantile = (share: number): number => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0;
  return {
    pairs: verdicts.length,
    scored: scored.length,
    accuracy: scored.length === 0 ? null : (scored.length - falsePositives - falseNegatives) / scored.length,
    recall: positives === 0 ? null : (positives - falseNegatives) / positives,
    falsePositives,
    falseNegatives,
    kinds,
    policies,
    milliseconds: { mean: mean(times), p50: quantile(0.5), p99: quantile(0.99), max: times.at(-1) ?? 0 },
  };
}

function errorsOf(rows: readonly Verdict[]): { readonly falsePositives: number; readonly falseNegatives: number } {
  const wrong = rows.filter(isWrong);
  const falsePositives = wrong.filter(({ same }) => same).length;
  return { falsePositives, falseNegatives: wrong.length - falsePositives };
}
