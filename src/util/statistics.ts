/** Sum of a list. */
export function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let index = 0; index < values.length; index++) total += values[index]!;
  return total;
}

/** Arithmetic mean; 0 for an empty list. */
export function mean(values: ArrayLike<number>): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}

/** Sample standard deviation (denominator n - 1); 0 for fewer than two values. */
export function standardDeviation(values: ArrayLike<number>): number {
  if (values.length < 2) return 0;
  const center = mean(values);
  let squares = 0;
  for (let index = 0; index < values.length; index++) squares += (values[index]! - center) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}

/** Standard error of the mean of independent values; 0 for fewer than two. */
export function standardError(values: ArrayLike<number>): number {
  return values.length < 2 ? 0 : standardDeviation(values) / Math.sqrt(values.length);
}
