/** An exact fraction; the denominator is positive. Small fractions are in lowest terms. */
export interface Rational {
  readonly top: bigint;
  readonly bottom: bigint;
}

/** Numbers beyond this many bits are *unknown*: a short answer can ask for more digits than memory holds. */
const MAX_BITS = 32_768;
const LIMIT = 1n << BigInt(MAX_BITS);
const REDUCE_BELOW = 1n << 2048n;
const MAX_ROOT = 64n;

export const ZERO: Rational = { top: 0n, bottom: 1n };
export const ONE: Rational = { top: 1n, bottom: 1n };

/** The fraction top / bottom, or `null` when the bottom is zero or a part is too large. */
export function rational(top: bigint, bottom = 1n): Rational | null {
  if (bottom === 0n) return null;
  if (bottom === 1n) return top > LIMIT || top < -LIMIT ? null : { top, bottom };
  if (bottom < 0n) return rational(-top, -bottom);
  if (top > LIMIT || top < -LIMIT || bottom > LIMIT) return null;
  if (bottom > REDUCE_BELOW || top > REDUCE_BELOW || top < -REDUCE_BELOW) return { top, bottom };
  const [smallTop, smallBottom] = [Number(top), Number(bottom)];
  const isSmall = Number.isSafeInteger(smallTop) && Number.isSafeInteger(smallBottom);
  const divisor = isSmall ? BigInt(smallDivisor(smallTop, smallBottom)) : greatestDivisor(top, bottom);
  if (divisor === 1n) return { top, bottom };
  return { top: top / divisor, bottom: bottom / divisor };
}

/** Greatest common divisor, never negative (Euclid). */
export function greatestDivisor(a: bigint, b: bigint): bigint {
  let [left, right] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (right !== 0n) [left, right] = [right, left % right];
  return left;
}

function smallDivisor(a: number, b: number): number {
  let [left, right] = [Math.abs(a), Math.abs(b)];
  while (right !== 0) [left, right] = [right, left % right];
  return left;
}

export const addRational = (a: Rational, b: Rational): Rational | null =>
  a.bottom === b.bottom ? rational(a.top + b.top, a.bottom) : rational(a.top * b.bottom + b.top * a.bottom, a.bottom * b.bottom);

export const multiplyRational = (a: Rational, b: Rational): Rational | null => rational(a.top * b.top, a.bottom * b.bottom);

export const divideRational = (a: Rational, b: Rational): Rational | null => rational(a.top * b.bottom, a.bottom * b.top);

/** Negative, zero or positive as a is less than, equal to or greater than b. Exact. */
export function compareRational(a: Rational, b: Rational): number {
  const difference = a.bottom === b.bottom ? a.top - b.top : a.top * b.bottom - b.top * a.bottom;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export const isInteger = (value: Rational): boolean => value.bottom === 1n;

/** Largest integer not above the value. */
export function floorRational({ top, bottom }: Rational): bigint {
  const quotient = top / bottom;
  return top < 0n && quotient * bottom !== top ? quotient - 1n : quotient;
}

/**
 * base ^ exponent where that is rational: integer powers, and roots that come out exactly (the real root
 * for an odd degree). `null` for 0^0, division by zero, irrational roots and numbers too large to hold.
 */
export function powerRational(base: Rational, exponent: Rational): Rational | null {
  if (exponent.bottom !== 1n) {
    if (exponent.bottom > MAX_ROOT) return null;
    const top = integerRoot(base.top, exponent.bottom);
    const bottom = integerRoot(base.bottom, exponent.bottom);
    if (top === null || bottom === null) return null;
    return powerRational({ top, bottom }, { top: exponent.top, bottom: 1n });
  }
  if (base.top === 0n) return exponent.top > 0n ? ZERO : null;
  const size = exponent.top < 0n ? -exponent.top : exponent.top;
  const isUnit = base.bottom === 1n && (base.top === 1n || base.top === -1n);
  if (isUnit) return base.top === 1n || size % 2n === 0n ? ONE : base;
  if (size > BigInt(MAX_BITS) || Number(size) * Math.max(bits(base.top), bits(base.bottom)) > MAX_BITS) return null;
  return exponent.top < 0n ? rational(base.bottom ** size, base.top ** size) : rational(base.top ** size, base.bottom ** size);
}

function bits(value: bigint): number {
  const size = value < 0n ? -value : value;
  return size < 9_007_199_254_740_992n ? Math.max(1, Math.log2(Number(size))) : size.toString(16).length * 4;
}

/** The real root of an integer where that is an integer below 2^53, else `null`. */
function integerRoot(value: bigint, degree: bigint): bigint | null {
  if (value < 0n) {
    const root = degree % 2n === 1n ? integerRoot(-value, degree) : null;
    return root === null ? null : -root;
  }
  const guess = Math.round(Number(value) ** (1 / Number(degree)));
  if (!Number.isSafeInteger(guess)) return null;
  const root = BigInt(guess);
  return root ** degree === value ? root : null;
}

/** The nearest double, or `null` where that overflows or underflows. */
export function toNumber({ top, bottom }: Rational): number | null {
  const direct = Number(top) / Number(bottom);
  if (Number.isFinite(direct) && (direct !== 0 || top === 0n)) return direct;
  return null;
}

/** The fraction that a plain decimal numeral such as `-12.50` writes. */
export function parseDecimal(numeral: string): Rational | null {
  const point = numeral.indexOf(".");
  if (numeral.length > 2000) return null;
  if (point < 0) return rational(BigInt(numeral.length <= 15 ? Number(numeral) : numeral));
  const digits = numeral.slice(0, point) + numeral.slice(point + 1);
  return rational(BigInt(digits === "" ? 0 : digits), 10n ** BigInt(numeral.length - point - 1));
}
