import { basename, extname } from "node:path";
import { DataError } from "../errors.ts";
import { fetchSnapshot } from "../hub/index.ts";
import type { HubAccess } from "../hub/index.ts";
import { requestReason } from "../util/system-error.ts";
import { DATA_ENDINGS } from "./tables.ts";

/** A split of a data set of the hub. `config` is the folder of its repository that holds it, or `null`. */
export interface HubSplit {
  readonly repository: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  readonly config: string | null;
  readonly split: string;
}

/** The files of a split on this machine, in the order of their names, and the commit that they are of. */
export interface FetchedSplit {
  readonly commit: string;
  readonly files: readonly string[];
}

/**
 * Fetches a split; what is in the cache is not downloaded again. Throws DataError when the hub cannot be
 * reached, refuses, or holds no such split; `offline` ends its sentence with what to do without the hub.
 */
export async function fetchSplit(hubSplit: HubSplit, access: HubAccess, offline: string): Promise<FetchedSplit> {
  const { repository, revision } = hubSplit;
  try {
    return await fetchSnapshot({ repository: { type: "dataset", name: repository }, revision, choose: (paths) => filesOfSplit(paths, hubSplit) }, access);
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
export function filesOfSplit(paths: readonly string[], { repository, config, split }: Omit<HubSplit, "revision">): readonly string[] {
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
  const files = chosen.filter((path) => path.endsWith(ending));
  const parts = Math.max(...files.map((path) => Number(/-of-(\d+)\./.exec(basename(path))?.[1] ?? 1)));
  if (files.length < parts) throw new DataError(`the data set ${repository} has only ${files.length} of the ${parts} files of its split \`${split}\`: ${files.join(", ")}.`);
  return files;
}
