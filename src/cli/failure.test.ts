import { CommanderError } from "commander";
import { expect, it } from "vitest";
import { DataError, InterruptedError, UsageError } from "../errors.ts";
import { explainFailure } from "./failure.ts";

it.each([
  [new DataError("x.jsonl is empty."), "selftrain: x.jsonl is empty.\n", 1],
  [new UsageError("unknown key"), "selftrain: unknown key\n", 2],
  [new InterruptedError("interrupted"), "selftrain: interrupted\n", 130],
  [new CommanderError(0, "commander.helpDisplayed", "(outputHelp)"), "", 0],
  [new CommanderError(1, "commander.help", "(outputHelp)"), "", 2],
  [new CommanderError(1, "commander.unknownOption", "error: unknown option '--stpes'\n(Did you mean --steps?)"), "selftrain: unknown flag `--stpes`; did you mean `--steps`?\n", 2],
])("explains %s in one sentence", (error, text, exitCode) => expect(explainFailure(error)).toEqual({ text, exitCode }));

it("keeps the stack of what nobody expected", () => {
  const { text, exitCode } = explainFailure(new TypeError("x is not a function"));
  expect(text).toMatch(/^selftrain: unexpected error; this is a bug .*\nTypeError: x is not a function\n +at /);
  expect(exitCode).toBe(1);
});
