import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { formatConfig, parseConfig, parseSettings, resolveConfig } from "../config/index.ts";
import type { Settings } from "../config/index.ts";
import type { Config } from "../config.ts";
import { UsageError } from "../errors.ts";
import { createRunDirectory, describeEnvironment, openRunDirectory } from "../run/index.ts";
import type { Inputs } from "../run/index.ts";
import { systemReason } from "../util/system-error.ts";
import { addConfigOptions, settingsOf } from "./config-options.ts";
import { timestamped } from "./format.ts";
import { createOutput, jsonOption } from "./output.ts";
import type { Output } from "./output.ts";
import { runTraining } from "./training.ts";
import type { TrainingCommand } from "./training.ts";
import { watching } from "./watching.ts";

/** The flags of commands that train, beside the keys of the config. */
export interface TrainFlags {
  readonly out?: string;
  readonly resume?: string;
  readonly json?: boolean;
  readonly watch?: boolean;
}

/** `selftrain train CONFIG.yaml [--key value …] [--out DIR]`, or `selftrain train --resume DIR`. */
export function addTrainCommand(program: Command): void {
  const command = program
    .command("train")
    .description("Train a model by SRT, or continue a run. Paths in the config are relative to the current folder.")
    .usage("CONFIG.yaml [--key value …] [--out DIR] [--watch] [--json]\n       selftrain train --resume DIR [--watch] [--json]")
    .argument("[CONFIG.yaml]", "the config of the run, see examples/")
    .option("--out <DIR>", "directory of the run, which must not exist yet (default: runs/ and the config's name and time)")
    .option("--resume <DIR>", "continue the run in this directory from its newest checkpoint, with the config that it has")
    .option("--watch", "serve a live page of the run while it trains, for this machine alone, and print its address")
    .addOption(jsonOption());
  addConfigOptions(command).action((file: string | undefined, flags: TrainFlags) => {
    const output = createOutput(flags.json === true);
    const settings = settingsOf(flags as Readonly<Record<string, unknown>>);
    if (flags.resume !== undefined) return resume(flags.resume, file ?? (flags.out === undefined ? firstFlag(settings) : "--out"), output, { watch: flags.watch === true });
    if (file === undefined) throw new UsageError("no config was given: name a CONFIG.yaml (examples/srt.yaml is one), or a run to continue with --resume DIR");
    return start(file, { ...flags, settings }, output);
  });
}

/** Starts a new run of a config file, whose keys the settings override. */
export async function start(file: string, { out, settings, watch = false }: { readonly out?: string; readonly settings: Settings; readonly watch?: boolean }, output: Output): Promise<void> {
  const given = resolveConfig(new Map([...parseSettings(await readConfigFile(file), file), ...settings]), file);
  const directory = out ?? join("runs", timestamped(stemOf(file), new Date()));
  const openRun = async (config: Config, inputs: Inputs<string>) =>
    createRunDirectory(directory, { configText: formatConfig(config), environment: await describeEnvironment(process.argv, inputs) });
  await watching(watch, directory, output, (opened) => runTraining(given, async (config, inputs) => opened(await openRun(config, inputs)), output));
}

/** The first flag of some settings. */
export function firstFlag(settings: Settings): string | undefined {
  const [name] = settings.keys();
  return name === undefined ? undefined : `--${name}`;
}

/** Continues a run as it was configured: a changed key would make it another run, so nothing else must be given. */
export async function resume(directory: string, other: string | undefined, output: Output, { command, watch = false }: { readonly command?: TrainingCommand; readonly watch?: boolean } = {}): Promise<void> {
  if (other !== undefined) {
    throw new UsageError(`--resume continues a run as it was configured, in its own directory, so \`${other}\` can't be given too; leave it out, or start a new run without --resume`);
  }
  // The lock is held from here on, so that the config is that of the run which continues.
  const run = await openRunDirectory(directory);
  try {
    await watching(watch, directory, output, (opened) => runTraining(parseConfig(run.configText, join(directory, "config.yaml")), () => opened(run), output, command));
  } finally {
    // Closed already where the run began, but not where something was wrong before.
    await run.close();
  }
}

async function readConfigFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new UsageError(`cannot read the config ${file}: ${systemReason(error) ?? String(error)}`, { cause: error });
  }
}

/** `srt` for configs/srt.yaml. */
function stemOf(file: string): string {
  return file.replace(/^.*[/\\]/, "").replace(/\.ya?ml$/, "");
}
