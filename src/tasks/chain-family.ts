import type { Random } from "../util/random.ts";
import type { TaskFamily } from "./family.ts";

/** A family whose solutions can be worked out step by step, as text to pretrain on. Its level is the number of operands. */
export interface ChainFamily extends TaskFamily {
  /**
   * The worked solution of a prompt: every intermediate value, then the last one in `\boxed{}`. With
   * probability `slipRate` a step is replaced by a uniformly wrong value; the steps after it go on from
   * there. Throws RangeError for a prompt of another family.
   */
  readonly workedSolution: (prompt: string, random: Random, slipRate: number) => string;
}

/** The arithmetic of a family whose problems are chains of operations done from left to right. */
export interface ChainArithmetic {
  readonly name: string;
  readonly lowestLevel: number;
  readonly highestLevel: number;
  /** Operands and results are the integers in [0, values). */
  readonly values: number;
  /** Operators by their sign, one character each. Results are reduced modulo `values`. */
  readonly operators: Readonly<Record<string, (left: number, right: number) => number>>;
  /** Writes a value. All values are equally long. */
  readonly write: (value: number) => string;
}

/**
 * The family of one arithmetic. A prompt is `operand operator operand ... =` without spaces, and its
 * worked solution the running values separated by `;`, e.g. `3;6;9;6;\boxed{6}` for `9-6+3-7*4=`.
 */
export function chainFamily(arithmetic: ChainArithmetic): ChainFamily {
  const { name, lowestLevel, highestLevel, values, operators, write } = arithmetic;
  const signs = Object.keys(operators);
  const runningValues = chainReader(arithmetic);
  return {
    name,
    lowestLevel,
    highestLevel,
    // The built-in model knows no words.
    template: "{problem}",
    generate: (level, random) => {
      let prompt = write(random.integer(values));
      for (let operand = 1; operand < level; operand++) {
        prompt += signs[random.integer(signs.length)]! + write(random.integer(values));
      }
      prompt += "=";
      return { prompt, answer: write(runningValues(prompt, (value) => value).at(-1)!) };
    },
    workedSolution: (prompt, random, slipRate) => {
      const slip = (value: number) => (random.uniform() < slipRate ? (value + 1 + random.integer(values - 1)) % values : value);
      const steps = runningValues(prompt, slip).map(write);
      return `${steps.join(";")};\\boxed{${steps.at(-1)!}}`;
    },
  };
}

/** Gives the value after each operation of a prompt, `[operation]`; each goes on from what `step` makes of it. */
function chainReader({ name, values, operators, write }: ChainArithmetic) {
  const valueOf = new Map(Array.from({ length: values }, (_, value) => [write(value), value]));
  const width = write(0).length;
  return (prompt: string, step: (value: number) => number): readonly number[] => {
    const refuse = () => new RangeError(`"${prompt}" is not a prompt of the task family ${name}`);
    let running = valueOf.get(prompt.slice(0, width));
    if (running === undefined || !prompt.endsWith("=")) throw refuse();
    const results: number[] = [];
    for (let start = width; start < prompt.length - 1; start += width + 1) {
      const operate = operators[prompt.charAt(start)];
      const operand = valueOf.get(prompt.slice(start + 1, start + 1 + width));
      if (operate === undefined || operand === undefined) throw refuse();
      const result = operate(running, operand) % values;
      running = step(result < 0 ? result + values : result);
      results.push(running);
    }
    if (results.length === 0) throw refuse();
    return results;
  };
}
