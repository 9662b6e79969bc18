import { UsageError } from "../errors.ts";
import type { LabelledProblem } from "../types.ts";
import { createRandom, deriveSeed } from "../util/random.ts";
import { taskFamilies } from "./families.ts";
import type { TaskFamily } from "./family.ts";

export type Split = "train" | "held-out";

export interface TaskOptions {
  readonly split: Split;
  /** How many different problems to draw. */
  readonly problems: number;
  readonly seed: number;
}

/** The prefix of a task among the other names of data. */
const PREFIX = "task:";
/** One prompt in this many is held out. */
const HELD_OUT_ONE_IN = 8;
/** Share of the problems that are in a split. */
const SHARES: Readonly<Record<Split, number>> = { train: 1 - 1 / HELD_OUT_ONE_IN, "held-out": 1 / HELD_OUT_ONE_IN };
/** One missing problem among n equally likely ones stays undrawn in this many times n draws once in e to that power. */
const PATIENCE = 12;

/**
 * The split that a prompt belongs to for ever, by a hash of its text: whatever the levels, seeds and sizes,
 * no problem is ever both trained on and held out.
 */
export function splitOf(prompt: string): Split {
  return (deriveSeed(0, "split", prompt) >>> 0) % HELD_OUT_ONE_IN === 0 ? "held-out" : "train";
}

/**
 * Different problems of a task, `[problem]`, the same for the same spec, split and seed. A spec is
 * `task:FAMILY/LEVEL` or `task:FAMILY/LOWEST-HIGHEST`, whose levels are drawn uniformly; the prefix may be
 * left out. The id of a problem is its family and prompt. Throws UsageError when the spec is unknown or the
 * split has fewer problems.
 */
export function loadTask(spec: string, { split, problems, seed }: TaskOptions): readonly LabelledProblem[] {
  const name = spec.startsWith(PREFIX) ? spec.slice(PREFIX.length) : spec;
  const { family, lowest, highest } = parseTask(name);
  const random = createRandom(deriveSeed(seed, "task", name, split));
  const template = family.template === undefined ? {} : { template: family.template };
  const drawn = new Map<string, LabelledProblem>();
  for (let fruitless = 0; drawn.size < problems && fruitless < (PATIENCE * (drawn.size + HELD_OUT_ONE_IN)) / SHARES[split]; fruitless++) {
    const level = lowest + random.integer(highest - lowest + 1);
    const { prompt, answer } = family.generate(level, random);
    const id = `${family.name}:${prompt}`;
    if (drawn.has(id) || splitOf(prompt) !== split) continue;
    drawn.set(id, { id, prompt, answer, source: PREFIX + name, ...template });
    fruitless = 0;
  }
  if (drawn.size < problems) {
    throw new UsageError(`${PREFIX}${name} has only ${drawn.size} different ${split} problems, not ${problems}; ask for fewer or take a higher level`);
  }
  return [...drawn.values()];
}

function parseTask(name: string): { family: TaskFamily; lowest: number; highest: number } {
  const [, familyName, first, last = first] = /^([^/]*)\/(\d+)(?:-(\d+))?$/.exec(name) ?? [];
  const family = taskFamilies.get(familyName ?? "");
  const lowest = Number(first);
  const highest = Number(last);
  if (!family || lowest > highest || lowest < family.lowestLevel || highest > family.highestLevel) {
    const known = [...taskFamilies.values()].map((each) => `${each.name}/${each.lowestLevel} to ${each.name}/${each.highestLevel}`);
    throw new UsageError(`unknown task \`${PREFIX}${name}\`; there are ${known.join(", ")}, and ranges of levels such as chain/4-8`);
  }
  return { family, lowest, highest };
}
