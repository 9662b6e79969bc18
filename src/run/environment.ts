import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { arch, availableParallelism, platform, totalmem } from "node:os";
import { promisify } from "node:util";
import { z } from "zod";
import { sha256OfFile } from "../util/sha256.ts";

/** What a run ran on: written into its directory, read by people. */
export interface Environment {
  readonly selftrain: string;
  readonly node: string;
  /** Versions of the packages that selftrain depends on. */
  readonly dependencies: Readonly<Record<string, string>>;
  readonly platform: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Revision of the git repository in which the command was started, if there is one. */
  readonly gitRevision: string | null;
  readonly commandLine: readonly string[];
  /** What it began from; `null` where that is not known. */
  readonly inputs: Inputs<FileHash> | null;
}

/** What a run begins from: the model's weights and the data, each under the name that finds exactly it again. */
export interface Inputs<File> {
  readonly model: { readonly name: string; readonly files: readonly File[] };
  readonly data: readonly { readonly name: string; readonly files: readonly File[] }[];
}

export interface FileHash {
  readonly path: string;
  readonly sha256: string;
}

const packageSchema = z.object({ version: z.string(), dependencies: z.record(z.string(), z.string()) });

/**
 * The environment of this process. `commandLine` is `process.argv` for a command, `inputs` names files by
 * their paths. Throws the system's error when one cannot be read.
 */
export async function describeEnvironment(commandLine: readonly string[], inputs: Inputs<string> | null = null): Promise<Environment> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  const { version, dependencies } = packageSchema.parse(JSON.parse(text));
  return {
    selftrain: version,
    node: process.version,
    dependencies,
    platform: `${platform()}-${arch()}`,
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    gitRevision: await gitRevision(),
    commandLine,
    inputs: inputs && (await hashed(inputs)),
  };
}

async function hashed({ model, data }: Inputs<string>): Promise<Inputs<FileHash>> {
  const entry = async ({ name, files }: Inputs<string>["model"]) => ({
    name,
    files: await Promise.all(files.map(async (path) => ({ path, sha256: await sha256OfFile(path) }))),
  });
  return { model: await entry(model), data: await Promise.all(data.map(entry)) };
}

async function gitRevision(): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)("git", ["rev-parse", "HEAD"], { timeout: 2000 });
    return stdout.trim();
  } catch {
    return null;
  }
}
