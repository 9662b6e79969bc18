import { z } from "zod";
import type { StepMetrics, VotesLine } from "../run/index.ts";
import type { EvaluationPoint, StepColumn } from "./protocol.ts";

// Steps and votes are by far the most of the lines, and are checked by hand: a schema takes longer than JSON.parse.
const evaluationSchema = z.object({
  kind: z.enum(["evaluation", "validation"]),
  step: z.int().nonnegative(),
  passAt1: z.number(),
  standardError: z.number(),
  majAtK: z.number(),
  majStandardError: z.number(),
  k: z.int(),
  problems: z.int(),
  abstentionRate: z.number(),
});

/** A line of metrics.jsonl as an evaluation; `null` where it is none. */
export function asEvaluation(value: unknown): EvaluationPoint | null {
  return evaluationSchema.safeParse(value).data ?? null;
}

/** Adds an evaluation to those of a run. Of two of a step the later counts. They are kept by step: a run that goes back may evaluate an earlier one last. */
export function addEvaluation(evaluations: EvaluationPoint[], point: EvaluationPoint): void {
  const earlier = evaluations.findIndex(({ kind, step }) => kind === point.kind && step === point.step);
  if (earlier >= 0) evaluations.splice(earlier, 1);
  evaluations.push(point);
  evaluations.sort((first, second) => first.step - second.step);
}

/** A line of metrics.jsonl as a step; `null` where it is none, or what the alarm needs is missing. All other figures may be. */
export function asStep(value: unknown): StepMetrics | null {
  const line = value as Readonly<Record<string, unknown>> | null;
  if (typeof line !== "object" || line?.["kind"] !== "step" || !isStepNumber(line["step"])) return null;
  const { kl, meanLength, abstentionRate, timing } = line;
  const whole = typeof kl === "number" && typeof meanLength === "number" && typeof abstentionRate === "number" && typeof timing === "object" && timing !== null;
  return whole ? (value as StepMetrics) : null;
}

/** A figure of a step, whatever it is; the signs of collapse are not among them. */
export function figureOf(metrics: StepMetrics, column: StepColumn): unknown {
  const [figures, timing] = [metrics, metrics.timing] as unknown as readonly Readonly<Record<string, unknown>>[];
  return figures![column] ?? timing![column];
}

/** A line of votes.jsonl; `null` where it is none. */
export function asVotes(value: unknown): VotesLine | null {
  const line = value as Readonly<Record<string, unknown>> | null;
  if (typeof line !== "object" || line?.["kind"] !== "votes" || !isStepNumber(line["step"])) return null;
  return isList(line["votes"], isVote) && isList(line["start"], isVote) && isProbe(line["probe"]) ? (value as VotesLine) : null;
}

const isStepNumber = (value: unknown): boolean => Number.isInteger(value) && (value as number) > 0;
const isList = (value: unknown, isItem: (item: unknown) => boolean): boolean => Array.isArray(value) && value.every(isItem);

/** What a probe found, or nothing where a step has none. */
function isProbe(probe: unknown): boolean {
  if (probe === undefined) return true;
  const { samples, problems } = (probe ?? {}) as Readonly<Record<string, unknown>>;
  return typeof samples === "number" && isList(problems, (item) => Array.isArray(item) && typeof item[0] === "string" && typeof item[1] === "number");
}

function isVote(item: unknown): boolean {
  if (!Array.isArray(item) || item.length < 3) return false;
  const [id, answer, share, taught] = item as readonly unknown[];
  return typeof id === "string" && (answer === null || typeof answer === "string") && typeof share === "number" && (taught === undefined || typeof taught === "boolean");
}
