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

/** What went wrong with a request, without its full stop: `fetch` hides what happened in the cause of its error. */
export function requestReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message).replace(/\.$/, "");
}
