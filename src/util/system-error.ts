/**
 * What the operating system said, e.g. `no space left on device (ENOSPC)`, or `null` when the error is not
 * the system's. Read from the message, since errors of worker threads arrive without their `code`.
 */
export function systemReason(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const match = /^(E[A-Z0-9]+): ([^,]+)/.exec(error.message);
  return match === null ? null : `${match[2]!} (${match[1]!})`;
}

/** The system's code of an error, e.g. `ENOENT`, or `null` when it has none. */
export function systemCode(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}
