import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where the scripts put what the tests want and the repository does not hold. */
export const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "selftrain");

/** A folder of the cache and whether it is there; prints what the tests skip where it is not, and the script that makes it. */
export function cached(name: string, script: string): { readonly folder: string; readonly present: boolean } {
  const folder = join(cache, name);
  const present = existsSync(folder);
  if (!present) console.warn(`skipped: ${folder} does not exist; ${script} makes it`);
  return { folder, present };
}
