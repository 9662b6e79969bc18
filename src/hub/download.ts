import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { sha256OfFile } from "../util/sha256.ts";
import { hubFetch } from "./access.ts";
import type { HubAccess } from "./access.ts";
import { sizeOf } from "./cache.ts";

/** A file of a repository, as the hub lists it. */
export interface RemoteFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Name of its content: the SHA-256 of a large file (Git LFS), git's own SHA-1 of any other. */
  readonly etag: string;
}

/** Attempts that bring nothing before a download is given up. */
const ATTEMPTS = 5;

/**
 * Downloads a file to the path of its blob, and first beside it with the ending `.incomplete`: a download
 * that was cut, by this process or an earlier one, goes on from there with a Range request (RFC 9110,
 * section 14). Every byte is written at its own position, so that two processes can fetch one file. Size and
 * checksum are verified before the blob gets its name. `received` is told the bytes that are here. Throws
 * HubApiError with what the hub says, TypeError when it cannot be reached, the system's error, or Error for a wrong file.
 */
export async function downloadBlob(url: string, file: RemoteFile, blob: string, access: HubAccess, received: (bytes: number) => void): Promise<void> {
  const partial = `${blob}.incomplete`;
  await mkdir(dirname(blob), { recursive: true });
  try {
    await complete(url, file, partial, access, received);
    await verify(partial, file);
    await rename(partial, blob);
  } catch (error) {
    // Another process may have been first.
    if ((await sizeOf(blob)) !== file.size) throw error;
  }
}

/** Fills the file up, in as many requests as it takes. */
async function complete(url: string, file: RemoteFile, partial: string, access: HubAccess, received: (bytes: number) => void): Promise<void> {
  // What is longer than the file is nothing to go on with.
  const isTooLong = ((await sizeOf(partial)) ?? 0) > file.size;
  await (await open(partial, isTooLong ? "w" : "a")).close();
  let have = (await sizeOf(partial)) ?? 0;
  let fruitless = 0;
  while (have < file.size) {
    const before = have;
    let failure: unknown = new TypeError(`${file.path} ends after ${have} of ${file.size} bytes`);
    try {
      await appendRest(url, partial, have, access, received);
    } catch (error) {
      if (!(await mayPass(error))) throw error;
      failure = error;
    }
    have = (await sizeOf(partial)) ?? 0;
    if (have >= file.size) return;
    fruitless = have > before ? 0 : fruitless + 1;
    if (fruitless === ATTEMPTS) throw failure;
    await (access.wait ?? sleep)(1000 * 2 ** fruitless);
  }
}

async function appendRest(url: string, partial: string, have: number, access: HubAccess, received: (bytes: number) => void): Promise<void> {
  // Compressed on its way, a file would have other positions.
  const response = await hubFetch(access)(url, { headers: { range: `bytes=${have}-`, "accept-encoding": "identity" } });
  if (!response.ok || response.body === null) throw await refusal(response);
  // A server without ranges sends all from the start.
  let position = response.status === 206 ? Number(/^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1]) : 0;
  if (position !== have && position !== 0) throw new Error(`asked for the bytes from ${have}, ${new URL(url).host} sent others (${response.headers.get("content-range") ?? "no Content-Range"})`);
  const counted = async function* (parts: AsyncIterable<Uint8Array>) {
    for await (const part of parts) {
      yield part;
      received((position += part.length));
    }
  };
  await pipeline(response.body, counted, createWriteStream(partial, { flags: "r+", start: position }));
}

/** What the hub says of a request that it refuses: gated repositories and missing files come with a header. */
async function refusal(response: Response): Promise<Error> {
  const { HubApiError } = await import("@huggingface/hub");
  await response.body?.cancel();
  const said = response.headers.get("x-error-message") ?? response.statusText;
  return new HubApiError(response.url, response.status, undefined, `status ${response.status}${said === "" ? "" : `, ${said}`}`);
}

/** Whether the same request may succeed later: `fetch` throws TypeErrors for everything between here and the server. */
async function mayPass(error: unknown): Promise<boolean> {
  const { HubApiError } = await import("@huggingface/hub");
  return error instanceof TypeError || (error instanceof HubApiError && (error.statusCode >= 500 || error.statusCode === 429));
}

async function verify(partial: string, { path, size, etag }: RemoteFile): Promise<void> {
  const isSha256 = etag.length === 64;
  const found = isSha256 ? await sha256OfFile(partial) : await gitHash(partial, size);
  if (found === etag) return;
  await rm(partial, { force: true });
  throw new Error(`${path} arrived with the ${isSha256 ? "SHA-256" : "git hash"} ${found} instead of ${etag} and was removed, try again`);
}

/** Git's name of a file's content (git-scm.com/book, Git Internals, Git Objects). */
async function gitHash(path: string, size: number): Promise<string> {
  const hash = createHash("sha1").update(`blob ${size}\0`);
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
