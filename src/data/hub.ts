import { extname } from "node:path";
import { DataError } from "../errors.ts";
import { requestReason } from "../util/system-error.ts";
import { DATA_ENDINGS } from "./tables.ts";

/** How the hub is reached. What is absent is as the hub's own tools have it. */
export interface HubOptions {
  readonly hubUrl?: string;
  readonly fetch?: typeof fetch;
  readonly accessToken?: string;
  /** Folder of downloaded files; when absent, where the hub's own tools keep them. */
  readonly cacheDir?: string;
}

/** A split of a data set of the hub. `config` is the folder of its repository that holds it, or `null`. */
export interface HubSplit {
  readonly repository: string;
  readonly config: string | null;
  readonly split: string;
}

/**
 * Paths of the local copies of the files of a split, in the order of their names; those not yet in the cache
 * are downloaded. Throws DataError when the hub cannot be reached, refuses, or holds no such split; `offline`
 * ends its sentence with what to do without the hub.
 */
export async function fetchSplit(hubSplit: HubSplit, options: HubOptions, offline: string): Promise<readonly string[]> {
  const { repository } = hubSplit;
  const repo = { type: "dataset", name: repository } as const;
  try {
    // Loaded here, since most runs read files only.
    const { downloadFileToCacheDir, listFiles } = await import("@huggingface/hub");
    const paths: string[] = [];
    for await (const entry of listFiles({ repo, recursive: true, ...options })) {
      if (entry.type === "file") paths.push(entry.path);
    }
    const files: string[] = [];
    for (const path of filesOfSplit(paths, hubSplit)) files.push(await downloadFileToCacheDir({ repo, path, ...options }));
    return files;
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`the data set ${repository} could not be fetched from the hub (${requestReason(error)}); ${offline}.`, { cause: error });
  }
}

/**
 * The data files of a split among the paths of a repository: those whose name, or a folder above them, begins
 * with the split's name, e.g. `data/train-00000-of-00002.parquet`; a single data file without such a name
 * is the split `train`. Of several kinds the first of `DATA_ENDINGS` is taken.
 */
export function filesOfSplit(paths: readonly string[], { repository, config, split }: HubSplit): readonly string[] {
  const below = config === null ? "" : `${config}/`;
  const isData = (path: string) => DATA_ENDINGS.some((ending) => ending === extname(path));
  const data = paths.filter((path) => path.startsWith(below) && isData(path)).sort();
  const named = data.filter((path) => path.slice(below.length).split("/").some((part) => new RegExp(`^${split}(?![a-z0-9])`, "i").test(part)));
  const chosen = named.length === 0 && data.length === 1 && split === "train" ? data : named;
  const ending = DATA_ENDINGS.find((candidate) => chosen.some((path) => path.endsWith(candidate)));
  if (ending === undefined) {
    const found = data.length === 0 ? `no ${DATA_ENDINGS.join(", ")} files` : data.slice(0, 5).join(", ");
    throw new DataError(`the data set ${repository} has no files of the split \`${split}\`${config === null ? "" : ` in ${config}/`}; it has ${found}.`);
  }
  return chosen.filter((path) => path.endsWith(ending));
}
