import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ModelError } from "../errors.ts";
import type { PolicyLimits } from "../policy.ts";

const limits = z.object({ vocab_size: z.int().positive(), max_position_embeddings: z.int().positive() });
/** Models that also see or hear keep those of their decoder apart. */
const schema = z.union([limits, z.object({ text_config: limits }).transform(({ text_config }) => text_config)]);

/** The limits of a model, from the config.json of its Hugging Face folder. Throws ModelError. */
export async function readModelLimits(folder: string): Promise<PolicyLimits> {
  const path = join(folder, "config.json");
  try {
    const { vocab_size, max_position_embeddings } = schema.parse(JSON.parse(await readFile(path, "utf8")));
    return { vocabularySize: vocab_size, contextLength: max_position_embeddings };
  } catch (error) {
    throw new ModelError(`${path} does not tell \`vocab_size\` and \`max_position_embeddings\`: name the Hugging Face folder of the model that the server trains.`, { cause: error });
  }
}
