import type { Answer } from "./answer.ts";
import type { ReadAnswer } from "./structure.ts";
import { clearer, identical, reconcileDistinct } from "./compare.ts";

/** Lists with more different answers than this are compared by identity only: the rest grows with the square. */
const MAX_RECONCILED = 32;

/**
 * Class number of each answer, numbered from 0 in order of first appearance. Identical answers share a
 * class. Answers that are equal by a policy join only where the side that the policy leaves open could go to
 * one class alone: 0.3333 joins 1/3, but 50% joins neither 50 nor 0.5 when both are there. The partition
 * doesn't depend on the order of the list.
 */
export function classesOf(answers: readonly string[], read: ReadAnswer): readonly number[] {
  const numberOf = new Map<string, number>();
  const kinds: Answer[] = [];
  for (const answer of answers) {
    if (numberOf.has(answer)) continue;
    const parsed = read(answer) ?? { kind: "text", key: `'${answer}`, letters: null };
    const known = kinds.findIndex((kind) => identical(kind, parsed));
    numberOf.set(answer, known < 0 ? kinds.push(parsed) - 1 : known);
    // The clearest member speaks for a class, so that the order of the list doesn't matter.
    if (known >= 0) kinds[known] = clearer(kinds[known]!, parsed);
  }
  const merged = kinds.length > 1 && kinds.length <= MAX_RECONCILED ? mergeOpen(kinds) : kinds.map((_, index) => index);
  const renumbered = new Map<number, number>();
  return answers.map((answer) => {
    const root = merged[numberOf.get(answer)!]!;
    const number = renumbered.get(root) ?? renumbered.size;
    renumbered.set(root, number);
    return number;
  });
}

/** Joins classes by policy until nothing changes; the root of each. Joining only ever allows more, so the end is one. */
function mergeOpen(kinds: readonly Answer[]): number[] {
  const root = kinds.map((_, index) => index);
  const choices: { readonly open: number; readonly others: number[] }[] = kinds.map((_, open) => ({ open, others: [] }));
  kinds.forEach((left, a) => {
    for (let b = a + 1; b < kinds.length; b++) {
      for (const { open } of reconcileDistinct(left, kinds[b]!) ?? []) choices[open === "left" ? a : b]!.others.push(open === "left" ? b : a);
    }
  });
  for (let changed = true; changed; ) {
    changed = false;
    for (const { open, others } of choices) {
      const roots = new Set(others.map((other) => root[other]!));
      const [target] = roots;
      if (roots.size !== 1 || target === root[open]) continue;
      const from = root[open];
      root.forEach((value, index) => {
        if (value === from) root[index] = target!;
      });
      changed = true;
    }
  }
  return root;
}
