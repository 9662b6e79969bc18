import { access } from "node:fs/promises";
import { extname, join } from "node:path";
import { DataError, UsageError } from "../errors.ts";
import { hubAccess } from "../hub/index.ts";
import type { HubAccess } from "../hub/index.ts";
import { nearest } from "../util/nearest.ts";
import { fetchSplit } from "./hub.ts";
import type { HubSplit } from "./hub.ts";
import { PRESET_SPLITS, presets } from "./presets.ts";
import type { Fields, Preset, PresetSplitName } from "./presets.ts";
import { DATA_ENDINGS } from "./tables.ts";

/** Where data is looked for. */
export interface Places {
  /** Folder that holds the files of presets; presets come from the hub when it is empty. */
  readonly dataDir?: string;
  /** How the hub is reached; when absent, by the variables of the environment. */
  readonly hub?: HubAccess;
}

/** Where the rows of a source came from, in the order of reading. */
export interface OpenedSource {
  /** As it was named. */
  readonly source: string;
  /** What names exactly these rows again: a data set of the hub with its commit; anything else as it was named. */
  readonly pinned: string;
  readonly files: readonly string[];
}

/** Files that hold a source, and how their rows are read. */
export interface Located {
  readonly files: readonly string[];
  /** As in `OpenedSource`. */
  readonly pinned: string;
  /** Names that the fields of a row may have, the likeliest first. */
  readonly fields: readonly Fields[];
  /** What the source's problems are said to come from, the same for every revision. */
  readonly name: string;
  /** Stands before ids that are mere numbers, which other data sets have too; `null` for files, whose ids are their author's. */
  readonly idPrefix: string | null;
  readonly preset: Preset | null;
  /** Rows of the published data set, or `null` when unknown. */
  readonly publishedRows: number | null;
}

const HUB_PREFIX = "hub:";
const STANDARD_FIELDS: Fields = { id: "id", prompt: "problem", answer: "answer" };

/** `PRESET`, `PRESET/SPLIT`, each with `@REVISION` where it is to be one of the hub's. */
const PRESET_SPEC = /^([\w-]+)(?:\/([\w-]+))?(?:@([\w.-]+))?$/;
/** A revision with slashes is the hub's own: its conversions to Parquet, and pull requests. */
const HUB_SPEC = /^hub:([\w.-]+\/[\w.-]+)(?:@(refs\/convert\/\w+|refs\/pr\/\d+|[\w.-]+))?(?:\/([\w.-]+))?(?::([\w.-]+))?$/;

/**
 * Finds the files of a source: the name of a preset (`gsm8k`, or `gsm8k/test` for a split; without one,
 * training takes the train split and evaluation the test split where there are both), a data set of the hub
 * (`hub:OWNER/NAME` or `hub:OWNER/NAME/CONFIG`, each with `:SPLIT`, by default `train`), or a file. Presets
 * and data sets may have `@REVISION` after their name. `fields` are those of a file or data set; a preset
 * knows its own. Throws UsageError for a name that is nothing of this, DataError when the files are missing
 * or can't be fetched.
 */
export async function locate(spec: string, role: "train" | "held-out", fields: Fields, places: Places): Promise<Located> {
  if (spec.startsWith(HUB_PREFIX)) return locateOnHub(spec, fields, places);
  if (isFileSource(spec)) return { files: [spec], pinned: spec, fields: [fields], name: spec, idPrefix: null, preset: null, publishedRows: null };
  const [, name, splitName, revision] = PRESET_SPEC.exec(spec) ?? [];
  const preset = presets.get(name ?? "");
  if (preset === undefined) throw unknownSource(spec);
  return locatePreset(preset, { splitName, revision, role }, places);
}

/** Whether a source is the path of a file, and no preset, data set of the hub or task. */
export function isFileSource(spec: string): boolean {
  if (spec.startsWith(HUB_PREFIX) || spec.startsWith("task:")) return false;
  if (presets.has(PRESET_SPEC.exec(spec)?.[1] ?? "")) return false;
  return extname(spec) !== "" || /[/\\]/.test(spec);
}

async function locateOnHub(spec: string, fields: Fields, { hub = hubAccess(process.env) }: Places): Promise<Located> {
  const [, repository, revision = "main", config, split] = HUB_SPEC.exec(spec) ?? [];
  if (repository === undefined) throw new UsageError(`\`${spec}\` names no data set of the hub; expected hub:OWNER/NAME, hub:OWNER/NAME:SPLIT or hub:OWNER/NAME/CONFIG:SPLIT`);
  const hubSplit: HubSplit = { repository, revision, config: config ?? null, split: split ?? "train" };
  const { files, commit } = await fetchSplit(hubSplit, hub, "check the network and the name, or download its files and name them instead");
  const named = (id: string) => `${HUB_PREFIX}${id}${config === undefined ? "" : `/${config}`}${split === undefined ? "" : `:${split}`}`;
  // Ids must not change with the revision.
  const name = named(repository);
  return { files, pinned: named(`${repository}@${commit}`), fields: [fields], name, idPrefix: name, preset: null, publishedRows: null };
}

interface PresetChoice {
  readonly splitName: string | undefined;
  readonly revision: string | undefined;
  readonly role: "train" | "held-out";
}

async function locatePreset(preset: Preset, { splitName, revision, role }: PresetChoice, { dataDir = "", hub = hubAccess(process.env) }: Places): Promise<Located> {
  const split = preset.splits[chooseSplit(preset, splitName, role)]!;
  const expected = `${split.file}${DATA_ENDINGS[0]} (or ${DATA_ENDINGS.slice(1).join(", ")})`;
  const spec = splitName === undefined ? preset.name : `${preset.name}/${splitName}`;
  const located = (files: readonly string[], pinned: string): Located => ({
    files,
    pinned,
    fields: [preset.fields, STANDARD_FIELDS],
    name: preset.name,
    idPrefix: split.file,
    preset,
    publishedRows: split.rows,
  });
  if (dataDir === "") {
    const hubSplit: HubSplit = { repository: preset.repository, revision: revision ?? "main", config: split.config, split: split.split };
    const { files, commit } = await fetchSplit(hubSplit, hub, `offline, put ${expected} into a folder and name it with \`data-dir\``);
    return located(files, `${spec}@${commit}`);
  }
  if (revision !== undefined) throw new UsageError(`\`${spec}@${revision}\` names a revision of the hub, but \`data-dir\` takes presets from ${dataDir}; leave one of them out`);
  for (const ending of DATA_ENDINGS) {
    const file = join(dataDir, split.file + ending);
    if (await exists(file)) return located([file], spec);
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

function unknownSource(spec: string): UsageError {
  const meant = nearest(spec, [...presets.keys()]);
  const advice = meant === undefined ? `the presets are ${[...presets.keys()].join(", ")}` : `did you mean the preset \`${meant}\`?`;
  return new UsageError(`\`${spec}\` is no source of questions (a preset, a ${DATA_ENDINGS.join(", ")} file, hub:OWNER/NAME or task:FAMILY/LEVEL); ${advice}`);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(() => true, () => false);
}
