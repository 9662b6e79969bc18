import { createRandom, deriveSeed, shuffled } from "../util/random.ts";

/** What questions are ordered by: the share of the majority, the share of right samples, or chance (the control). */
export const SELECTION_CRITERIA = ["majority-share", "pass-rate", "random"] as const;
export type SelectionCriterion = (typeof SELECTION_CRITERIA)[number];

/**
 * The items with the largest scores, largest first, on equal scores those whose ids come first, so that the
 * selection depends on nothing but scores and ids.
 */
export function selectLargest<T extends { readonly id: string }>(items: readonly T[], count: number, scoreOf: (item: T) => number): readonly T[] {
  const scored = items.map((item) => ({ item, score: scoreOf(item) }));
  return scored.sort((a, b) => b.score - a.score || compare(a.item.id, b.item.id)).slice(0, count).map(({ item }) => item);
}

/** Items drawn without replacement; the same for the same ids and seed, in whatever order they stand. */
export function selectRandom<T extends { readonly id: string }>(items: readonly T[], count: number, seed: number): readonly T[] {
  const ordered = [...items].sort((a, b) => compare(a.id, b.id));
  return shuffled(ordered, createRandom(deriveSeed(seed, "selection"))).slice(0, count);
}

/** By code units: the same in every locale. */
function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
