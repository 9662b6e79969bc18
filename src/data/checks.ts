import { DataError } from "../errors.ts";
import type { Problem } from "../types.ts";

/**
 * Refuses problems of one purpose that serve another as well, such as held-out problems that are trained on: their
 * scores would say nothing. Throws DataError with the first such id.
 */
export function assertDisjoint(others: readonly Problem[], problems: readonly Problem[], purpose = "held-out", otherPurpose = "training"): void {
  const ids = new Map(others.map((problem) => [problem.id, problem]));
  for (const { id, source } of problems) {
    const other = ids.get(id);
    if (other !== undefined) {
      throw new DataError(`the ${purpose} problem \`${id}\` of ${source} is also a ${otherPurpose} problem (${other.source}); remove it from one of them.`);
    }
  }
}

/** Refuses two problems with one id, which several sources together may have. Throws DataError with the first such id. */
export function assertDistinct(problems: readonly Problem[]): void {
  const sources = new Map<string, string>();
  for (const { id, source } of problems) {
    const earlier = sources.get(id);
    if (earlier !== undefined) throw new DataError(`the id \`${id}\` occurs in ${earlier} and in ${source}; ids must be distinct over all sources of \`train\`.`);
    sources.set(id, source);
  }
}

/** Refuses an id that stands for different questions in two stages, which may share questions. Throws DataError with the first such id. */
export function assertSameQuestions(problems: readonly Problem[]): void {
  const known = new Map<string, Problem>();
  for (const problem of problems) {
    const earlier = known.get(problem.id);
    if (earlier !== undefined && earlier.prompt !== problem.prompt) {
      throw new DataError(`the id \`${problem.id}\` stands for one question in ${earlier.source} and for another in ${problem.source}; stages may share questions, but an id must name one.`);
    }
    known.set(problem.id, problem);
  }
}

/**
 * A sentence about questions that repeat the text of another, or `null` when there are none. `kind` says of
 * what kind they are. They may differ in what text doesn't show, so they are kept.
 */
export function describeRepeats(problems: readonly Problem[], kind: "training" | "held-out" | "validation"): string | null {
  const first = new Map<string, string>();
  const repeats = problems.filter(({ id, prompt }) => first.has(prompt) || !first.set(prompt, id));
  if (repeats.length === 0) return null;
  return `${repeats.length} of ${problems.length} ${kind} questions repeat the text of another (${exampleOf(repeats[0]!, first)}).`;
}

/** A sentence about held-out questions with the text of a training question, or `null` when there are none. */
export function describeShared(training: readonly Problem[], heldOut: readonly Problem[]): string | null {
  const trained = new Map(training.map(({ id, prompt }) => [prompt, id]));
  const shared = heldOut.filter(({ prompt }) => trained.has(prompt));
  if (shared.length === 0) return null;
  return `${shared.length} of ${heldOut.length} held-out questions have the text of a training question (${exampleOf(shared[0]!, trained)}), so their scores say little.`;
}

function exampleOf({ id, prompt }: Problem, idOf: ReadonlyMap<string, string>): string {
  return `the first is \`${id}\`, which repeats \`${idOf.get(prompt)!}\``;
}
