import { join } from "node:path";
import { filesBelow } from "../util/atomic-write.ts";
import { requestReason } from "../util/system-error.ts";
import { hubFetch } from "./access.ts";
import type { HubAccess } from "./access.ts";
import { cachedCommit, isCommit, linkBlob, noteCommit, repositoryFolder, sizeOf } from "./cache.ts";
import type { Repository } from "./cache.ts";
import { downloadBlob } from "./download.ts";
import type { RemoteFile } from "./download.ts";

/** Files of one commit of a repository, on this machine. */
export interface Snapshot {
  readonly commit: string;
  readonly folder: string;
  /** Paths of the chosen files, in the order of the choice. */
  readonly files: readonly string[];
}

export interface SnapshotRequest {
  readonly repository: Repository;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** The paths that are needed among those that there are; throws when they are not what is needed. */
  readonly choose: (paths: readonly string[]) => readonly string[];
}

/**
 * Files of a repository of the hub, all of the commit that the revision stands for now. What is in the cache
 * is used; the rest is downloaded into it. Offline, or when the hub cannot be reached, the cache alone has
 * to do. Throws what `choose` throws, or an Error with what went wrong.
 */
export async function fetchSnapshot(request: SnapshotRequest, access: HubAccess): Promise<Snapshot> {
  if (access.offline) return cachedSnapshot(request, access);
  let listing;
  try {
    listing = await listRepository(request, access);
  } catch (error) {
    // `fetch` throws TypeErrors when it gets no answer.
    const cached = error instanceof TypeError ? await cachedSnapshot(request, access).catch(() => null) : null;
    if (cached === null) throw error;
    access.warn?.(`the hub cannot be reached (${requestReason(error)}); ${request.repository.name} is taken from the cache, at ${cached.commit}.`);
    return cached;
  }
  return download(request, listing, access);
}

interface Listing {
  readonly commit: string;
  readonly files: readonly RemoteFile[];
}

async function listRepository({ repository, revision }: SnapshotRequest, access: HubAccess): Promise<Listing> {
  // Loaded here, since most runs use what is on the machine.
  const { datasetInfo, listFiles, modelInfo } = await import("@huggingface/hub");
  const { type, name } = repository;
  const hub = { hubUrl: access.hubUrl, fetch: hubFetch(access) };
  const asked = { name, revision, additionalFields: ["sha" as const], ...hub };
  const { sha } = await (type === "model" ? modelInfo(asked) : datasetInfo(asked));
  if (!isCommit(sha)) throw new Error(`the hub names \`${sha}\` as the commit of \`${revision}\``);
  const files: RemoteFile[] = [];
  // A model lies in the top folder; below may lie a great many checkpoints.
  for await (const { type: kind, path, size, oid, lfs } of listFiles({ repo: { type, name }, revision: sha, recursive: type === "dataset", ...hub })) {
    if (kind === "file") files.push({ path, size, etag: lfs?.oid ?? oid ?? "" });
  }
  return { commit: sha, files };
}

async function download({ repository, revision, choose }: SnapshotRequest, { commit, files }: Listing, access: HubAccess): Promise<Snapshot> {
  const root = repositoryFolder(repository, access.cacheDir);
  const folder = join(root, "snapshots", commit);
  const chosen = choose(files.map(({ path }) => path)).map((path) => checked(files.find((file) => file.path === path)!));
  const missing: RemoteFile[] = [];
  for (const file of chosen) if ((await sizeOf(join(folder, file.path))) !== file.size) missing.push(file);
  const total = missing.reduce((bytes, { size }) => bytes + size, 0);
  let before = 0;
  for (const file of missing) {
    const { path, size, etag } = file;
    const blob = join(root, "blobs", etag);
    const received = (bytes: number): void => access.progress?.({ repository: repository.name, path, received: before + bytes, total });
    if ((await sizeOf(blob)) !== size) await downloadBlob(fileUrl(repository, commit, path, access), file, blob, access, received);
    await linkBlob(blob, join(folder, path));
    before += size;
  }
  // Only now, so that a name in the cache stands for something whole.
  await noteCommit(root, revision, commit);
  return { commit, folder, files: chosen.map(({ path }) => join(folder, path)) };
}

async function cachedSnapshot({ repository, revision, choose }: SnapshotRequest, { cacheDir }: HubAccess): Promise<Snapshot> {
  const root = repositoryFolder(repository, cacheDir);
  const commit = await cachedCommit(root, revision);
  const folder = join(root, "snapshots", commit ?? "");
  const paths = commit === null ? [] : await filesBelow(folder).catch(() => []);
  if (commit === null || paths.length === 0) throw new Error(`HF_HUB_OFFLINE is set, and the cache ${cacheDir} has no \`${revision}\` of it`);
  try {
    // Paths of a repository have slashes everywhere.
    const chosen = choose(paths.map((path) => path.replaceAll("\\", "/")));
    return { commit, folder, files: chosen.map((path) => join(folder, path)) };
  } catch (error) {
    throw new Error(`HF_HUB_OFFLINE is set, and the cache ${cacheDir} has only a part of it: ${requestReason(error)}`, { cause: error });
  }
}

function fileUrl({ type, name }: Repository, commit: string, path: string, { hubUrl }: HubAccess): string {
  return `${hubUrl}/${type === "dataset" ? "datasets/" : ""}${name}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** Refuses a name or etag that would lie outside of the cache. */
function checked(file: RemoteFile): RemoteFile {
  const { path, etag } = file;
  if (path.split("/").includes("..") || /^\/|[\\:]/.test(path)) throw new Error(`its file ${path} has a name that cannot be kept safely`);
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(etag)) throw new Error(`the hub states no checksum of ${path}`);
  return file;
}
