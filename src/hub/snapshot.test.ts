import { mkdir, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startFakeHub } from "../../test/fake-hub.ts";
import type { FakeHub } from "../../test/fake-hub.ts";
import { hubAccess } from "./access.ts";
import type { DownloadProgress, HubAccess } from "./access.ts";
import { fetchSnapshot } from "./snapshot.ts";

const COMMIT = "a".repeat(40);
const WEIGHTS = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7) % 251));
const CONFIG = '{"model_type": "llama"}';

let hub: FakeHub;
beforeEach(async () => {
  const files = { "config.json": CONFIG, "model.safetensors": WEIGHTS, "README.md": "# A model", "empty.txt": "" };
  hub = await startFakeHub({ "someone/model": { commit: COMMIT, files, large: ["model.safetensors"] } });
});
afterEach(() => hub.close());

const fetchModel = (access: HubAccess = hub.access, choose: (paths: readonly string[]) => readonly string[] = (paths) => paths.filter((path) => path !== "README.md"), revision = "main") =>
  fetchSnapshot({ repository: { type: "model", name: "someone/model" }, revision, choose }, access);
const weightsOf = async (folder: string): Promise<Buffer> => readFile(join(folder, "model.safetensors"));
const downloads = (): string[] => hub.requests.filter((request) => request.includes("CDN"));
const blobs = (): Promise<string[]> => readdir(join(hub.access.cacheDir, "models--someone--model/blobs"));

describe("fetchSnapshot", () => {
  it("fetches the chosen files at one commit into the layout of the hub's own tools", async () => {
    const { commit, folder, files } = await fetchModel();
    const repository = join(hub.access.cacheDir, "models--someone--model");
    expect([commit, folder]).toEqual([COMMIT, join(repository, "snapshots", COMMIT)]);
    expect(files).toEqual(["config.json", "model.safetensors", "empty.txt"].map((path) => join(folder, path)));
    expect(await readFile(join(folder, "config.json"), "utf8")).toBe(CONFIG);
    expect((await weightsOf(folder)).equals(WEIGHTS)).toBe(true);
    // The blob of a large file is named by its SHA-256 (sha256sum), that of any other as git names it (git hash-object).
    expect(await readlink(join(folder, "model.safetensors"))).toBe("../../blobs/96ad0ddabe9c733d4550fde750255a94806811029be67504bd9bd68e556686b9");
    expect(await readlink(join(folder, "empty.txt"))).toBe("../../blobs/e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
    expect(await readFile(join(repository, "refs/main"), "utf8")).toBe(COMMIT);
  });

  it("downloads nothing that the cache has", async () => {
    await fetchModel();
    hub.requests.length = 0;
    await fetchModel(hub.access, undefined, COMMIT);
    expect(hub.requests.filter((request) => !request.includes("/api/"))).toEqual([]);
    // A blob of the right size is linked, one that is cut off is downloaded again.
    const [weights] = (await blobs()).filter((name) => name.length === 64);
    const blob = join(hub.access.cacheDir, "models--someone--model/blobs", weights!);
    await rm(join(hub.access.cacheDir, "models--someone--model/snapshots"), { recursive: true });
    expect((await weightsOf((await fetchModel()).folder)).equals(WEIGHTS)).toBe(true);
    expect(downloads()).toEqual([]);
    await writeFile(blob, WEIGHTS.subarray(0, 10));
    expect((await weightsOf((await fetchModel()).folder)).equals(WEIGHTS)).toBe(true);
    expect(downloads()).toHaveLength(1);
  });

  it("goes on where a cut download ended, with a range and without the part that is there", async () => {
    hub.faults.push({ cutAfter: 40_000 });
    const { folder } = await fetchModel(hub.access, () => ["model.safetensors"]);
    expect((await weightsOf(folder)).equals(WEIGHTS)).toBe(true);
    expect(downloads().map((request) => request.split(" ")[3])).toEqual(["bytes=0-", "bytes=40000-"]);
  });

  it("goes on where an earlier process ended", async () => {
    hub.faults.push({ cutAfter: 60_000 }, ...Array.from({ length: 5 }, () => ({ status: 503, message: "overloaded" })));
    await expect(fetchModel(hub.access, () => ["model.safetensors"])).rejects.toThrow("status 503, overloaded");
    expect(await blobs()).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.incomplete$/)]);
    hub.requests.length = 0;
    const seen: DownloadProgress[] = [];
    const { folder } = await fetchModel({ ...hub.access, progress: (progress) => seen.push(progress) }, () => ["model.safetensors"]);
    expect((await weightsOf(folder)).equals(WEIGHTS)).toBe(true);
    expect(downloads().map((request) => request.split(" ")[3])).toEqual(["bytes=60000-"]);
    expect(seen[0]!.received).toBeGreaterThan(60_000);
    expect(seen.at(-1)).toEqual({ repository: "someone/model", path: "model.safetensors", received: 100_000, total: 100_000 });
    expect((await blobs()).filter((name) => name.includes("incomplete"))).toEqual([]);
  });

  it("is done by two at once as by one", async () => {
    hub.faults.push({ cutAfter: 30_000 }, { cutAfter: 50_000 });
    const both = await Promise.all([1, 2].map(() => fetchModel(hub.access, () => ["model.safetensors"])));
    for (const { folder } of both) expect((await weightsOf(folder)).equals(WEIGHTS)).toBe(true);
    expect((await blobs()).length).toBe(1);
  });

  it("starts again where a server sends no ranges", async () => {
    const plain: typeof fetch = (input, init) => {
      const headers = new Headers(init?.headers);
      headers.delete("range");
      return fetch(input, { ...init, headers });
    };
    hub.faults.push({ cutAfter: 40_000 });
    expect((await weightsOf((await fetchModel({ ...hub.access, fetch: plain }, () => ["model.safetensors"])).folder)).equals(WEIGHTS)).toBe(true);
  });

  it("gives up on a server that never sends more", async () => {
    hub.faults.push(...Array.from({ length: 9 }, () => ({ cutAfter: 0 })));
    const waits: number[] = [];
    const wait = (milliseconds: number) => (waits.push(milliseconds), Promise.resolve());
    await expect(fetchModel({ ...hub.access, wait }, () => ["model.safetensors"])).rejects.toThrow(/terminated/);
    expect(waits).toEqual([2000, 4000, 8000, 16_000]);
  });

  it.each([
    ["model.safetensors", /^model\.safetensors arrived with the SHA-256 [0-9a-f]{64} instead of [0-9a-f]{64} and was removed, try again$/],
    ["config.json", /^config\.json arrived with the git hash [0-9a-f]{40} instead of [0-9a-f]{40} and was removed, try again$/],
  ])("refuses a wrong %s", async (path, message) => {
    const right = path === "config.json" ? Buffer.from(CONFIG) : WEIGHTS;
    hub.replaced.set(path, Buffer.alloc(right.length, 1));
    await expect(fetchModel(hub.access, () => [path])).rejects.toThrow(message);
    expect(await blobs()).toEqual([]);
    hub.replaced.clear();
    await expect(fetchModel(hub.access, () => [path])).resolves.toMatchObject({ commit: COMMIT });
  });

  it("sends the token to the hub, and to no host that it redirects to", async () => {
    await fetchModel();
    expect(downloads()).toEqual([expect.stringMatching(/ -$/)]);
    const others = hub.requests.filter((request) => !request.startsWith("CDN"));
    expect(others.length).toBeGreaterThan(3);
    expect(others.filter((request) => !request.endsWith(" Bearer hf_test"))).toEqual([]);
  });

  it("takes the token from its file, and goes without where there is none", async () => {
    const tokenFile = join(hub.access.cacheDir, "token");
    const tokens = async (): Promise<string[]> => {
      hub.requests.length = 0;
      await fetchModel({ ...hub.access, accessToken: null, tokenFile });
      return [...new Set(hub.requests.filter((request) => !request.startsWith("CDN")).map((request) => request.split(" ").slice(3).join(" ")))];
    };
    expect(await tokens()).toEqual(["-"]);
    await writeFile(tokenFile, "hf_file\n");
    expect(await tokens()).toEqual(["Bearer hf_file"]);
    await rm(tokenFile);
    await mkdir(tokenFile);
    await expect(tokens()).rejects.toThrow(`cannot read the hub's token in ${tokenFile}: illegal operation on a directory (EISDIR); mend the file or set HF_TOKEN.`);
  });

  it("passes on what the hub refuses, at once", async () => {
    hub.faults.push({ status: 403, message: "Access to model someone/model is restricted" });
    await expect(fetchModel()).rejects.toThrow("status 403, Access to model someone/model is restricted");
    await expect(fetchModel(hub.access, undefined, "v9")).rejects.toThrow("Invalid rev id: v9");
    await expect(fetchSnapshot({ repository: { type: "dataset", name: "some/one" }, revision: "main", choose: (paths) => paths }, hub.access)).rejects.toThrow("Repository not found");
  });

  it("refuses names that lead out of the cache", async () => {
    for (const path of ["../evil", "a/../../evil", "/etc/evil", "a\\..\\evil", "C:evil"]) {
      const evil = await startFakeHub({ "someone/model": { commit: COMMIT, files: { [path]: "x" } } });
      await expect(fetchModel(evil.access, (paths) => paths)).rejects.toThrow("has a name that cannot be kept safely");
      await evil.close();
    }
  });
});

describe("without the hub", () => {
  const unreachable = (): HubAccess => ({ ...hub.access, fetch: () => Promise.reject(new TypeError("fetch failed", { cause: new Error("getaddrinfo ENOTFOUND") })) });

  it("the cache is used, offline without a request", async () => {
    await fetchModel();
    const offline: HubAccess = { ...hub.access, offline: true, fetch: () => Promise.reject(new Error("a request")) };
    for (const revision of ["main", COMMIT]) expect(await fetchModel(offline, (paths) => paths.filter((path) => path === "config.json"), revision)).toMatchObject({ commit: COMMIT });
    const warnings: string[] = [];
    expect(await fetchModel({ ...unreachable(), warn: (message) => warnings.push(message) })).toMatchObject({ commit: COMMIT });
    expect(warnings).toEqual([`the hub cannot be reached (fetch failed: getaddrinfo ENOTFOUND); someone/model is taken from the cache, at ${COMMIT}.`]);
  });

  it("says what is missing", async () => {
    const offline: HubAccess = { ...hub.access, offline: true };
    const { cacheDir } = hub.access;
    await expect(fetchModel(offline)).rejects.toThrow(`HF_HUB_OFFLINE is set, and the cache ${cacheDir} has no \`main\` of it`);
    await expect(fetchModel(offline, undefined, COMMIT)).rejects.toThrow(`has no \`${COMMIT}\` of it`);
    await expect(fetchModel(unreachable())).rejects.toThrow("fetch failed");
    await fetchModel(hub.access, () => ["config.json"]);
    const choose = () => {
      throw new Error("no weights");
    };
    await expect(fetchModel(offline, choose)).rejects.toThrow(`the cache ${cacheDir} has only a part of it: no weights`);
  });
});

describe("hubAccess", () => {
  const home = process.env.HOME ?? "";

  it("is read from the variables of the hub's own tools", () => {
    expect(hubAccess({})).toEqual({ hubUrl: "https://huggingface.co", accessToken: null, tokenFile: `${home}/.cache/huggingface/token`, cacheDir: `${home}/.cache/huggingface/hub`, offline: false });
    expect(hubAccess({ XDG_CACHE_HOME: "/x", HF_TOKEN: " hf_a\n", HF_ENDPOINT: "https://mirror.example/" })).toMatchObject({ hubUrl: "https://mirror.example", accessToken: "hf_a", tokenFile: "/x/huggingface/token", cacheDir: "/x/huggingface/hub" });
    expect(hubAccess({ XDG_CACHE_HOME: "/x", HF_HOME: "~/hf", HF_TOKEN: "", HUGGING_FACE_HUB_TOKEN: "hf_b" })).toMatchObject({ accessToken: "hf_b", tokenFile: `${home}/hf/token`, cacheDir: `${home}/hf/hub` });
    expect(hubAccess({ HF_HOME: "/h", HF_HUB_CACHE: "/c", HUGGINGFACE_HUB_CACHE: "/d", HF_TOKEN_PATH: "/t" })).toMatchObject({ tokenFile: "/t", cacheDir: "/c" });
    expect(["1", "ON", "yes", "True", "0", "", "no"].map((value) => hubAccess({ HF_HUB_OFFLINE: value }).offline)).toEqual([true, true, true, true, false, false, false]);
  });
});
