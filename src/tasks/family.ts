import type { Random } from "../util/random.ts";

/** A generated question with its exact answer. */
export interface GeneratedProblem {
  readonly prompt: string;
  readonly answer: string;
}

/** A family of generated problems, harder with every level. */
export interface TaskFamily {
  readonly name: string;
  readonly lowestLevel: number;
  readonly highestLevel: number;
  /** Prompt made from a question where the config names no template; when absent, the paper's. */
  readonly template?: string;
  /** A problem drawn from a level, each of them with some probability. */
  readonly generate: (level: number, random: Random) => GeneratedProblem;
}
