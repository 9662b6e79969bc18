import { Option } from "commander";
import { DataError } from "../errors.ts";
import { writeFileAtomically } from "../util/atomic-write.ts";
import { systemReason } from "../util/system-error.ts";
import { createTerminal } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";

/** What a command prints for people and for programs. */
export interface Output {
  readonly terminal: Terminal;
  /** Writes the result: with `--json` one object as the last line of standard output, else nothing. */
  readonly result: (fields: Readonly<Record<string, unknown>>) => void;
}

/** The flag `--json`, which every command has. */
export function jsonOption(): Option {
  return new Option("--json", "print people's output to standard error, and one JSON object as the last line of standard output");
}

/** With `--json` standard output is for the result alone, and people's output goes to standard error. */
export function createOutput(json: boolean): Output {
  return {
    terminal: createTerminal(json ? process.stderr : process.stdout, process.env),
    result: (fields) => {
      if (json) process.stdout.write(`${JSON.stringify(fields)}\n`);
    },
  };
}

/** Writes rows as JSON Lines, whole or not at all, over an earlier file of that name. Throws DataError when the disk refuses. */
export async function writeJsonLines(file: string, rows: readonly object[]): Promise<void> {
  try {
    await writeFileAtomically(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  } catch (error) {
    throw new DataError(`cannot write ${file}: ${systemReason(error) ?? String(error)}.`, { cause: error });
  }
}
