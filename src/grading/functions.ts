import { addComplex, complex, divideComplex, exponential, logarithm, modulus, multiplyComplex, real, squareRoot } from "./complex.ts";
import type { Complex } from "./complex.ts";
import { unitHash } from "./hash.ts";

type Unary = (value: Complex) => Complex | null;

const ONE: Complex = { re: 1, im: 0, error: 0 };
const I: Complex = { re: 0, im: 1, error: 0 };
const HALF: Complex = { re: 0.5, im: 0, error: 0 };
const negate = ({ re, im, error }: Complex): Complex => ({ re: -re, im: -im, error });

/** A function of one real argument, given with a bound on its derivative; unknown off the real axis. */
const onReals =
  (of: (x: number) => number, slope: (x: number) => number): Unary =>
  ({ re, im, error }) =>
    im === 0 ? real(of(re), error * slope(re)) : null;

const sine: Unary = ({ re, im, error }) =>
  complex(Math.sin(re) * Math.cosh(im), Math.cos(re) * Math.sinh(im), (error + 1e-16 * Math.abs(re)) * Math.cosh(im));
const cosine: Unary = ({ re, im, error }) =>
  complex(Math.cos(re) * Math.cosh(im), -Math.sin(re) * Math.sinh(im), (error + 1e-16 * Math.abs(re)) * Math.cosh(im));
const ratio = (top: Unary, bottom: Unary): Unary => (value) => {
  const [above, below] = [top(value), bottom(value)];
  return above && below && divideComplex(above, below);
};
const one: Unary = () => ONE;
const compose = (...steps: readonly Unary[]): Unary => (value) =>
  steps.reduce<Complex | null>((result, step) => result && step(result), value);
const inverse: Unary = (value) => divideComplex(ONE, value);
const timesI: Unary = (value) => multiplyComplex(I, value);
const oneMinusSquare: Unary = (value) => {
  const square = multiplyComplex(value, value);
  return square && addComplex(ONE, negate(square));
};

/** Principal values through the logarithm: asin z = -i log(iz + sqrt(1 - z^2)) (DLMF 4.23.19). */
const arcsine: Unary = (value) => {
  if (value.im === 0 && Math.abs(value.re) < 1) {
    return real(Math.asin(value.re), value.error / Math.sqrt(1 - value.re ** 2));
  }
  const root = compose(oneMinusSquare, squareRoot)(value);
  const turned = timesI(value);
  const log = root && turned && compose(logarithm)(addComplex(turned, root) ?? { re: NaN, im: 0, error: 0 });
  return log && timesI(negate(log));
};
const arccosine: Unary = (value) => {
  const angle = arcsine(value);
  return angle && addComplex({ re: Math.PI / 2, im: 0, error: 0 }, negate(angle));
};
const arctangent = onReals(Math.atan, (x) => 1 / (1 + x * x));

const hyperbolic = (sign: 1 | -1): Unary => (value) => {
  const [up, down] = [exponential(value), exponential(negate(value))];
  const total = up && down && addComplex(up, sign === 1 ? down : negate(down));
  return total && multiplyComplex(total, HALF);
};
const [hyperbolicSine, hyperbolicCosine] = [hyperbolic(-1), hyperbolic(1)];

/** Floor and the like: unknown where the error reaches an integer from the wrong side. */
const stepped = (of: (x: number) => number): Unary => ({ re, im, error }) => {
  const nearest = Math.round(re);
  if (im !== 0) return null;
  if (Math.abs(re - nearest) <= 8 * error) return error < 1e-9 ? real(nearest) : null;
  return real(of(re));
};

/** Gamma(x + 1), Lanczos's approximation with g = 7 and 9 terms (relative error about 1e-15). */
const LANCZOS = [
  0.999_999_999_999_809_93, 676.520_368_121_885_1, -1259.139_216_722_402_8, 771.323_428_777_653_13, -176.615_029_162_140_59,
  12.507_343_278_686_905, -0.138_571_095_265_720_12, 9.984_369_578_019_571_6e-6, 1.505_632_735_149_311_6e-7,
];
function gamma(x: number): number {
  if (x < -0.5) return Math.PI / (Math.sin(Math.PI * (x + 1)) * gamma(-x - 1));
  const series = LANCZOS.reduce((total, coefficient, index) => total + (index === 0 ? coefficient : coefficient / (x + index)), 0);
  const shifted = x + 7.5;
  return Math.sqrt(2 * Math.PI) * shifted ** (x + 0.5) * Math.exp(-shifted) * series;
}
const factorial: Unary = ({ re, im, error }) => {
  if (im !== 0 || (re < 0 && Number.isInteger(re))) return null;
  const value = gamma(re);
  return real(value, Math.abs(value) * (1e-13 + error * (1 + Math.log1p(Math.abs(re)))));
};

const UNARY: Readonly<Record<string, Unary>> = {
  sgn: (value) => (value.im !== 0 || (Math.abs(value.re) <= 8 * value.error && value.re !== 0) ? null : real(Math.sign(value.re))),
  abs: (value) => real(modulus(value), value.error),
  floor: stepped(Math.floor),
  ceil: stepped(Math.ceil),
  factorial,
  ln: logarithm,
  exp: exponential,
  sin: sine,
  cos: cosine,
  tan: ratio(sine, cosine),
  cot: ratio(cosine, sine),
  sec: ratio(one, cosine),
  csc: ratio(one, sine),
  arcsin: arcsine,
  arccos: arccosine,
  arctan: arctangent,
  arccot: compose(inverse, arctangent),
  arcsec: compose(inverse, arccosine),
  arccsc: compose(inverse, arcsine),
  sinh: hyperbolicSine,
  cosh: hyperbolicCosine,
  tanh: ratio(hyperbolicSine, hyperbolicCosine),
  coth: ratio(hyperbolicCosine, hyperbolicSine),
  sech: ratio(one, hyperbolicCosine),
  csch: ratio(one, hyperbolicSine),
  arcsinh: onReals(Math.asinh, () => 1),
  arccosh: ({ re, im, error }) => (im === 0 && re > 1 ? real(Math.acosh(re), error / Math.sqrt(re * re - 1)) : null),
  arctanh: ({ re, im, error }) => (im === 0 && Math.abs(re) < 1 ? real(Math.atanh(re), error / (1 - re * re)) : null),
};

/** Value of a function; names that start with `?` stand for unknown functions such as f. */
export function callComplex(name: string, values: readonly Complex[]): Complex | null {
  const [first, second] = values;
  if (!first) return null;
  if (name.startsWith("?")) return anyFunction(name, values);
  const unary = Object.hasOwn(UNARY, name) ? UNARY[name] : undefined;
  if (unary) return unary(first);
  if (name === "min" || name === "max") {
    if (values.some(({ im }) => im !== 0)) return null;
    return values.reduce((best, value) => (name === "min" ? value.re < best.re : value.re > best.re) ? value : best);
  }
  if (name === "gcd" || name === "lcm") return symmetric(name, values);
  return name === "binomial" && second ? binomial(first, second) : null;
}

/** Divisors of what may be no integers: an unknown function in which the order doesn't count. */
const symmetric = (name: string, values: readonly Complex[]): Complex | null =>
  values.reduce<Complex | null>((total, value) => {
    const term = anyFunction(name, [value]);
    return total && term && addComplex(total, term);
  }, { re: 0, im: 0, error: 0 });

/** One fixed generic function for each name: equal for equal arguments, and for others by accident only. */
function anyFunction(name: string, values: readonly Complex[]): Complex | null {
  let total: Complex | null = { re: 1 + unitHash(name, 90), im: 0, error: 0 };
  values.forEach((value, index) => {
    const scale = 0.5 + unitHash(name, 91 + index);
    const wave = sine({ re: scale * value.re + unitHash(name, 99), im: scale * value.im, error: value.error * 2 });
    total = total && wave && addComplex(total, wave);
  });
  return total;
}

function binomial(n: Complex, k: Complex): Complex | null {
  const rest = addComplex(n, negate(k));
  const [top, left, right] = [factorial(n), factorial(k), rest && factorial(rest)];
  const bottom = left && right && multiplyComplex(left, right);
  return top && bottom && divideComplex(top, bottom);
}
