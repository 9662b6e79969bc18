import { RunDirectoryError } from "../errors.ts";
import { systemReason } from "../util/system-error.ts";

/**
 * Runs a task that reads or writes the run directory. An error of the system (disk full, permission
 * denied) becomes a RunDirectoryError: `failure`, the system's reason, `advice`. Other errors pass.
 */
export async function explained<T>(failure: string, advice: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    const reason = systemReason(error);
    if (reason === null) throw error;
    throw new RunDirectoryError(`${failure}: ${reason}; ${advice}.`, { cause: error });
  }
}

/** What a person does after a failed write: nothing before the newest checkpoint is lost. */
export function resumeAdvice(runPath: string): string {
  return `what was saved before is intact: mend this, then continue with --resume ${runPath}`;
}
