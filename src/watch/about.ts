import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { configKeys } from "../config/index.ts";
import { systemCode } from "../util/system-error.ts";
import type { RunAbout } from "./protocol.ts";
import { Refusal } from "./refusal.ts";
import type { WatchedRun } from "./run.ts";
import { writtenValue } from "./written-value.ts";

const DEFAULTS: ReadonlyMap<string, unknown> = new Map(configKeys.map((key) => [key.name, key.default]));

/** The config and the environment of a run, flat and as written. Throws Refusal where environment.json is damaged. */
export async function aboutOf(run: WatchedRun): Promise<RunAbout> {
  const environment = await readEnvironment(join(run.path, "environment.json"));
  const config = [...run.config()];
  const chosen = config.filter(([key, value]) => DEFAULTS.get(key) !== value).map(([key]) => key);
  return { config: config.map(([key, value]) => [key, writtenValue(value)]), chosen, environment: [...flat(environment, "")], path: run.path };
}

async function readEnvironment(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    if (systemCode(error) === "ENOENT") return {};
    throw new Refusal(422, `${file} can't be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

function* flat(value: unknown, name: string): Generator<[string, string]> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) yield [name, writtenValue(value)];
  else for (const [key, inner] of Object.entries(value)) yield* flat(inner, name === "" ? key : `${name}.${key}`);
}
