import { Option } from "commander";
import type { Command } from "commander";
import { configKeys, flagSettings } from "../config/index.ts";
import type { ConfigKey, Settings } from "../config/index.ts";

/** A flag that sets a key of the config. */
export interface ConfigFlag {
  /** Without the dashes. */
  readonly name: string;
  readonly key: ConfigKey;
}

/** Every key as a flag of its own name. */
const EVERY_KEY: readonly ConfigFlag[] = configKeys.map((key) => ({ name: key.name, key }));
const EVERY_HEADING = "Config keys (each is a line `key: value` of CONFIG.yaml, or a flag, which overrides it):";

/** Makes keys of the config flags of a command, documented with what they take, their source and their default. */
export function addConfigOptions(command: Command, flags = EVERY_KEY, heading = EVERY_HEADING): Command {
  for (const flag of flags) command.addOption(optionOf(flag).helpGroup(heading));
  return command;
}

/** The settings among the parsed flags of a command with `addConfigOptions`. */
export function settingsOf(parsed: Readonly<Record<string, unknown>>, flags = EVERY_KEY): Settings {
  const given = flags.flatMap((flag) => {
    const text = parsed[optionOf(flag).attributeName()];
    return typeof text === "string" ? [{ flag, text }] : [];
  });
  const settings = flagSettings(Object.fromEntries(given.map(({ flag, text }) => [flag.key.name, text])));
  return new Map(given.map(({ flag: { name, key } }) => [key.name, { value: settings.get(key.name)!.value, from: `flag --${name}` }]));
}

function optionOf({ name, key }: ConfigFlag): Option {
  return new Option(`--${name} <${key.type === "string" ? "text" : key.type}>`, describe(key));
}

function describe(key: ConfigKey): string {
  const usual = key.default === undefined ? "required" : `default: ${key.default === "" ? "none" : key.default}`;
  return `${key.description} (${key.expected}; ${usual})`;
}
