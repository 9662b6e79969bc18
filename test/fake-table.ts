import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { CheckpointError } from "../src/errors.ts";
import type { WeightsName } from "../src/policy.ts";
import { deriveSeed } from "../src/util/random.ts";
import type { Random } from "../src/util/random.ts";

/** What the fake policy computes with: a table of logits and one of values, and the file that keeps them. */

/** Token 0 ends a completion, 1 to 10 are the digits 0 to 9, the others only occur in prompts. */
export const END_TOKEN = 0;
export const FIRST_PROMPT_TOKEN = 11;
export const VOCABULARY = 16;
/** Rows of the table: prompts with the same hash share one. */
const CONTEXTS = 8;
/** Positions with a row of their own; later ones share the last. */
const POSITIONS = 3;
export const LOGITS = CONTEXTS * POSITIONS * VOCABULARY;
/** The logits, then the critic's value of each row, zero at the start. */
export const PARAMETERS = LOGITS + CONTEXTS * POSITIONS;

/** The tables by name, and AdamW's moments. */
export interface State {
  readonly weights: Map<WeightsName, Float64Array>;
  readonly first: Float64Array;
  readonly second: Float64Array;
  readonly updates: number;
}

/** One digit of each prompt's row leads; the first token is mostly a digit, and the later ones mostly end. */
export function initialTable(random: Random): Float64Array {
  return Float64Array.from({ length: PARAMETERS }, (_, index) => {
    if (index >= LOGITS) return 0;
    const token = index % VOCABULARY;
    const position = Math.floor(index / VOCABULARY) % POSITIONS;
    const context = Math.floor(index / VOCABULARY / POSITIONS);
    const noise = 0.3 * random.normal();
    if (token === END_TOKEN) return noise + (position === 0 ? -1 : 3);
    if (token >= FIRST_PROMPT_TOKEN) return noise - 3;
    return noise + (token === 1 + context ? 1.5 : 0);
  });
}

/** Start of the row that gives the next token at a position of a prompt's completion. */
export function rowStart(prompt: readonly number[], position: number): number {
  const context = (deriveSeed(0, ...prompt) >>> 0) % CONTEXTS;
  return (context * POSITIONS + Math.min(position, POSITIONS - 1)) * VOCABULARY;
}

/** Place of the value of the state before the token at a position. */
export function valuePlace(prompt: readonly number[], position: number): number {
  return LOGITS + rowStart(prompt, position) / VOCABULARY;
}

export function logSoftmax(weights: Float64Array, start: number): Float64Array {
  const logits = weights.subarray(start, start + VOCABULARY);
  const largest = Math.max(...logits);
  const logSum = largest + Math.log(logits.reduce((total, logit) => total + Math.exp(logit - largest), 0));
  return logits.map((logit) => logit - logSum);
}

const STATE_FILE = "state.json";
const numbers = z.array(z.number()).length(PARAMETERS);
const stateSchema = z.strictObject({
  model: z.string(),
  weights: z.record(z.string(), numbers),
  first: numbers,
  second: numbers,
  updates: z.int().nonnegative(),
});

export function writeState(directory: string, model: string, { weights, first, second, updates }: State): void {
  const named = Object.fromEntries([...weights].map(([name, values]) => [name, [...values]]));
  const file: z.input<typeof stateSchema> = { model, weights: named, first: [...first], second: [...second], updates };
  writeFileSync(join(directory, STATE_FILE), JSON.stringify(file));
}

/** Throws CheckpointError. */
export function readState(directory: string, model: string): State {
  const path = join(directory, STATE_FILE);
  try {
    const file = stateSchema.parse(JSON.parse(readFileSync(path, "utf8")));
    if (file.model !== model) throw new Error(`it is of the model ${file.model}, not of ${model}`);
    return {
      weights: new Map(Object.entries(file.weights).map(([name, values]) => [name, Float64Array.from(values)])),
      first: Float64Array.from(file.first),
      second: Float64Array.from(file.second),
      updates: file.updates,
    };
  } catch (error) {
    throw new CheckpointError(`${path} is not a state of this policy: ${(error as Error).message}`, { cause: error });
  }
}
