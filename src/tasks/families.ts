import { chainFamily } from "./chain-family.ts";
import type { ChainFamily } from "./chain-family.ts";
import type { TaskFamily } from "./family.ts";
import { knights } from "./knights.ts";
import { arithmetic, compare, count, sequence } from "./words.ts";

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

const byName = <Family extends TaskFamily>(families: readonly Family[]): ReadonlyMap<string, Family> => new Map(families.map((family) => [family.name, family]));

/** The families that the built-in model is made for, by name. */
export const chainFamilies: ReadonlyMap<string, ChainFamily> = byName([chain, bits]);

/** Every task family by its name; those in words are for models of English. */
export const taskFamilies: ReadonlyMap<string, TaskFamily> = byName<TaskFamily>([chain, bits, arithmetic, compare, count, sequence, knights]);
