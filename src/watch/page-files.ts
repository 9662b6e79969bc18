import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { filesBelow } from "../util/atomic-write.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
  ".woff": "font/woff",
  ".ttf": "font/ttf",
};

export interface PageFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
}

/** The folder of the built page, seen from the built package and from its sources; `null` where it is not built. */
export function builtPage(): string | null {
  const folders = ["../page/", "../../dist/page/"].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return folders.find((folder) => existsSync(`${folder}index.html`)) ?? null;
}

/**
 * Gives the files of a built page by their paths from its root, `/` for the page itself; `null` for what is none of
 * them. Names are compared with those that are there, so that no name leads elsewhere.
 */
export async function pageFile(folder: string, path: string): Promise<PageFile | null> {
  const name = path === "/" ? "index.html" : path.slice(1);
  // While the page is being built anew there is nothing for a moment.
  const names = (await filesBelow(folder).catch(() => [])).map((file) => file.replaceAll("\\", "/"));
  if (!names.includes(name)) return null;
  const bytes = await readFile(`${folder}/${name}`);
  return { bytes: new Uint8Array(bytes), type: TYPES[extname(name)] ?? "application/octet-stream" };
}
