import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildCommand } from "./build.ts";

/** Folder of the project. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

buildCommand(root);

/** What Node runs as `selftrain`: the built command, up to date with its sources. */
export const main = join(root, "dist/cli/main.js");

export interface CommandOptions {
  readonly folder: string;
  /** Ctrl-C as soon as the output contains this text. */
  readonly interruptAt?: string;
  /** Variables beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real command, as a process of its own, in a folder. */
export async function selftrain(parameters: readonly string[], { folder, interruptAt, environment = {} }: CommandOptions): Promise<CommandResult> {
  const child = spawn(process.execPath, [main, ...parameters], { cwd: folder, env: { ...process.env, ...environment } });
  const output = { stdout: "", stderr: "" };
  let interrupted = false;
  const received = (stream: keyof typeof output) => (chunk: Buffer) => {
    output[stream] += chunk.toString();
    if (interruptAt === undefined || interrupted || !output[stream].includes(interruptAt)) return;
    interrupted = true;
    child.kill("SIGINT");
  };
  child.stdout.on("data", received("stdout"));
  child.stderr.on("data", received("stderr"));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, ...output };
}
