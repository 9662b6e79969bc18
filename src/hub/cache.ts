import { randomUUID } from "node:crypto";
import { copyFile, mkdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

/**
 * The cache of the hub's own tools: `models--OWNER--NAME/` or `datasets--OWNER--NAME/` with the content of
 * files in `blobs/` under their etags, links to it in `snapshots/COMMIT/`, and in `refs/` the commit that a
 * branch or tag stood for (huggingface.co/docs/huggingface_hub/guides/manage-cache).
 */
export interface Repository {
  readonly type: "model" | "dataset";
  /** `owner/name`. */
  readonly name: string;
}

/** Whether a revision is a commit, in full. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** The folder of a repository in a cache. */
export function repositoryFolder({ type, name }: Repository, cacheDir: string): string {
  return join(cacheDir, `${type}s--${name.replaceAll("/", "--")}`);
}

/** The commit that a revision stood for when it was last fetched: a commit is its own; `null` for one that never was. */
export async function cachedCommit(folder: string, revision: string): Promise<string | null> {
  if (isCommit(revision)) return revision;
  const noted = (await readFile(join(folder, "refs", revision), "utf8").catch(() => "")).trim();
  return isCommit(noted) ? noted : null;
}

/** Notes the commit that a revision stands for. */
export async function noteCommit(folder: string, revision: string, commit: string): Promise<void> {
  if (isCommit(revision)) return;
  const file = join(folder, "refs", revision);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, commit);
}

/** Makes a blob a file of a snapshot, at once, since other processes may be reading there. */
export async function linkBlob(blob: string, pointer: string): Promise<void> {
  await mkdir(dirname(pointer), { recursive: true });
  const fresh = `${pointer}.${randomUUID()}`;
  // Windows lets not everybody make links: the hub's own tools copy there, too.
  await symlink(relative(dirname(pointer), blob), fresh).catch(() => copyFile(blob, fresh));
  await rename(fresh, pointer);
}

/** Bytes of a file, links followed, or `null` where there is none. */
export async function sizeOf(path: string): Promise<number | null> {
  return (await stat(path).catch(() => null))?.size ?? null;
}
