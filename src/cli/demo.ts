import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { addConfigOptions, settingsOf } from "./config-options.ts";
import { createOutput, jsonOption } from "./output.ts";
import { start } from "./train.ts";
import type { TrainFlags } from "./train.ts";

/** `selftrain demo`: the example run of the package on the built-in model. */
export function addDemoCommand(program: Command): void {
  const command = program
    .command("demo")
    .description("See it work: train the built-in model by SRT for about a minute, as in examples/srt.yaml.")
    .option("--out <DIR>", "directory of the run, which must not exist yet (default: runs/ and the time)")
    .addOption(jsonOption());
  addConfigOptions(command).action((flags: TrainFlags) =>
    start(fileURLToPath(new URL("../../examples/srt.yaml", import.meta.url)), { ...flags, watch: true, settings: settingsOf(flags as Readonly<Record<string, unknown>>) }, createOutput(flags.json === true)),
  );
}
