import { chainFamily } from "./family.ts";
import type { TaskFamily } from "./family.ts";

/** Digits joined by `+ - *`, done strictly from left to right modulo 10: `9-6+3-7*4=` is 6. */
const chain = chainFamily({
  name: "chain",
  lowestLevel: 3,
  highestLevel: 8,
  values: 10,
  operators: {
    "+": (left, right) => left + right,
    "-": (left, right) => left - right,
    "*": (left, right) => left * right,
  },
  write: (value) => String(value),
});

/** Words of 4 bits joined by `& | ^`, done strictly from left to right: `1011^0110&1101=` is 1101. */
const bits = chainFamily({
  name: "bits",
  lowestLevel: 2,
  highestLevel: 6,
  values: 16,
  operators: {
    "&": (left, right) => left & right,
    "|": (left, right) => left | right,
    "^": (left, right) => left ^ right,
  },
  write: (value) => value.toString(2).padStart(4, "0"),
});

/** Every task family by its name. */
export const taskFamilies: ReadonlyMap<string, TaskFamily> = new Map([chain, bits].map((family) => [family.name, family]));
