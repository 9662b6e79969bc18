import { existsSync } from "node:fs";
import type { Command } from "commander";
import { UsageError } from "../errors.ts";
import { startWatchServer } from "../watch/index.ts";
import { explainFailure } from "./failure.ts";
import { untilInterrupted } from "./interrupt.ts";
import { createOutput, jsonOption } from "./output.ts";
import type { Output } from "./output.ts";
import { warn } from "./terminal.ts";
import { WATCH_HOST, WATCH_PORT } from "./watching.ts";
import { wholeNumber } from "./whole-number.ts";

interface WatchFlags {
  readonly host: string;
  readonly port?: string;
  readonly json?: boolean;
}

/** `selftrain watch [DIR…] [--host H] [--port N]`. */
export function addWatchCommand(program: Command): void {
  program
    .command("watch")
    .description("Look at runs in a browser, live while they train: figures, the alarm's verdict, votes and samples. Nothing in their directories is changed.")
    .usage("[DIR…] [--host H] [--port N] [--json]")
    .argument("[DIR...]", "run directories, or folders with runs in them (default: runs/)")
    .option("--host <ADDRESS>", "address to listen on; with any but this machine's own, everybody who reaches it can read the runs", WATCH_HOST)
    .option("--port <N>", `port to listen on; 0 takes one that is free (default: ${WATCH_PORT}, or one that is free)`)
    .addOption(jsonOption())
    .action((directories: readonly string[], flags: WatchFlags) => watch(directories, flags, createOutput(flags.json === true)));
}

/** Serves until Ctrl-C or SIGTERM. */
async function watch(directories: readonly string[], { host, port }: WatchFlags, { terminal, result }: Output): Promise<void> {
  const missing = directories.find((directory) => !existsSync(directory));
  if (missing !== undefined) throw new UsageError(`${missing} does not exist; name the directories of runs, or folders with runs in them`);
  const watched = directories.length > 0 ? directories : ["runs"];
  const server = await startWatchServer({
    directories: watched,
    host,
    port: port === undefined ? WATCH_PORT : wholeNumber("--port", port, 0, 65_535),
    anyPort: port === undefined,
    report: (error) => void process.stderr.write(explainFailure(error).text),
  });
  const announce = (): void => {
    terminal.line(`the runs in ${watched.join(", ")} are at ${server.url}; Ctrl-C ends it`);
    if (server.reachable) warn(terminal, `anybody who reaches ${server.url} can read these runs, their samples included.`);
    result({ url: server.url, directories: watched });
  };
  await untilInterrupted(server, terminal, announce, "ending …");
}
