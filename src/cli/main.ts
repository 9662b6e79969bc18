#!/usr/bin/env node
import { explainFailure } from "./failure.ts";
import { createProgram } from "./program.ts";

// A reader that has seen enough (`| head`) must not end a run.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

// What libraries say in passing is for people, and must not stand among results.
console.debug = console.error;

try {
  await createProgram().parseAsync();
} catch (error) {
  const { text, exitCode } = explainFailure(error);
  process.stderr.write(text);
  process.exitCode = exitCode;
}
