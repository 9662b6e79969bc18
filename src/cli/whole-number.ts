import { UsageError } from "../errors.ts";

/** The value of a flag that takes a whole number in a range. Throws UsageError. */
export function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) throw new UsageError(`${flag} is \`${text}\`; expected a whole number from ${least} to ${most}`);
  return value;
}
