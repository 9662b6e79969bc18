import { Option } from "commander";
import type { Command } from "commander";
import { configKeys } from "../config/index.ts";
import type { ConfigKey } from "../config/index.ts";
import { flagSettings } from "../config/index.ts";
import type { Settings } from "../config/index.ts";

const HEADING = "Config keys (each is a line `key: value` of CONFIG.yaml, or a flag, which overrides it):";

/** Makes every key of the config a flag of a command, documented with what it takes, its source and its default. */
export function addConfigOptions(command: Command): Command {
  for (const { option } of options()) command.addOption(option);
  return command;
}

/** The settings among the parsed flags of a command with `addConfigOptions`. */
export function settingsOf(flags: Readonly<Record<string, unknown>>): Settings {
  const given = options().flatMap(({ key, option }): [string, string][] => {
    const text = flags[option.attributeName()];
    return typeof text === "string" ? [[key.name, text]] : [];
  });
  return flagSettings(Object.fromEntries(given));
}

function options(): readonly { key: ConfigKey; option: Option }[] {
  return configKeys.map((key) => ({
    key,
    option: new Option(`--${key.name} <${key.type === "string" ? "text" : key.type}>`, describe(key)).helpGroup(HEADING),
  }));
}

function describe(key: ConfigKey): string {
  const usual = key.default === undefined ? "required" : `default: ${key.default}`;
  return `${key.description} (${key.expected}; ${usual})`;
}
