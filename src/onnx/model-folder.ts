import { copyFile, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ModelError } from "../errors.ts";
import type { SaveDtype } from "../options.ts";
import { parseConfiguration } from "./models/configuration.ts";
import type { DecoderConfiguration } from "./models/configuration.ts";
import { parameterLayout } from "./models/parameters.ts";
import type { ParameterLayout } from "./models/parameters.ts";
import { openSafetensors, writeSafetensors } from "./safetensors.ts";
import type { NamedTensor, TensorFile } from "./safetensors.ts";

export interface LoadedModel {
  readonly config: DecoderConfiguration;
  readonly layout: ParameterLayout;
  readonly flat: Float32Array;
}

const WEIGHTS = "model.safetensors";
/** Names the file of each tensor where the weights are spread over several. */
const INDEX = "model.safetensors.index.json";
const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });
const COMPANIONS = ["tokenizer.json", "tokenizer_config.json", "generation_config.json", "special_tokens_map.json", "chat_template.jinja"];

/** Reads the shape of the model in a Hugging Face folder. */
export async function readModelConfiguration(folder: string): Promise<DecoderConfiguration> {
  const file = join(folder, "config.json");
  const json = await readJson(file, `${folder} is not a model folder: it has no readable config.json.`);
  return parseConfiguration(json, file);
}

/**
 * Reads a Hugging Face model folder: `config.json` and the weights in `model.safetensors`, or in the files
 * that `model.safetensors.index.json` names; F32, F16 or BF16. Throws ModelError.
 */
export async function loadModel(folder: string): Promise<LoadedModel> {
  const config = await readModelConfiguration(folder);
  const layout = parameterLayout(config);
  const fileOf = await weightFiles(folder);
  const flat = new Float32Array(layout.size);
  const open = new Map<string, TensorFile>();
  try {
    for (const { name, shape, offset, size } of layout.stored) {
      const path = join(folder, fileOf(name));
      const file = open.get(path) ?? (await openSafetensors(path, (problem) => new ModelError(problem)));
      open.set(path, file);
      const found = file.shapes.get(name);
      if (!found) throw new ModelError(`${path} has no tensor ${name}, which the model of ${join(folder, "config.json")} needs.`);
      if (found.join() !== shape.join()) {
        throw new ModelError(`${path}: ${name} has shape [${found.join(", ")}], config.json says [${shape.join(", ")}].`);
      }
      const data = flat.subarray(offset, offset + size);
      await file.read(name, data);
      if (!data.every(Number.isFinite)) throw new ModelError(`${path}: ${name} holds numbers that are not finite; the file is damaged or the model diverged.`);
    }
  } finally {
    for (const file of open.values()) await file.close();
  }
  return { config, layout, flat };
}

/** Says in which file of the folder a tensor lies. Throws ModelError when a file is missing. */
async function weightFiles(folder: string): Promise<(tensor: string) => string> {
  if (await exists(join(folder, WEIGHTS))) return () => WEIGHTS;
  const path = join(folder, INDEX);
  if (!(await exists(path))) throw new ModelError(`${folder} has no weights: neither ${WEIGHTS} nor ${INDEX} is there.`);
  const index = indexSchema.safeParse(await readJson(path, `${path} cannot be read.`));
  if (!index.success) throw new ModelError(`${path} has no weight_map from tensors to files.`);
  const { weight_map } = index.data;
  for (const file of new Set(Object.values(weight_map))) {
    if (!(await exists(join(folder, file)))) throw new ModelError(`${folder}: the weights file ${file}, which ${INDEX} names, is missing.`);
  }
  return (tensor) => {
    const file = weight_map[tensor];
    if (file === undefined) throw new ModelError(`${path} names no file for the tensor ${tensor}, which config.json needs.`);
    return file;
  };
}

async function readJson(file: string, unreadable: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch(() => {
    throw new ModelError(unreadable);
  });
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new ModelError(`${file} is not valid JSON.`);
  }
}

/** The tensors of a flat parameter array, as files name them. */
export function storedTensors(flat: Float32Array, layout: ParameterLayout): readonly NamedTensor[] {
  return layout.stored.map(({ name, shape, offset, size }) => ({ name, shape, values: () => flat.subarray(offset, offset + size) }));
}

/** Writes weights, with the configuration and tokenizer of `source`, as a Hugging Face folder. */
export async function saveModel(directory: string, source: string, tensors: readonly NamedTensor[], dtype: SaveDtype = "float32"): Promise<void> {
  await writeFile(join(directory, "config.json"), withDtype(await readFile(join(source, "config.json"), "utf8"), dtype));
  for (const name of COMPANIONS) {
    if (await exists(join(source, name))) await copyFile(join(source, name), join(directory, name));
  }
  await writeSafetensors(join(directory, WEIGHTS), tensors, { format: "pt" }, dtype);
}

/** The config with the number format of the weights, since readers go by it; where none is named, it is float32. */
function withDtype(config: string, dtype: SaveDtype): string {
  const named = /("(?:torch_)?dtype"\s*:\s*)(?:"[^"]*"|null)/g;
  if (config.search(named) >= 0) return config.replace(named, `$1"${dtype}"`);
  return dtype === "float32" ? config : config.replace("{", `{\n  "torch_dtype": "${dtype}",`);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}
