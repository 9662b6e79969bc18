/**
 * A complex double with a bound on its rounding error. Sums in which one term vanishes beside the other are
 * *unknown* (`null`), like every overflow, underflow and NaN: what was lost can't be compared.
 */
export interface Complex {
  readonly re: number;
  readonly im: number;
  /** Bound on the absolute error. */
  readonly error: number;
}

const EPSILON = 2 ** -52;
/** A term this many times smaller than the other is lost to the comparison, whose tolerance is finer. */
const ABSORBED = 1e-10;
const SMALLEST = 1e-280;

/** A value with the rounding error of its last operation added; `null` when it is not finite. */
export function complex(re: number, im: number, error: number): Complex | null {
  const total = error + EPSILON * (Math.abs(re) + Math.abs(im));
  return Number.isFinite(re) && Number.isFinite(im) && Number.isFinite(total) ? { re, im, error: total } : null;
}

export const real = (value: number, error = 0): Complex | null => complex(value, 0, error);
export const modulus = ({ re, im }: Complex): number => (im === 0 ? Math.abs(re) : Math.hypot(re, im));

/** Whether a value is zero as far as its error lets us see. */
const vanishes = (value: Complex): boolean => modulus(value) <= 4 * value.error;

export function addComplex(a: Complex, b: Complex): Complex | null {
  const [left, right] = [modulus(a), modulus(b)];
  const [small, large] = left < right ? [left, right] : [right, left];
  const smallError = left < right ? a.error : b.error;
  if (small > 4 * smallError && small < ABSORBED * large) return null;
  return complex(a.re + b.re, a.im + b.im, a.error + b.error);
}

export function multiplyComplex(a: Complex, b: Complex): Complex | null {
  const error = a.error * modulus(b) + b.error * modulus(a) + a.error * b.error;
  const product =
    a.im === 0 && b.im === 0
      ? complex(a.re * b.re, 0, error)
      : complex(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re, error);
  return product === null || underflowed(product, modulus(a) !== 0 && modulus(b) !== 0) ? null : product;
}

export function divideComplex(a: Complex, b: Complex): Complex | null {
  if (vanishes(b)) return null;
  const size = modulus(b);
  const error = (a.error + (modulus(a) / size) * b.error) / size;
  if (a.im === 0 && b.im === 0) {
    const ratio = complex(a.re / b.re, 0, error);
    return ratio === null || underflowed(ratio, a.re !== 0) ? null : ratio;
  }
  const [re, im] = [b.re / size, b.im / size];
  const ratio = complex((a.re * re + a.im * im) / size, (a.im * re - a.re * im) / size, error);
  return ratio === null || underflowed(ratio, modulus(a) !== 0) ? null : ratio;
}

const underflowed = (value: Complex, expected: boolean): boolean => expected && modulus(value) < SMALLEST;

/** Principal logarithm; unknown at zero, and just off the negative axis where its sign is not known. */
export function logarithm(value: Complex): Complex | null {
  if (vanishes(value)) return null;
  const size = modulus(value);
  if (value.re < 0 && value.im !== 0 && Math.abs(value.im) <= 4 * value.error) return logarithm({ ...value, im: 0 });
  return complex(Math.log(size), Math.atan2(value.im, value.re), value.error / size);
}

export function exponential(value: Complex): Complex | null {
  const size = Math.exp(value.re);
  if (size < SMALLEST || value.error > 0.1) return null;
  return value.im === 0
    ? complex(size, 0, size * value.error * 1.2)
    : complex(size * Math.cos(value.im), size * Math.sin(value.im), size * (value.error * 1.2 + EPSILON * Math.abs(value.im)));
}

/** Principal square root. */
export function squareRoot(value: Complex): Complex | null {
  if (value.im === 0 && !vanishes(value)) {
    const root = Math.sqrt(Math.abs(value.re));
    return value.re < 0 ? complex(0, root, value.error / root) : complex(root, 0, value.error / root);
  }
  if (vanishes(value)) return complex(0, 0, Math.sqrt(modulus(value) + value.error));
  const half = logarithm(value);
  return half && exponential({ re: half.re / 2, im: half.im / 2, error: half.error / 2 });
}

/**
 * base ^ exponent. With a fraction of odd denominator as exponent a negative base has its real power, as
 * school mathematics has it: (-8)^(1/3) = -2. Otherwise the principal value.
 */
export function powerComplex(base: Complex, exponent: Complex, odd: "integer" | "odd" | null, evenTop: boolean): Complex | null {
  if (odd === "integer" && exponent.re === 0) return vanishes(base) ? null : complex(1, 0, 0);
  if (vanishes(base)) return exponent.re > 0 && exponent.im === 0 ? complex(0, 0, Math.max(modulus(base), base.error) ** exponent.re) : null;
  if (exponent.im === 0 && base.im === 0 && (base.re > 0 || odd !== null)) {
    const size = Math.abs(base.re);
    const value = size ** exponent.re;
    const relative = (Math.abs(exponent.re) * base.error) / size + Math.abs(Math.log(size)) * exponent.error + 2 * EPSILON;
    if (value < SMALLEST || relative > 0.1) return null;
    return complex(base.re < 0 && !evenTop ? -value : value, 0, value * relative);
  }
  if (exponent.re === 0.5 && exponent.im === 0) return squareRoot(base);
  const log = logarithm(base);
  const scaled = log && multiplyComplex(log, exponent);
  return scaled && exponential(scaled);
}
