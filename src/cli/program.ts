import { readFileSync } from "node:fs";
import { Command } from "commander";
import { z } from "zod";
import { addAdaptCommand } from "./adapt.ts";
import { addDemoCommand } from "./demo.ts";
import { addEnginesCommand } from "./engines.ts";
import { addEvaluateCommand } from "./evaluate.ts";
import { addGradeCommand } from "./grade.ts";
import { addLabelCommand } from "./label.ts";
import { addReproduceCommand } from "./reproduce.ts";
import { addSelectCommand } from "./select.ts";
import { addServeCommand } from "./serve.ts";
import { addTrainCommand } from "./train.ts";
import { addVoteCommand } from "./vote.ts";
import { addWatchCommand } from "./watch.ts";

/** The command line of selftrain. Its parse throws what commander and the commands throw, and prints no errors. */
export function createProgram(): Command {
  const program = new Command("selftrain")
    .description("Label-free reinforcement learning for language models: Self-Rewarded Training (arXiv 2505.21444).")
    .version(packageVersion(), "--version", "print the version")
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  addDemoCommand(program);
  addTrainCommand(program);
  addWatchCommand(program);
  addEvaluateCommand(program);
  addLabelCommand(program);
  addSelectCommand(program);
  addAdaptCommand(program);
  addServeCommand(program);
  addReproduceCommand(program);
  addVoteCommand(program);
  addGradeCommand(program);
  addEnginesCommand(program);
  return program;
}

function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
