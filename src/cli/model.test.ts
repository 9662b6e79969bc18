import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFakeHub } from "../../test/fake-hub.ts";
import type { FakeHub } from "../../test/fake-hub.ts";
import { ModelError } from "../errors.ts";
import { createEngine } from "../onnx/engine.ts";
import { builtinModelFolder } from "../tasks/index.ts";
import { localModel, weightsFingerprint } from "./model.ts";

/** A tiny Llama in two weight files, as a repository of the hub. */
const GOLDEN = fileURLToPath(new URL("../../test/golden/llama", import.meta.url));
const NAME = "someone/tiny-llama";
const COMMIT = "a".repeat(40);

let hub: FakeHub;
beforeAll(async () => {
  const files: Record<string, Buffer> = { "pytorch_model.bin": Buffer.from("the same weights once more") };
  for (const name of await readdir(GOLDEN)) files[name] = await readFile(join(GOLDEN, name));
  hub = await startFakeHub({ [NAME]: { commit: COMMIT, files, large: Object.keys(files).filter((name) => name.endsWith(".safetensors")) }, "someone/notes": { commit: COMMIT, files: { "config.json": "{}" } } });
});
afterAll(() => hub.close());

describe("the model that a config names", () => {
  it("is the built-in one, or a folder as it is", async () => {
    expect(await localModel("builtin", hub.access)).toEqual({ name: "builtin", folder: builtinModelFolder() });
    expect(await localModel(GOLDEN, hub.access)).toEqual({ name: GOLDEN, folder: GOLDEN });
  });

  it("is fetched from the hub at one commit, without the weights in other formats, and runs", async () => {
    const { name, folder } = await localModel(NAME, hub.access);
    expect(name).toBe(`${NAME}@${COMMIT}`);
    expect(folder).toContain(COMMIT);
    expect((await readdir(folder)).sort()).toEqual(["config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"]);
    const policy = await createEngine({ model: folder, threads: 1 });
    expect(policy.description.parameters).toBeGreaterThan(1000);
    await policy.close();
  });

  it("is taken from the cache the next time", async () => {
    hub.requests.length = 0;
    const { name, folder } = await localModel(NAME, hub.access);
    expect(await localModel(name, hub.access)).toEqual({ name, folder });
    expect(hub.requests.filter((request) => request.includes("/resolve/"))).toEqual([]);
  });

  it("is known by its weights, wherever it lies", async () => {
    const folder = join(hub.access.cacheDir, "copy");
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
      ["someone/notes", /^the repository someone\/notes of the hub holds no model that can be read; expected a config\.json and \.safetensors files\.$/],
    ] as const) {
      const error: unknown = await localModel(model, hub.access).catch((failure: unknown) => failure);
      expect(error).toBeInstanceOf(ModelError);
      expect((error as Error).message).toMatch(expected);
    }
    const unreachable = { ...hub.access, cacheDir: GOLDEN, fetch: () => Promise.reject(new TypeError("fetch failed", { cause: new Error("getaddrinfo ENOTFOUND") })) };
    await expect(localModel(NAME, unreachable)).rejects.toThrow("could not be fetched from the hub (fetch failed: getaddrinfo ENOTFOUND)");
    await expect(localModel(NAME, { ...hub.access, cacheDir: GOLDEN, offline: true })).rejects.toThrow(
      `there is no folder ${NAME}, and the model could not be fetched from the hub (HF_HUB_OFFLINE is set, and the cache ${GOLDEN} has no \`main\` of it); check the name, or give the path of a model folder.`,
    );
  });
});
