import { access } from "node:fs/promises";
import { extname, join } from "node:path";
import { DataError, UsageError } from "../errors.ts";
import { nearest } from "../util/nearest.ts";
import { fetchSplit } from "./hub.ts";
import type { HubOptions, HubSplit } from "./hub.ts";
import { PRESET_SPLITS, presets } from "./presets.ts";
import type { Fields, Preset, PresetSplitName } from "./presets.ts";
import { DATA_ENDINGS } from "./tables.ts";

/** Where data is looked for. */
export interface Places {
  /** Folder that holds the files of presets; presets come from the hub when it is empty. */
  readonly dataDir?: string;
  readonly hub?: HubOptions;
}

/** Files that hold a source, and how their rows are read. */
export interface Located {
  readonly files: readonly string[];
  /** Names that the fields of a row may have, the likeliest first. */
  readonly fields: readonly Fields[];
  /** What the source's problems are said to come from. */
  readonly name: string;
  /** Stands before ids that are mere numbers, which other data sets have too; `null` for files, whose ids are their author's. */
  readonly idPrefix: string | null;
  readonly preset: Preset | null;
  /** Rows of the published data set, or `null` when unknown. */
  readonly publishedRows: number | null;
}

const HUB_PREFIX = "hub:";
const STANDARD_FIELDS: Fields = { id: "id", prompt: "problem", answer: "answer" };

/**
 * Finds the files of a source: the name of a preset (`gsm8k`, or `gsm8k/test` for a split; without one,
 * training takes the train split and evaluation the test split where there are both), a data set of the hub
 * (`hub:OWNER/NAME` or `hub:OWNER/NAME/CONFIG`, each with `:SPLIT`, by default `train`), or a file. `fields`
 * are those of a file or data set; a preset knows its own. Throws UsageError for a name that is nothing of
 * this, DataError when the files are missing or can't be fetched.
 */
export async function locate(spec: string, role: "train" | "held-out", fields: Fields, places: Places): Promise<Located> {
  if (spec.startsWith(HUB_PREFIX)) {
    const offline = "check the network and the name, or download its files and name them instead";
    return { files: await fetchSplit(parseHubSpec(spec), places.hub ?? {}, offline), fields: [fields], name: spec, idPrefix: spec, preset: null, publishedRows: null };
  }
  if (isFileSource(spec)) return { files: [spec], fields: [fields], name: spec, idPrefix: null, preset: null, publishedRows: null };
  const [name, splitName] = spec.split("/");
  const preset = presets.get(name!);
  if (preset === undefined) throw unknownSource(spec);
  return locatePreset(preset, splitName, role, places);
}

/** Whether a source is the path of a file, and no preset, data set of the hub or task. */
export function isFileSource(spec: string): boolean {
  if (spec.startsWith(HUB_PREFIX) || spec.startsWith("task:")) return false;
  const [name, , ...more] = spec.split("/");
  const isPreset = presets.has(name!) && more.length === 0;
  return extname(spec) !== "" || (/[/\\]/.test(spec) && !isPreset);
}

async function locatePreset(preset: Preset, splitName: string | undefined, role: "train" | "held-out", { dataDir = "", hub = {} }: Places): Promise<Located> {
  const split = preset.splits[chooseSplit(preset, splitName, role)]!;
  const expected = `${split.file}${DATA_ENDINGS[0]} (or ${DATA_ENDINGS.slice(1).join(", ")})`;
  const located = (files: readonly string[]): Located => ({
    files,
    fields: [preset.fields, STANDARD_FIELDS],
    name: preset.name,
    idPrefix: split.file,
    preset,
    publishedRows: split.rows,
  });
  if (dataDir === "") {
    const hubSplit: HubSplit = { repository: preset.repository, config: split.config, split: split.split };
    return located(await fetchSplit(hubSplit, hub, `offline, put ${expected} into a folder and name it with \`data-dir\``));
  }
  for (const ending of DATA_ENDINGS) {
    const file = join(dataDir, split.file + ending);
    if (await exists(file)) return located([file]);
  }
  throw new DataError(`the preset \`${preset.name}\` is not in ${dataDir}: ${expected} is missing; put it there, or leave \`data-dir\` out to fetch ${preset.repository} from the hub.`);
}

function chooseSplit(preset: Preset, splitName: string | undefined, role: "train" | "held-out"): PresetSplitName {
  const available = PRESET_SPLITS.filter((name) => preset.splits[name] !== undefined);
  if (splitName === undefined) return available.find((name) => name === (role === "train" ? "train" : "test")) ?? available[0]!;
  const chosen = available.find((name) => name === splitName);
  if (chosen === undefined) {
    throw new UsageError(`the preset \`${preset.name}\` has no split \`${splitName}\`; there is ${available.map((name) => `\`${preset.name}/${name}\``).join(" and ")}`);
  }
  return chosen;
}

function parseHubSpec(spec: string): HubSplit {
  const [, repository, config, split = "train"] = /^hub:([\w.-]+\/[\w.-]+)(?:\/([\w.-]+))?(?::([\w.-]+))?$/.exec(spec) ?? [];
  if (repository === undefined) throw new UsageError(`\`${spec}\` names no data set of the hub; expected hub:OWNER/NAME, hub:OWNER/NAME:SPLIT or hub:OWNER/NAME/CONFIG:SPLIT`);
  return { repository, config: config ?? null, split };
}

function unknownSource(spec: string): UsageError {
  const meant = nearest(spec, [...presets.keys()]);
  const advice = meant === undefined ? `the presets are ${[...presets.keys()].join(", ")}` : `did you mean the preset \`${meant}\`?`;
  return new UsageError(`\`${spec}\` is no source of questions (a preset, a ${DATA_ENDINGS.join(", ")} file, hub:OWNER/NAME or task:FAMILY/LEVEL); ${advice}`);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(() => true, () => false);
}
