import { createRandom, deriveSeed, shuffled } from "../util/random.ts";

/**
 * The items that training step `step` (from 1) takes, `[perStep]`. Every epoch has a random order of its
 * own and gives each item at most once; what is left at its end and would not fill a step sits that epoch
 * out. A pure function of its arguments: a resumed run needs no data position but its step number.
 * Throws RangeError when a step takes more items than there are.
 */
export function problemsOfStep<T>(items: readonly T[], step: number, perStep: number, seed: number): readonly T[] {
  const stepsPerEpoch = Math.floor(items.length / perStep);
  if (stepsPerEpoch === 0) throw new RangeError(`a step takes ${perStep} problems, but there are only ${items.length}`);
  const epoch = Math.floor((step - 1) / stepsPerEpoch);
  const start = ((step - 1) % stepsPerEpoch) * perStep;
  return shuffled(items, createRandom(deriveSeed(seed, "data order", epoch))).slice(start, start + perStep);
}
