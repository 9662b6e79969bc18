import { createRandom, deriveSeed, shuffled } from "../util/random.ts";

/** A part of the training problems that has the steps to itself, from the first step that no stage before it takes. */
export interface Stage {
  /** Problems of the stage: those after the ones of the stages before it. */
  readonly problems: number;
  /** Steps of the stage; `Infinity` for the last. */
  readonly steps: number;
}

/**
 * The items that step `step` (from 1) takes of a training in stages, which follow each other: as `problemsOfStep`
 * of the stage, with its own count of steps. A single stage takes what `problemsOfStep` takes of all items.
 */
export function problemsOfStagedStep<T>(items: readonly T[], stages: readonly Stage[], step: number, perStep: number, seed: number): readonly T[] {
  let [first, before] = [0, 0];
  for (const [index, { problems, steps }] of stages.entries()) {
    if (step <= before + steps) {
      return problemsOfStep(items.slice(first, first + problems), step - before, perStep, index === 0 ? seed : deriveSeed(seed, "stage", index));
    }
    first += problems;
    before += steps;
  }
  throw new RangeError(`step ${step} is after the last of the stages, which take ${before} steps`);
}

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
