/** A value of a config or an environment as people write it: texts without quotes, all else as JSON. */
export function writtenValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
