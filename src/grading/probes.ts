import { addComplex, complex, divideComplex, modulus, multiplyComplex, powerComplex, real } from "./complex.ts";
import type { Complex } from "./complex.ts";
import { evaluate, visit } from "./expression.ts";
import type { Arithmetic, Expression } from "./expression.ts";
import { callComplex } from "./functions.ts";
import { unitHash } from "./hash.ts";
import { toNumber } from "./rational.ts";

/** Values of a formula at the probe points, `[point]`; `null` where it is unknown. */
export type Probes = readonly (Complex | null)[];

/** Points 0 and 1 are positive and small, 2 is natural, 3-5 have either sign, 6 is wide. */
const POINTS = 7;
/** Floors and ceilings differ in narrow gaps only, which take more points to meet: natural and real ones in turn. */
const STEPPED_POINTS = 128;
const STEPPED = new Set(["floor", "ceil"]);
const MAX_SEPARATION = 1e-6;

/**
 * Values of a formula at real points fixed by the names of its variables, so that two formulas can be probed
 * apart from each other. Positive points keep roots and logarithms real; signed ones tell |x| from x; the
 * natural one tells ceilings from floors, the wide one the floor of x/2 from 0. A formula without variables has one point.
 */
export function probe(expression: Expression, hasVariables: boolean): Probes {
  const points = !hasVariables ? 1 : isStepped(expression) ? STEPPED_POINTS : POINTS;
  return Array.from({ length: points }, (_, point) => evaluate(expression, at(point)));
}

function isStepped(expression: Expression): boolean {
  let stepped = false;
  visit(expression, (node) => {
    stepped ||= node.kind === "call" && STEPPED.has(node.name);
  });
  return stepped;
}

const CONSTANTS = { pi: real(Math.PI), e: real(Math.E), i: complex(0, 1, 0) } as const;

const at = (point: number): Arithmetic<Complex> => ({
  number: (value) => {
    const double = toNumber(value);
    return double === null ? null : real(double);
  },
  variable: (name) => real(coordinate(name, point)),
  constant: (name) => CONSTANTS[name],
  add: addComplex,
  multiply: multiplyComplex,
  divide: divideComplex,
  power: (base, exponent, exact) => {
    if (exponent === null) return null;
    const odd = exact === null ? null : exact.bottom === 1n ? "integer" : exact.bottom % 2n === 1n ? "odd" : null;
    return powerComplex(base, exponent, odd, exact !== null && exact.top % 2n === 0n);
  },
  call: callComplex,
});

function coordinate(name: string, point: number): number {
  if (point >= POINTS) {
    const spread = unitHash(name, 100 + point);
    return point % 2 === 0 ? Math.floor(40 * spread) : 24 * spread - 8;
  }
  const spread = unitHash(name, 10 + point);
  if (point < 2) return 0.35 + 2.2 * spread;
  if (point === 2) return 2 + Math.floor(8 * spread);
  const flip = point === 3 ? 1 : point === 4 ? -1 : unitHash(name, 30 + point) < 0.5 ? 1 : -1;
  const sign = (unitHash(name, 40) < 0.5 ? -1 : 1) * flip;
  return sign * (point === 6 ? 9 + 20 * spread : 0.4 + 3.5 * spread);
}

/** Whether two values agree as closely as doubles can say; `null` when their errors are too large to tell. */
export function agree(a: Complex, b: Complex): boolean | null {
  const scale = Math.max(modulus(a), modulus(b));
  const tolerance = 1e-11 * scale + 16 * (a.error + b.error);
  const gap = Math.hypot(a.re - b.re, a.im - b.im);
  if (gap > tolerance) return false;
  return tolerance <= MAX_SEPARATION * scale || tolerance <= 1e-12 ? true : null;
}

/** At which points two formulas must agree: all, all but those where neither is real, or those where both are. */
type Domain = "complex" | "either" | "common";

/** Whether two formulas have the same values on a domain: no known pair differs, and enough pairs agree. */
export function sameProbes(a: Probes, b: Probes, domain: Domain): boolean {
  const needed = a.length === 1 && b.length === 1 ? 1 : 3;
  let agreed = 0;
  for (let point = 0; point < Math.max(a.length, b.length); point++) {
    const [left, right] = [a[a.length === 1 ? 0 : point], b[b.length === 1 ? 0 : point]];
    if (!left || !right) continue;
    const verdict = agree(left, right);
    const outside = domain === "common" ? left.im !== 0 || right.im !== 0 : left.im !== 0 && right.im !== 0;
    if (verdict === true) agreed += 1;
    else if (verdict === false && (domain === "complex" || needed === 1 || !outside)) return false;
  }
  return agreed >= needed;
}

/**
 * The constant c with a = c b at every known point, or `null`: then a = 0 and b = 0 are different equations.
 * Where b is constant itself, as in x = x + 1, a ratio would say nothing.
 */
export function commonRatio(a: Probes, b: Probes): number | null {
  const ratios: Complex[] = [];
  for (let point = 0; point < Math.min(a.length, b.length); point++) {
    const [left, right] = [a[point], b[point]];
    const value = left && right && divideComplex(left, right);
    if (value) ratios.push(value);
  }
  const [first] = ratios;
  const known = b.flatMap((value) => (value ? [value] : []));
  if (known.every((value) => agree(known[0]!, value) === true)) return null;
  if (!first || ratios.length < 4 || first.im !== 0) return null;
  return ratios.every((value) => agree(first, value) === true) ? first.re : null;
}
