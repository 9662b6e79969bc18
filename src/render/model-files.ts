import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ModelError } from "../errors.ts";

const tokenId = z.int().nonnegative();
const tokenIds = z.union([tokenId, z.array(tokenId)]).nullish();
const tokenText = z.union([z.string(), z.object({ content: z.string() }).transform(({ content }) => content)]).nullish();

const generationSchema = z.looseObject({ eos_token_id: tokenIds });
const tokenizerConfigSchema = z.looseObject({
  eos_token: tokenText,
  bos_token: tokenText,
  pad_token: tokenText,
  unk_token: tokenText,
  chat_template: z.union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))]).nullish(),
});
const tokenizerSchema = z.looseObject({
  model: z.looseObject({ type: z.string().optional() }),
  added_tokens: z.array(z.looseObject({ id: tokenId, content: z.string() })).default([]),
  decoder: z.looseObject({ type: z.string() }).nullish(),
  pre_tokenizer: z.looseObject({}).nullish(),
});

/** What a Hugging Face model folder says of its text: the files that a renderer reads, checked. */
export interface RenderFiles {
  readonly tokenizer: z.output<typeof tokenizerSchema>;
  readonly tokenizerConfig: z.output<typeof tokenizerConfigSchema>;
  /** The chat template for a plain conversation, or `null` for a model without one. */
  readonly chatTemplate: string | null;
  /** Ids at which generation stops, from generation_config.json and config.json. */
  readonly endTokenIds: readonly number[];
}

/**
 * Reads tokenizer.json, tokenizer_config.json, config.json and, where they exist, generation_config.json
 * and chat_template.jinja. Throws ModelError naming the file that is missing or wrong, and the field.
 */
export async function readRenderFiles(folder: string): Promise<RenderFiles> {
  const tokenizer = await readRequired(join(folder, "tokenizer.json"), tokenizerSchema);
  const tokenizerConfig = await readRequired(join(folder, "tokenizer_config.json"), tokenizerConfigSchema);
  const config = await readRequired(join(folder, "config.json"), generationSchema);
  const generation = await readOptional(join(folder, "generation_config.json"), generationSchema);
  return {
    tokenizer,
    tokenizerConfig,
    chatTemplate: (await readText(join(folder, "chat_template.jinja"))) ?? defaultTemplate(tokenizerConfig.chat_template),
    endTokenIds: [generation?.eos_token_id, config.eos_token_id].flatMap((ids) => ids ?? []),
  };
}

/** Folders with several templates name the one for plain conversations `default`. */
function defaultTemplate(templates: z.output<typeof tokenizerConfigSchema>["chat_template"]): string | null {
  if (typeof templates === "string") return templates;
  return templates?.find(({ name }) => name === "default")?.template ?? null;
}

async function readRequired<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const value = await readOptional(path, schema);
  if (value === null) throw new ModelError(`${path} does not exist; name a complete Hugging Face model folder`);
  return value;
}

async function readOptional<T>(path: string, schema: z.ZodType<T>): Promise<T | null> {
  const text = await readText(path);
  if (text === null) return null;
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new ModelError(`${path} is not valid JSON: ${(error as Error).message}`, { cause: error });
  }
  const result = schema.safeParse(content);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue!.path.join(".") || "the file";
  throw new ModelError(`${path}: ${field} is not as expected (${issue!.message}); name an intact Hugging Face model folder`);
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return null;
    throw new ModelError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
