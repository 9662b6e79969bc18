import { PAPER_TEMPLATE } from "../options.ts";
import type { Random } from "../util/random.ts";
import type { TaskFamily } from "./family.ts";

/** Small tasks in English, for pretrained models. Answers are whole numbers. */

const OPERATIONS = {
  plus: (left: number, right: number) => left + right,
  minus: (left: number, right: number) => left - right,
  times: (left: number, right: number) => left * right,
} as const;
const OPERATORS = ["plus", "minus", "times"] as const;

/** `What is 17 plus 25?`; the level is the number of digits of both. No difference is negative. */
export const arithmetic: TaskFamily = {
  name: "arithmetic",
  lowestLevel: 1,
  highestLevel: 6,
  generate: (level, random) => {
    const operator = OPERATORS[random.integer(OPERATORS.length)]!;
    const [first, second] = [ofDigits(level, random), ofDigits(level, random)];
    const [left, right] = operator === "minus" && first < second ? [second, first] : [first, second];
    return { prompt: `What is ${left} ${operator} ${right}?`, answer: String(OPERATIONS[operator](left, right)) };
  },
};

/** `Which number is larger, 31 or 87?`, or smaller; the level is the number of digits of both. */
export const compare: TaskFamily = {
  name: "compare",
  lowestLevel: 1,
  highestLevel: 6,
  generate: (level, random) => {
    const first = ofDigits(level, random);
    let second = first;
    while (second === first) second = ofDigits(level, random);
    const larger = random.integer(2) === 0;
    return { prompt: `Which number is ${larger ? "larger" : "smaller"}, ${first} or ${second}?`, answer: String((larger ? Math.max : Math.min)(first, second)) };
  },
};

const LETTERS = "abcd";

/** `How many times does the letter b occur in "a b c b"?`; the level is the number of letters. */
export const count: TaskFamily = {
  name: "count",
  lowestLevel: 3,
  highestLevel: 12,
  generate: (level, random) => {
    const draw = (): string => LETTERS[random.integer(LETTERS.length)]!;
    const wanted = draw();
    const letters = Array.from({ length: level }, draw);
    return {
      prompt: `How many times does the letter ${wanted} occur in "${letters.join(" ")}"?`,
      answer: String(letters.filter((letter) => letter === wanted).length),
    };
  },
};

/** `31, 32, 33`, asked for the next number; the level is the distance of neighbours. All numbers have two digits. */
export const sequence: TaskFamily = {
  name: "sequence",
  lowestLevel: 1,
  highestLevel: 9,
  template: `What number comes next: ${PAPER_TEMPLATE.replace("{problem}", "{problem}?")}`,
  generate: (level, random) => {
    const first = 10 + random.integer(90 - 3 * level);
    return { prompt: [0, 1, 2].map((index) => first + index * level).join(", "), answer: String(first + 3 * level) };
  },
};

/** Uniform among the whole numbers of so many digits; 0 has one. */
function ofDigits(digits: number, random: Random): number {
  const lowest = digits === 1 ? 0 : 10 ** (digits - 1);
  return lowest + random.integer(10 ** digits - lowest);
}
