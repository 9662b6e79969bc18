import type { RunDirectory } from "../run/index.ts";
import { startWatchServer } from "../watch/index.ts";
import type { WatchServer } from "../watch/index.ts";
import type { Output } from "./output.ts";
import { warn } from "./terminal.ts";

/** Address of the page where none is given, and the port that is tried first. */
export const WATCH_HOST = "127.0.0.1";
export const WATCH_PORT = 6060;

/**
 * Runs a training whose run directory, once `opened` is told of it, is served to browsers on this machine until the
 * training ends; without `watch` it is merely run. Whatever is wrong with the server is said and ends nothing.
 */
export async function watching(watch: boolean, directory: string, { terminal }: Output, training: (opened: (run: RunDirectory) => Promise<RunDirectory>) => Promise<void>): Promise<void> {
  if (!watch) return training((run) => Promise.resolve(run));
  const troubled = (error: unknown): void => warn(terminal, `the live page can't be served: ${error instanceof Error ? error.message : String(error)}; the training goes on without it.`);
  const servers: WatchServer[] = [];
  try {
    await training(async (run) => {
      try {
        const server = await startWatchServer({ directories: [run.path], host: WATCH_HOST, port: WATCH_PORT, anyPort: true, report: troubled });
        servers.push(server);
        terminal.line(`watch it live: ${server.url}`);
      } catch (error) {
        troubled(error);
      }
      return run;
    });
    terminal.line(`Look at it again with: npx selftrain watch ${directory}`);
  } finally {
    for (const server of servers) await server.close().catch(troubled);
  }
}
