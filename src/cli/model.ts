import { readdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { HubOptions } from "../data/index.ts";
import { ModelError } from "../errors.ts";
import { builtinModelFolder } from "../tasks/index.ts";
import { sha256, sha256OfFile } from "../util/sha256.ts";
import { requestReason } from "../util/system-error.ts";

/** A model on this machine. */
export interface LocalModel {
  /** What finds exactly this model again: `builtin`, a folder's absolute path, or `owner/name@commit` of the hub. */
  readonly name: string;
  readonly folder: string;
}

export interface ModelOptions {
  readonly hub: HubOptions;
  /** Is told what is being fetched. */
  readonly status?: (message: string) => void;
}

/** `owner/name`, or `owner/name@revision` with a branch, tag or commit. */
const HUB_ID = /^([\w.-]+\/[\w.-]+?)(?:@([\w./-]+))?$/;
/** What the engine and the tokenizer read; a repository may hold the same weights in several formats. */
const NEEDED = /^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|model\.safetensors\.index)\.json$|^chat_template\.jinja$|^[^/]*\.safetensors$/;

/**
 * Finds the model that a config names: `builtin`, a folder, or an id of the Hugging Face hub, whose files are
 * downloaded into the cache of the hub's own tools unless they are there. A branch is resolved to its commit
 * first, so that all files are of one. Throws ModelError.
 */
export async function localModel(model: string, options: ModelOptions): Promise<LocalModel> {
  if (model === "builtin") return { name: model, folder: builtinModelFolder() };
  if (await isDirectory(model)) return { name: resolve(model), folder: model };
  const [, name, revision = "main"] = HUB_ID.exec(model) ?? [];
  if (name === undefined) {
    throw new ModelError(`\`model\` is \`${model}\`, which is neither \`builtin\`, nor a folder here, nor an id of the hub such as \`HuggingFaceTB/SmolLM2-135M-Instruct\`.`);
  }
  try {
    return await fetchModel(name, revision, options);
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw new ModelError(`there is no folder ${model}, and the model could not be fetched from the hub (${requestReason(error)}); check the name, or give the path of a model folder.`, { cause: error });
  }
}

/** SHA-256 over the weight files of a model folder: tells models of one name apart. Throws the system's error. */
export async function weightsFingerprint(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".safetensors")).sort();
  const lines: string[] = [];
  for (const name of names) lines.push(`${name} ${await sha256OfFile(join(folder, name))}\n`);
  return sha256(lines.join(""));
}

async function fetchModel(name: string, revision: string, { hub, status }: ModelOptions): Promise<LocalModel> {
  // Loaded here, since most runs use what is on the machine.
  const { downloadFileToCacheDir, listFiles, modelInfo } = await import("@huggingface/hub");
  status?.(`asking the hub for ${name} …`);
  const { sha } = await modelInfo({ name, revision, additionalFields: ["sha"], ...hub });
  const repo = { type: "model", name } as const;
  const files: { path: string; size: number }[] = [];
  for await (const { type, path, size } of listFiles({ repo, revision: sha, ...hub })) {
    if (type === "file" && NEEDED.test(path)) files.push({ path, size });
  }
  if (!files.some(({ path }) => path === "config.json")) throw new ModelError(`the repository ${name} of the hub holds no model: it has no config.json.`);
  let folder = "";
  for (const [index, { path, size }] of files.entries()) {
    status?.(`fetching ${name}: ${path} (${(size / 1e6).toFixed(1)} MB), file ${index + 1} of ${files.length} …`);
    folder = dirname(await downloadFileToCacheDir({ repo, path, revision: sha, ...hub }));
  }
  return { name: `${name}@${sha}`, folder };
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}
