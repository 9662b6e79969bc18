import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ModelError } from "../errors.ts";
import { createEngine } from "../onnx/engine.ts";
import { builtinModelFolder } from "../tasks/index.ts";
import { localModel, weightsFingerprint } from "./model.ts";

/** A tiny Llama in two weight files, served as the hub serves a model (huggingface.co/docs/hub/api). */
const GOLDEN = fileURLToPath(new URL("../../test/golden/llama", import.meta.url));
const NAME = "someone/tiny-llama";
const COMMIT = "a".repeat(40);

let server: Server;
let cacheDir = "";
const requests: string[] = [];
const files = new Map<string, Buffer>();
const hub = () => ({ hubUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cacheDir, accessToken: "hf_test" });

beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "selftrain-hub-"));
  for (const name of await readdir(GOLDEN)) files.set(name, await readFile(join(GOLDEN, name)));
  files.set("pytorch_model.bin", Buffer.from("the same weights once more"));
  const entries = [...files].map(([path, content]) => ({ type: "file", path, size: content.length, oid: Buffer.from(path).toString("hex") }));
  server = createServer((request, response) => {
    const path = decodeURIComponent(request.url!.replace(/\?.*/, ""));
    requests.push(`${request.method!} ${path}`);
    const json = (value: unknown) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
    if (path === `/api/models/${NAME}/revision/main` || path === `/api/models/${NAME}/revision/${COMMIT}`) return json({ _id: "1", id: NAME, sha: COMMIT, private: false, gated: false, downloads: 0, likes: 0, lastModified: "2026-01-01T00:00:00Z" });
    if (path === `/api/models/${NAME}/tree/${COMMIT}`) return json(entries);
    if (path === `/api/models/${NAME}/paths-info/${COMMIT}`) {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => json(entries.filter((entry) => (JSON.parse(body) as { paths: string[] }).paths.includes(entry.path))));
      return;
    }
    const content = files.get(path.replace(`/${NAME}/resolve/${COMMIT}/`, ""));
    if (content === undefined) return response.writeHead(404, { "content-type": "application/json" }).end('{"error": "Repository not found"}');
    const [, first, last] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "") ?? [];
    const end = last === undefined || last === "" ? content.length - 1 : Number(last);
    response.writeHead(first === undefined ? 200 : 206, { etag: '"x"', "content-range": `bytes ${first ?? 0}-${end}/${content.length}` }).end(content.subarray(Number(first ?? 0), end + 1));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  server.close();
  await rm(cacheDir, { recursive: true });
});

describe("the model that a config names", () => {
  it("is the built-in one, or a folder as it is", async () => {
    expect(await localModel("builtin", { hub: hub() })).toEqual({ name: "builtin", folder: builtinModelFolder() });
    expect(await localModel(GOLDEN, { hub: hub() })).toEqual({ name: GOLDEN, folder: GOLDEN });
  });

  it("is fetched from the hub at one commit, without the weights in other formats, and runs", async () => {
    const seen: string[] = [];
    const { name, folder } = await localModel(NAME, { hub: hub(), status: (message) => seen.push(message) });
    expect(name).toBe(`${NAME}@${COMMIT}`);
    expect(folder).toContain(COMMIT);
    expect((await readdir(folder)).sort()).toEqual(["config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"]);
    expect(seen.at(-1)).toMatch(/^fetching someone\/tiny-llama: .* file 4 of 4 …$/);
    const policy = await createEngine({ model: folder, threads: 1 });
    expect(policy.description.parameters).toBeGreaterThan(1000);
    await policy.close();
  });

  it("is taken from the cache the next time", async () => {
    requests.length = 0;
    const { name, folder } = await localModel(NAME, { hub: hub() });
    expect(await localModel(name, { hub: hub() })).toEqual({ name, folder });
    expect(requests.filter((request) => request.includes("/resolve/"))).toEqual([]);
  });

  it("is known by its weights, wherever it lies", async () => {
    const folder = join(cacheDir, "copy");
    await cp(GOLDEN, folder, { recursive: true });
    const original = await weightsFingerprint(GOLDEN);
    expect(await weightsFingerprint(folder)).toBe(original);
    const file = join(folder, "model-00002-of-00002.safetensors");
    const bytes = await readFile(file);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(file, bytes);
    expect(await weightsFingerprint(folder)).not.toBe(original);
  });

  it("is refused in one sentence when it is nowhere", async () => {
    for (const [model, expected] of [
      ["no-folder", /^`model` is `no-folder`, which is neither `builtin`, nor a folder here, nor an id of the hub/],
      ["someone/else", /^there is no folder someone\/else, and the model could not be fetched from the hub \(Repository not found.*\); check the name, or give the path of a model folder\.$/],
    ] as const) {
      const error: unknown = await localModel(model, { hub: hub() }).catch((failure: unknown) => failure);
      expect(error).toBeInstanceOf(ModelError);
      expect((error as Error).message).toMatch(expected);
    }
    const offline = { ...hub(), fetch: () => Promise.reject(new TypeError("fetch failed", { cause: new Error("getaddrinfo ENOTFOUND") })) };
    await expect(localModel(NAME, { hub: offline })).rejects.toThrow("could not be fetched from the hub (fetch failed: getaddrinfo ENOTFOUND)");
  });
});
