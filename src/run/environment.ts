import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { arch, availableParallelism, platform, totalmem } from "node:os";
import { promisify } from "node:util";
import { z } from "zod";

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
}

const packageSchema = z.object({ version: z.string(), dependencies: z.record(z.string(), z.string()) });

/** The environment of this process. `commandLine` is `process.argv` for a command. */
export async function describeEnvironment(commandLine: readonly string[]): Promise<Environment> {
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
  };
}

async function gitRevision(): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)("git", ["rev-parse", "HEAD"], { timeout: 2000 });
    return stdout.trim();
  } catch {
    return null;
  }
}
