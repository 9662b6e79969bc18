import { copyFile, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ModelError } from "../errors.ts";
import { parseConfiguration } from "./models/configuration.ts";
import type { DecoderConfiguration } from "./models/configuration.ts";
import { parameterLayout } from "./models/parameters.ts";
import type { ParameterLayout } from "./models/parameters.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";

export interface LoadedModel {
  readonly config: DecoderConfiguration;
  readonly layout: ParameterLayout;
  readonly flat: Float32Array;
}

const WEIGHTS = "model.safetensors";
const COMPANIONS = ["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json", "special_tokens_map.json"];

/** Reads the shape of the model in a Hugging Face folder. */
export async function readModelConfiguration(folder: string): Promise<DecoderConfiguration> {
  const file = join(folder, "config.json");
  const text = await readFile(file, "utf8").catch(() => {
    throw new ModelError(`${folder} is not a model folder: it has no readable config.json.`);
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ModelError(`${file} is not valid JSON.`);
  }
  return parseConfiguration(json, file);
}

/** Reads a Hugging Face model folder: `config.json` and `model.safetensors`. Throws ModelError. */
export async function loadModel(folder: string): Promise<LoadedModel> {
  const config = await readModelConfiguration(folder);
  const layout = parameterLayout(config);
  const path = join(folder, WEIGHTS);
  if (!(await exists(path))) throw new ModelError(`${folder} has no weights: ${WEIGHTS} is missing.`);
  const { tensors } = await readSafetensors(path, (problem) => new ModelError(problem));
  const flat = new Float32Array(layout.size);
  for (const { name, shape, offset } of layout.stored) {
    const tensor = tensors.get(name);
    if (!tensor) throw new ModelError(`${path} has no tensor ${name}, which the model of ${join(folder, "config.json")} needs.`);
    if (tensor.shape.join() !== shape.join()) {
      throw new ModelError(`${path}: ${name} has shape [${tensor.shape.join(", ")}], config.json says [${shape.join(", ")}].`);
    }
    flat.set(tensor.data, offset);
  }
  return { config, layout, flat };
}

/** Writes weights with the configuration and tokenizer of `source` as a Hugging Face folder. */
export async function saveModel(directory: string, source: string, flat: Float32Array, layout: ParameterLayout): Promise<void> {
  for (const name of COMPANIONS) {
    if (await exists(join(source, name))) await copyFile(join(source, name), join(directory, name));
  }
  const tensors = layout.stored.map(({ name, shape, offset, size }) => ({ name, shape, data: flat.subarray(offset, offset + size) }));
  await writeSafetensors(join(directory, WEIGHTS), tensors, { format: "pt" });
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}
