import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createRandom, deriveSeed } from "../util/random.ts";
import { storedTensors } from "./model-folder.ts";
import type { LoadedModel } from "./model-folder.ts";
import type { LoraShape } from "./models/configuration.ts";
import { adapterNames } from "./models/lora.ts";
import type { ParameterLayout, ParameterTensor } from "./models/parameters.ts";
import { writeSafetensors } from "./safetensors.ts";
import type { NamedTensor } from "./safetensors.ts";

export interface LoraOptions extends LoraShape {
  /** Seed of the adapters' initial values. */
  readonly seed: number;
  /** The adapted model's name for `adapter_config.json`: a folder, or an id of the hub with or without `@REVISION`. */
  readonly base: string;
}

/** Adapters at the start, as PEFT makes them: A uniform in +-1 / sqrt(in) (He et al. 2015 with a = sqrt 5), B zero: the model as it was. */
export function initialAdapters(layout: ParameterLayout, seed: number): Float32Array {
  const flat = new Float32Array(layout.size);
  for (const { name, shape, offset, size } of layout.stored) {
    if (!name.endsWith(".lora_A.weight")) continue;
    const random = createRandom(deriveSeed(seed, name));
    const bound = 1 / Math.sqrt(shape[1]!);
    for (let index = 0; index < size; index++) flat[offset + index] = bound * (2 * random.uniform() - 1);
  }
  return flat;
}

/** The model's tensors with the adapters added to the weights, W + alpha / rank * B A, computed one by one as they are read. */
export function mergedTensors({ layout, flat }: LoadedModel, adapters: Float32Array, adapterLayout: ParameterLayout, { rank, alpha }: LoraShape): readonly NamedTensor[] {
  const matrices = new Map<string, ParameterTensor>(adapterLayout.stored.map((tensor) => [tensor.name, tensor]));
  const matrix = ({ offset, size }: ParameterTensor): Float32Array => adapters.subarray(offset, offset + size);
  return storedTensors(flat, layout).map((tensor) => {
    const { a, b } = adapterNames(tensor.name.replace(/\.weight$/, ""));
    const [down, up] = [matrices.get(a), matrices.get(b)];
    return down && up ? { ...tensor, values: () => merged(tensor.values(), matrix(down), matrix(up), { rank, scale: alpha / rank }) } : tensor;
  });
}

/** weight [out, in] + scale * up [out, rank] @ down [rank, in]. */
function merged(weight: Float32Array, down: Float32Array, up: Float32Array, { rank, scale }: { readonly rank: number; readonly scale: number }): Float32Array {
  const result = new Float32Array(weight.length);
  const width = down.length / rank;
  const sums = new Float64Array(width);
  for (let row = 0, start = 0; start < weight.length; row++, start += width) {
    for (let column = 0; column < width; column++) sums[column] = weight[start + column]!;
    for (let index = 0; index < rank; index++) {
      const factor = scale * up[row * rank + index]!;
      for (let column = 0; column < width; column++) sums[column]! += factor * down[index * width + column]!;
    }
    result.set(sums, start);
  }
  return result;
}

/** An id of the hub at a commit. */
const PINNED = /^([^/@]+\/[^/@]+)@([^/@]+)$/;

/**
 * Writes adapters as a folder in the format of PEFT (`adapter_config.json`, `adapter_model.safetensors` in
 * float32), which is created where it is missing.
 */
export async function saveAdapters(folder: string, adapters: Float32Array, layout: ParameterLayout, { rank, alpha, targets, base }: LoraOptions): Promise<void> {
  await mkdir(folder, { recursive: true });
  const [, name = base, revision = null] = PINNED.exec(base) ?? [];
  const config = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: name,
    revision,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    target_modules: targets,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
  };
  await writeFile(join(folder, "adapter_config.json"), `${JSON.stringify(config, null, 2)}\n`);
  await writeSafetensors(join(folder, "adapter_model.safetensors"), storedTensors(adapters, layout), { format: "pt" });
}
