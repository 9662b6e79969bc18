import { readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { ModelError } from "../errors.ts";
import { fetchSnapshot } from "../hub/index.ts";
import type { HubAccess } from "../hub/index.ts";
import { builtinModelFolder } from "../tasks/index.ts";
import { sha256, sha256OfFile } from "../util/sha256.ts";
import { requestReason } from "../util/system-error.ts";

/** A model on this machine. */
export interface LocalModel {
  /** What finds exactly this model again: `builtin`, a folder's absolute path, or `owner/name@commit` of the hub. */
  readonly name: string;
  readonly folder: string;
}

/** `owner/name`, or `owner/name@revision` with a branch, tag or commit. */
const HUB_ID = /^([\w.-]+\/[\w.-]+?)(?:@([\w./-]+))?$/;
/** What the engine and the tokenizer read; a repository may hold the same weights in several formats. */
const NEEDED = /^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|model\.safetensors\.index)\.json$|^chat_template\.jinja$|^[^/]*\.safetensors$/;

/**
 * Finds the model that a config names: `builtin`, a folder, or an id of the Hugging Face hub, whose files are
 * downloaded into the cache of the hub's own tools unless they are there. A branch is resolved to its commit
 * first, so that all files are of one. Of a model that runs elsewhere the weights are not asked for. Throws ModelError.
 */
export async function localModel(model: string, hub: HubAccess, { weights = true }: { readonly weights?: boolean } = {}): Promise<LocalModel> {
  if (model === "builtin") return { name: model, folder: builtinModelFolder() };
  if (await isDirectory(model)) return { name: resolve(model), folder: model };
  const [, name, revision = "main"] = HUB_ID.exec(model) ?? [];
  if (name === undefined) {
    throw new ModelError(`\`model\` is \`${model}\`, which is neither \`builtin\`, nor a folder here, nor an id of the hub such as \`HuggingFaceTB/SmolLM2-135M-Instruct\`.`);
  }
  try {
    const { commit, folder } = await fetchSnapshot({ repository: { type: "model", name }, revision, choose: (paths) => neededFiles(paths, name, weights) }, hub);
    return { name: `${name}@${commit}`, folder };
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw new ModelError(`there is no folder ${model}, and the model could not be fetched from the hub (${requestReason(error)}); check the name, or give the path of a model folder.`, { cause: error });
  }
}

/** Paths of the weight files of a model folder, in the order of their names. Throws the system's error. */
export async function weightFiles(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith(".safetensors")).sort().map((name) => join(folder, name));
}

/** SHA-256 over the weight files of a model folder: tells models of one name apart. Throws the system's error. */
export async function weightsFingerprint(folder: string): Promise<string> {
  const lines: string[] = [];
  for (const file of await weightFiles(folder)) lines.push(`${basename(file)} ${await sha256OfFile(file)}\n`);
  return sha256(lines.join(""));
}

function neededFiles(paths: readonly string[], name: string, weights: boolean): readonly string[] {
  const needed = paths.filter((path) => NEEDED.test(path) && (weights || !/\.safetensors$|\.index\.json$/.test(path)));
  const has = (ending: string): boolean => needed.some((path) => path.endsWith(ending));
  if (!has("config.json") || (weights && !has(".safetensors"))) {
    throw new ModelError(`the repository ${name} of the hub holds no model that can be read; expected a config.json${weights ? " and .safetensors files" : ""}.`);
  }
  return needed;
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}
