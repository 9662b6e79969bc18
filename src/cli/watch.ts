import { performance } from "node:perf_hooks";
import type { Command } from "commander";
import { startWatchServer } from "../watch/index.ts";
import type { WatchServer } from "../watch/index.ts";
import { explainFailure } from "./failure.ts";
import { wholeNumber } from "./format.ts";
import { interruptible } from "./interrupt.ts";
import { createOutput, jsonOption } from "./output.ts";
import type { Output } from "./output.ts";
import { warn } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";

const HOST = "127.0.0.1";
const PORT = 6060;

interface WatchFlags {
  readonly host: string;
  readonly port?: string;
  readonly json?: boolean;
}

const report = (error: unknown): void => void process.stderr.write(explainFailure(error).text);

/** `selftrain watch [DIR…] [--host H] [--port N]`. */
export function addWatchCommand(program: Command): void {
  program
    .command("watch")
    .description("Show runs on a page of this machine: accuracy, signs of collapse, votes, comparisons; live while they are written.")
    .usage("[DIR…] [--host H] [--port N] [--json]")
    .argument("[DIR...]", "directories of runs, or folders with runs below (default: runs)")
    .option("--host <ADDRESS>", "address to listen on; whoever reaches any but this machine's own can read the runs", HOST)
    .option("--port <N>", `port to listen on; 0 takes one that is free (default: ${PORT}, or a free one)`)
    .addOption(jsonOption())
    .action((directories: readonly string[], flags: WatchFlags) => watch(directories.length === 0 ? ["runs"] : directories, flags, createOutput(flags.json === true)));
}

/** Serves the page until Ctrl-C or SIGTERM. */
async function watch(directories: readonly string[], { host, port }: WatchFlags, { terminal, result }: Output): Promise<void> {
  const server = await startWatchServer({ directories, host, port: wholeNumber("--port", port ?? String(PORT), 0, 65_535), anyPort: port === undefined, report });
  const task = async (signal: AbortSignal): Promise<void> => {
    if (server.reachable) warn(terminal, `whoever reaches ${server.url} can read these runs: no key is asked for`);
    terminal.line(`watching ${directories.join(", ")} at ${server.url}; Ctrl-C ends it`);
    result({ url: server.url });
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    await server.close();
  };
  await interruptible(terminal, () => performance.now() / 1000, task, "ending …");
}

/** Shows a run while it is trained. A page that can't be served is told of, and the run goes on: `null`. */
export async function watchWhileTraining(directory: string, terminal: Terminal): Promise<WatchServer | null> {
  try {
    const server = await startWatchServer({ directories: [directory], host: HOST, port: PORT, anyPort: true, report });
    terminal.line(`watch it at ${server.url}`);
    return server;
  } catch (error) {
    warn(terminal, `the run can't be watched: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}
