import type { Arithmetic } from "./expression.ts";
import { unitHash } from "./hash.ts";

/** Residues of one value, one for each prime. */
export type Residues = readonly [number, number, number, number];

/**
 * Four primes just below 2^26 with p = 1 (mod 4): products stay below 2^53, and each has a square root of
 * -1, which stands for the imaginary unit.
 */
const PRIMES: Residues = [67_108_837, 67_108_777, 67_108_757, 67_108_753];
const IMAGINARY: Residues = [55_262_216, 48_722_652, 2_509_185, 60_589_810];

/**
 * Arithmetic modulo four primes with the variables at fixed, seemingly random points. Two rational functions
 * of moderate degree that differ agree here with probability about 2^-100 (Schwartz 1980), and nothing
 * overflows or is absorbed: (1 + x)^1000 and (1 + x)^1000 + 1 differ. Roots and functions are unknown.
 */
export const RESIDUES: Arithmetic<Residues> = {
  number: ({ top, bottom }) => {
    const tops = lanes((lane) => reduce(top, lane));
    return bottom === 1n ? tops : divide(tops, lanes((lane) => reduce(bottom, lane)));
  },
  variable: (name) => lanes((lane) => 2 + Math.floor(unitHash(name, lane) * 67_000_000)),
  // No polynomial equation holds between pi and e as far as anyone knows, so they are like variables.
  constant: (name) => (name === "i" ? IMAGINARY : lanes((lane) => 2 + Math.floor(unitHash(`\u0000${name}`, lane) * 67_000_000))),
  add: (a, b) => lanes((lane) => (a[lane]! + b[lane]!) % PRIMES[lane]!),
  multiply: (a, b) => lanes((lane) => (a[lane]! * b[lane]!) % PRIMES[lane]!),
  divide,
  power: (base, _exponent, exact) => {
    if (exact?.bottom !== 1n) return null;
    if (base.includes(0)) return exact.top > 0n && base.every((residue) => residue === 0) ? base : null;
    return lanes((lane) => modularPower(base[lane]!, Number(exact.top % BigInt(PRIMES[lane]! - 1)), lane));
  },
  call: () => null,
};

export const sameResidues = (a: Residues, b: Residues): boolean => a.every((residue, lane) => residue === b[lane]);

function lanes(of: (lane: number) => number): Residues {
  return [of(0), of(1), of(2), of(3)];
}

function reduce(value: bigint, lane: number): number {
  const prime = PRIMES[lane]!;
  const small = Number(value);
  const residue = Number.isSafeInteger(small) ? small % prime : Number(value % BigInt(prime));
  return residue < 0 ? residue + prime : residue;
}

function divide(a: Residues, b: Residues): Residues | null {
  if (b.includes(0)) return null;
  return lanes((lane) => (a[lane]! * modularPower(b[lane]!, PRIMES[lane]! - 2, lane)) % PRIMES[lane]!);
}

/** base ^ exponent by squaring; a negative exponent counts from the order of the group (Fermat). */
function modularPower(base: number, exponent: number, lane: number): number {
  const prime = PRIMES[lane]!;
  let [result, square] = [1, base];
  for (let left = exponent < 0 ? exponent + prime - 1 : exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = (result * square) % prime;
    square = (square * square) % prime;
  }
  return result;
}
