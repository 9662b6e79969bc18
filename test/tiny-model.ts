import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readModelConfiguration, saveModel, storedTensors } from "../src/onnx/model-folder.ts";
import { parameterLayout } from "../src/onnx/models/parameters.ts";
import { createRandom } from "../src/util/random.ts";

/** A Llama of a few thousand parameters: grouped-query attention, two layers, no head width that is hidden in another size. */
export const TINY_CONFIG = {
  architectures: ["LlamaForCausalLM"],
  vocab_size: 29,
  hidden_size: 24,
  intermediate_size: 40,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 8,
  tie_word_embeddings: true,
  max_position_embeddings: 64,
  rope_theta: 10_000,
  rms_norm_eps: 1e-5,
};

/** Writes a model folder with random weights, large enough that next-token probabilities differ clearly. */
export async function writeTinyModel(changes: Partial<typeof TINY_CONFIG> = {}, seed = 1): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "selftrain-tiny-"));
  await writeFile(join(folder, "config.json"), JSON.stringify({ ...TINY_CONFIG, ...changes }));
  const layout = parameterLayout(await readModelConfiguration(folder));
  const random = createRandom(seed);
  const flat = Float32Array.from({ length: layout.size }, () => 0.2 * random.normal());
  for (const { shape, offset, size } of layout.stored) {
    if (shape.length === 1) for (let index = offset; index < offset + size; index++) flat[index]! += 1;
  }
  await saveModel(folder, folder, storedTensors(flat, layout));
  return folder;
}
