import type { Grader } from "../types.ts";
import { classesOf } from "./classes.ts";
import { reconcile } from "./compare.ts";
import { extractAnswer, STRICT_RULES } from "./extract.ts";
import type { ExtractionRule } from "./extract.ts";
import type { PolicyName } from "./policies.ts";
import { createReader } from "./structure.ts";
import type { ReadAnswer } from "./structure.ts";

export interface Comparison {
  readonly same: boolean;
  /** The policies that made the answers equal; empty when they are equal without, or different. */
  readonly policies: readonly PolicyName[];
}

/** Compares a prediction with the gold answer, and says which policies decided. Symmetric. */
export function compareAnswers(gold: string, prediction: string): Comparison {
  return compareWith(createReader(), gold, prediction);
}

/** Whether a prediction equals the gold answer. What can't be decided is not equal. */
export function sameAnswer(gold: string, prediction: string): boolean {
  return compareAnswers(gold, prediction).same;
}

/** Class number of each answer, numbered from 0 in order of first appearance; see `classesOf`. */
export function answerClasses(answers: readonly string[]): readonly number[] {
  return classesOf(answers, createReader());
}

/** Reads final answers by the rules (default: boxed only) and compares them. It remembers the answers of late. */
export function createGrader({ rules = STRICT_RULES }: { readonly rules?: readonly ExtractionRule[] } = {}): Grader {
  const read = createReader();
  return {
    extract: (text) => extractAnswer(text, rules)?.answer ?? null,
    classes: (answers) => classesOf(answers, read),
    same: (gold, prediction) => compareWith(read, gold, prediction).same,
  };
}

function compareWith(read: ReadAnswer, gold: string, prediction: string): Comparison {
  const [left, right] = [read(gold), read(prediction)];
  const decisions = left && right && reconcile(left, right);
  return { same: decisions !== null, policies: [...new Set(decisions?.map(({ policy }) => policy))] };
}
