import { cp, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TINY_CONFIG, writeTinyModel } from "../../test/tiny-model.ts";
import { ModelError } from "../errors.ts";
import { createOnnxPolicy } from "./index.ts";
import { loadModel, saveModel, storedTensors } from "./model-folder.ts";

let model = "";
beforeAll(async () => {
  model = await writeTinyModel();
});
afterAll(() => rm(model, { recursive: true }));

/** A copy of the model that a test may damage. */
async function damaged(damage: (folder: string) => Promise<unknown>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "selftrain-damaged-"));
  await cp(model, folder, { recursive: true });
  await damage(folder);
  return folder;
}

/** Makes the last number of a file of floats a NaN. */
async function spoil(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes.writeFloatLE(Number.NaN, bytes.length - 4);
  await writeFile(path, bytes);
}

const config = (changes: object) => (folder: string) => writeFile(join(folder, "config.json"), JSON.stringify({ ...TINY_CONFIG, ...changes }));

describe("a model folder that cannot be used is refused in one sentence", () => {
  const cases: [string, (folder: string) => Promise<unknown>, RegExp][] = [
    ["no config", (folder) => rm(join(folder, "config.json")), /is not a model folder: it has no readable config\.json/],
    ["a config that is no JSON", (folder) => writeFile(join(folder, "config.json"), "{"), /config\.json is not valid JSON/],
    ["a config without a size", config({ hidden_size: undefined }), /config\.json: .*hidden_size/],
    ["an unknown architecture", config({ architectures: ["MambaForCausalLM"] }), /architecture MambaForCausalLM is not supported; supported: LlamaForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM/],
    ["an unknown rope scaling", config({ rope_scaling: { rope_type: "yarn", factor: 4 } }), /rope_type yarn is not supported; supported: default, llama3/],
    ["a rope scaling without its numbers", config({ rope_scaling: { rope_type: "llama3", factor: 8 } }), /rope_type llama3 needs factor, low_freq_factor/],
    ["no weights", (folder) => rm(join(folder, "model.safetensors")), /has no weights: neither model\.safetensors nor model\.safetensors\.index\.json is there/],
    ["truncated weights", (folder) => truncate(join(folder, "model.safetensors"), 5000), /model\.safetensors is truncated/],
    ["a number that is not finite", (folder) => spoil(join(folder, "model.safetensors")), /model\.safetensors: .* holds numbers that are not finite/],
    ["an empty file", (folder) => truncate(join(folder, "model.safetensors"), 0), /no complete safetensors file/],
    ["another shape", config({ intermediate_size: 41 }), /gate_proj\.weight has shape \[40, 24\], config\.json says \[41, 24\]/],
    ["a missing layer", config({ num_hidden_layers: 3 }), /has no tensor model\.layers\.2\.input_layernorm\.weight/],
  ];
  for (const [name, damage, expected] of cases) {
    it(name, async () => {
      const folder = await damaged(damage);
      const error: unknown = await loadModel(folder).catch((failure: unknown) => failure);
      await rm(folder, { recursive: true });
      expect(error).toBeInstanceOf(ModelError);
      expect((error as ModelError).message).toMatch(expected);
      expect((error as ModelError).message).toContain(folder);
    });
  }

  it("reaches the caller through the engine's thread as the same class", async () => {
    await expect(createOnnxPolicy({ model: "/nowhere", threads: 1 })).rejects.toThrow(ModelError);
  });
});

it("saves what it loaded, byte for byte", async () => {
  const { flat, layout } = await loadModel(model);
  const copy = await mkdtemp(join(tmpdir(), "selftrain-copy-"));
  await saveModel(copy, model, storedTensors(flat, layout));
  expect(await readFile(join(copy, "model.safetensors"))).toEqual(await readFile(join(model, "model.safetensors")));
  expect(await readFile(join(copy, "config.json"))).toEqual(await readFile(join(model, "config.json")));
  await rm(copy, { recursive: true });
});

it("says that what it saves are 32-bit floats, whatever the source was", async () => {
  const source = fileURLToPath(new URL("../../test/golden/qwen2", import.meta.url));
  const { flat, layout } = await loadModel(source);
  const copy = await mkdtemp(join(tmpdir(), "selftrain-copy-"));
  await saveModel(copy, source, storedTensors(flat, layout));
  const [before, after] = await Promise.all([source, copy].map(async (folder) => JSON.parse(await readFile(join(folder, "config.json"), "utf8")) as object));
  expect(before).toHaveProperty("dtype", "bfloat16");
  expect(after).toEqual({ ...before, dtype: "float32" });
  expect((await loadModel(copy)).flat).toEqual(flat);
  await rm(copy, { recursive: true });
});

it("saves 16-bit floats on request, and says so in config.json", async () => {
  const source = fileURLToPath(new URL("../../test/golden/qwen2", import.meta.url));
  for (const folder of [source, model]) {
    const { flat, layout } = await loadModel(folder);
    const copy = await mkdtemp(join(tmpdir(), "selftrain-copy-"));
    await saveModel(copy, folder, storedTensors(flat, layout), "bfloat16");
    const config = JSON.parse(await readFile(join(copy, "config.json"), "utf8")) as object;
    // The tiny model's config names no format.
    expect(config).toHaveProperty(folder === source ? "dtype" : "torch_dtype", "bfloat16");
    const saved = (await loadModel(copy)).flat;
    if (folder === source) expect(saved).toEqual(flat);
    else expect(Math.max(...saved.map((value, index) => Math.abs(value / flat[index]! - 1)))).toBeLessThanOrEqual(2 ** -8);
    expect((await stat(join(copy, "model.safetensors"))).size).toBeLessThan(2 * flat.length + 10_000);
    await rm(copy, { recursive: true });
  }
});
