import { mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Name of the hidden sibling that is written before a rename; whoever owns the folder may delete leftovers. */
export function partialPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.partial`);
}

/**
 * Writes a file whole or not at all: into a hidden sibling, to the disk (fsync), then renamed over `path`.
 * Throws the system's error, after removing the sibling, and leaves an earlier file of that name as it was.
 */
export async function writeFileAtomically(path: string, data: string | Uint8Array): Promise<void> {
  const partial = partialPath(path);
  try {
    await writeFile(partial, data);
    await sync(partial, "r+");
    await rename(partial, path);
  } catch (error) {
    await removeQuietly(partial);
    throw error;
  }
  await syncDirectory(dirname(path));
}

/**
 * Writes a directory whole or not at all: `write` fills a hidden sibling, which is then flushed to the disk
 * and renamed to `path`, where nothing may be. Throws what `write` or the system throws, after removing it.
 */
export async function writeDirectoryAtomically(path: string, write: (directory: string) => Promise<void>): Promise<void> {
  const partial = partialPath(path);
  try {
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    await write(partial);
    await syncTree(partial);
    await rename(partial, path);
  } catch (error) {
    await removeQuietly(partial);
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Paths of all files below a directory, relative to it, in alphabetical order. */
export async function filesBelow(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const nested = await Promise.all(
    entries.map(async (entry) =>
      entry.isDirectory() ? (await filesBelow(join(directory, entry.name))).map((name) => join(entry.name, name)) : [entry.name],
    ),
  );
  return nested.flat().sort();
}

/** Removes what a killed process left unfinished in a folder: every entry with a name of `partialPath`. */
export async function removePartials(directory: string): Promise<void> {
  const names = await readdir(directory);
  const partials = names.filter((name) => name.startsWith(".") && name.endsWith(".partial"));
  await Promise.all(partials.map((name) => rm(join(directory, name), { recursive: true, force: true })));
}

async function syncTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await syncTree(path);
    else await sync(path, "r+");
  }
  await syncDirectory(directory);
}

/** Makes renames inside a directory durable. Windows has no such call: its file systems order them themselves. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform !== "win32") await sync(directory, "r");
}

async function sync(path: string, flags: string): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The first error is the one that matters: a failing removal must not replace it. */
async function removeQuietly(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(() => undefined);
}
