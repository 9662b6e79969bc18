/** Significant digits that tell every float32 from every other. */
const DIGITS = 9;
/** Powers of ten that a double has exactly. */
const POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/**
 * The number of nine significant digits next to `value`: as a float32 it is the same, and as text it takes half the
 * length of a double. `Number(value.toPrecision(9))`, several times faster.
 */
export function shortFloat(value: number): number {
  if (Number.isInteger(value)) return value;
  const power = POWERS[DIGITS - 1 - Math.floor(Math.log10(Math.abs(value)))];
  // A whole number below 2^53 over an exact power of ten is the double next to that decimal.
  return power === undefined ? Number(value.toPrecision(DIGITS)) : Math.round(value * power) / power;
}

/**
 * So many zeros, then `shortFloat` of each value. A loop, since the iterator of `Array.from` makes two objects a number;
 * and it appends, since an array that is made with its length takes JSON up to three times longer to write.
 */
export function shortFloats(values: ArrayLike<number>, zeros = 0): number[] {
  const short: number[] = [];
  for (let index = 0; index < zeros; index++) short.push(0);
  for (let index = 0; index < values.length; index++) short.push(shortFloat(values[index]!));
  return short;
}
