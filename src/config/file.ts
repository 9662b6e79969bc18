import { LineCounter, YAMLParseError, parse, stringify } from "yaml";
import type { Config } from "../config.ts";
import { UsageError } from "../errors.ts";
import { configKeys, configSections } from "./keys.ts";
import { kebabCase, nested } from "./names.ts";
import { resolveConfig } from "./settings.ts";
import type { Setting, Settings } from "./settings.ts";

/**
 * The settings in the text of a config file (YAML, kebab-case keys, sections nested). `file` is the name
 * used in errors. Throws UsageError with the line where the text is not YAML, or when it holds no keys.
 */
export function parseSettings(text: string, file: string): Settings {
  const content = parseYaml(text, file);
  if (!isSection(content)) throw new UsageError(`${file} holds ${Array.isArray(content) ? "a list" : "a single value"}; expected lines of the form \`key: value\`.`);
  return new Map(flat(content, "", file));
}

/** The config in the text of a config file. Throws UsageError as `parseSettings` and `resolveConfig` do. */
export function parseConfig(text: string, file: string): Config {
  return resolveConfig(parseSettings(text, file), file);
}

/** The complete config as the text of a config file, every default written out: `parseConfig` gives it back. */
export function formatConfig(config: Config): string {
  return stringify(nested(configKeys.map((key) => [key, valueAt(config, key.path)]), kebabCase), { lineWidth: 0 });
}

function parseYaml(text: string, file: string): unknown {
  const lines = new LineCounter();
  try {
    return parse(text, { lineCounter: lines, prettyErrors: false }) ?? {};
  } catch (error) {
    const { message } = error as Error;
    // An alias without its anchor is the one error that comes without a position.
    const place = error instanceof YAMLParseError ? lines.linePos(error.pos[0]) : undefined;
    const at = place === undefined ? "" : ` at line ${place.line}, column ${place.col}`;
    throw new UsageError(`${file} is not valid YAML${at}: ${message}`, { cause: error });
  }
}

function* flat(section: Readonly<Record<string, unknown>>, prefix: string, file: string): Generator<[string, Setting]> {
  for (const [key, value] of Object.entries(section)) {
    const name = prefix + key;
    if (isSection(value)) yield* flat(value, `${name}.`, file);
    else if (configSections.includes(name)) throw new UsageError(`${file}: \`${name}\` is a section; write its keys (${keysIn(name)}) indented below it.`);
    else yield [name, { value, from: file }];
  }
}

function keysIn(section: string): string {
  return configKeys.filter(({ name }) => name.startsWith(`${section}.`)).map(({ name }) => `\`${name.slice(section.length + 1)}\``).join(", ");
}

function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function valueAt(config: Config, path: readonly string[]): unknown {
  let node: unknown = config;
  for (const property of path) node = (node as Record<string, unknown>)[property];
  return node;
}
