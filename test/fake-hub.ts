import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HubAccess } from "../src/hub/index.ts";

/** A repository that a fake hub serves: one commit, which `main` is. */
export interface FakeRepository {
  readonly commit: string;
  readonly files: Readonly<Record<string, Buffer | string>>;
  /** Files of Git LFS: their etag is their SHA-256, and they lie on another host. */
  readonly large?: readonly string[];
}

export interface FakeHub {
  /** `METHOD /path range token` of every request since it was last emptied; those of the other host begin with `CDN`. */
  readonly requests: string[];
  /** How the hub is reached; waiting takes no time. The cache is a new empty folder. */
  readonly access: HubAccess;
  /** What the next requests for the content of a file get instead of it: so many bytes and a cut, or a status. */
  readonly faults: ({ readonly cutAfter: number } | { readonly status: number; readonly message?: string })[];
  /** Contents sent in place of those that are listed, by path. */
  readonly replaced: Map<string, Buffer>;
  readonly close: () => Promise<void>;
}

/** A server of repositories by name, data sets as `datasets/OWNER/NAME`, that answers as the hub does (huggingface.co/docs/hub/api), with another host for large files. */
export async function startFakeHub(repositories: Readonly<Record<string, FakeRepository>>): Promise<FakeHub> {
  const cacheDir = await mkdtemp(join(tmpdir(), "selftrain-hub-"));
  const requests: string[] = [];
  const faults: FakeHub["faults"] = [];
  const replaced = new Map<string, Buffer>();
  const content = (request: IncomingMessage, response: ServerResponse, path: string, bytes: Buffer): void => {
    const fault = faults.shift();
    if (fault !== undefined && "status" in fault) response.writeHead(fault.status, { "x-error-message": fault.message ?? "" }).end();
    else sendRange(request, response, replaced.get(path) ?? bytes, fault?.cutAfter);
  };
  const cdn = await listen((request, response) => {
    requests.push(`CDN ${described(request)}`);
    const [key, { files }] = Object.entries(repositories).find(([each]) => pathOf(request).startsWith(`/${each}/`))!;
    const path = pathOf(request).slice(key.length + 2);
    content(request, response, path, Buffer.from(files[path]!));
  });
  const hub = await listen((request, response) => {
    requests.push(described(request));
    const json = (value: unknown, status = 200): unknown => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    const [, isApi, kind, name, action, revision, path] = /^(\/api)?\/(?:(datasets|models)\/)?([^/]+\/[^/]+)\/(revision|tree|resolve)\/([^/]+)\/?(.*)$/.exec(pathOf(request)) ?? [];
    const key = kind === "datasets" ? `datasets/${name!}` : (name ?? "");
    const repository = repositories[key];
    if (repository === undefined) return json({ error: "Repository not found" }, 404);
    const { commit, files, large = [] } = repository;
    if (revision !== commit && revision !== "main") return json({ error: `Invalid rev id: ${revision!}` }, 404);
    if (isApi !== undefined) {
      const entries = Object.entries(files).map(([each, bytes]) => entryOf(each, Buffer.from(bytes), large.includes(each)));
      return json(action === "tree" ? entries : { _id: "1", id: name, sha: commit, private: false, gated: false, downloads: 0, likes: 0, lastModified: "2026-01-01T00:00:00Z" });
    }
    if (files[path!] === undefined) return json({ error: "Entry not found" }, 404);
    const bytes = Buffer.from(files[path!]!);
    response.setHeader("x-repo-commit", commit);
    if (large.includes(path!)) {
      return response.writeHead(302, { location: `${cdn.url}/${key}/${path!}`, "x-linked-etag": `"${sha256(bytes)}"`, "x-linked-size": bytes.length }).end();
    }
    response.setHeader("etag", `"${gitHash(bytes)}"`);
    content(request, response, path!, bytes);
  });
  const access: HubAccess = { hubUrl: hub.url, cacheDir, accessToken: "hf_test", tokenFile: null, offline: false, wait: () => Promise.resolve() };
  const close = async (): Promise<void> => {
    hub.close();
    cdn.close();
    await rm(cacheDir, { recursive: true });
  };
  return { requests, access, faults, replaced, close };
}

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
/** Git's name of a file's content. */
const gitHash = (bytes: Buffer): string => createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
const pathOf = (request: IncomingMessage): string => decodeURIComponent(request.url!.replace(/\?.*/, ""));
const described = (request: IncomingMessage): string => [request.method, pathOf(request), request.headers.range ?? "-", request.headers.authorization ?? "-"].join(" ");

function entryOf(path: string, bytes: Buffer, isLarge: boolean) {
  const lfs = { oid: sha256(bytes), size: bytes.length, pointerSize: 130 };
  return { type: "file", path, size: bytes.length, oid: gitHash(bytes), ...(isLarge ? { lfs } : {}) };
}

/** Sends the asked-for part of a file; with `cutAfter`, breaks the connection after so many bytes of it. */
function sendRange(request: IncomingMessage, response: ServerResponse, bytes: Buffer, cutAfter: number | undefined): void {
  const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "");
  const first = Number(range?.[1] ?? 0);
  const last = range?.[2] ? Number(range[2]) : bytes.length - 1;
  const part = bytes.subarray(first, last + 1);
  response.writeHead(range === null ? 200 : 206, { "content-length": part.length, ...(range === null ? {} : { "content-range": `bytes ${first}-${last}/${bytes.length}` }) });
  if (cutAfter === undefined) response.end(part);
  else response.write(part.subarray(0, cutAfter), () => setTimeout(() => response.destroy(), 20));
}

async function listen(listener: RequestListener): Promise<{ readonly url: string; readonly close: () => void }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}
