import { CommanderError } from "commander";
import { SelftrainError } from "../errors.ts";

/**
 * What a failed command prints to standard error, and its exit code: 0 for help and version, 1 failed,
 * 2 wrong use, 130 interrupted. What a person can mend is one sentence; anything else is a bug and keeps
 * its stack.
 */
export function explainFailure(error: unknown): { readonly text: string; readonly exitCode: number } {
  if (error instanceof CommanderError) return explainUsage(error);
  if (error instanceof SelftrainError) return { text: `selftrain: ${error.message}\n`, exitCode: error.exitCode };
  const details = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { text: `selftrain: unexpected error; this is a bug in selftrain, please report it with these lines:\n${details}\n`, exitCode: 1 };
}

/** commander's own errors: `error: unknown option '--stpes'\n(Did you mean --steps?)` becomes one sentence of ours. */
function explainUsage({ message, exitCode, code }: CommanderError): { readonly text: string; readonly exitCode: number } {
  if (exitCode === 0) return { text: "", exitCode };
  // A missing command has been answered with the help text.
  if (code === "commander.help") return { text: "", exitCode: 2 };
  const sentence = message
    .replace(/^error: /, "")
    .replace(/\boption '/, "flag '")
    .replace(/\s*\(Did you mean (.*)\?\)$/s, (_match, meant: string) => `; did you mean ${meant.replace(/[\w.-]+$|--[\w.-]+/g, "'$&'")}?`)
    .replace(/'([^']*)'/g, "`$1`");
  return { text: `selftrain: ${sentence}\n`, exitCode: 2 };
}
