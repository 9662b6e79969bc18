/** The server of `selftrain watch`: reads run directories, and nothing else, for its page. */
import type { Server } from "node:http";
import { performance } from "node:perf_hooks";
import { createAdaptorServer } from "@hono/node-server";
import { UsageError } from "../errors.ts";
import { isLoopback } from "../util/loopback.ts";
import { systemCode, systemReason } from "../util/system-error.ts";
import { createApp } from "./app.ts";
import { createFeed } from "./feed.ts";
import { builtPage } from "./page-files.ts";
import { createRuns } from "./runs.ts";

export interface WatchOptions {
  /** Run directories, or folders with runs some levels below. They need not be there yet. */
  readonly directories: readonly string[];
  readonly host: string;
  /** 0 takes any port that is free. */
  readonly port: number;
  /** Whether a port that is free is taken where `port` is not. */
  readonly anyPort?: boolean;
  /** Folder of the built page; found by itself when absent, `null` for none. */
  readonly page?: string | null;
  /** Milliseconds that an answer waits for what is being read. */
  readonly patience?: number;
  /** Told of failures that are bugs. */
  readonly report: (error: unknown) => void;
}

/** A server that listens. */
export interface WatchServer {
  /** `http://HOST:PORT`. */
  readonly url: string;
  /** Whether other machines may reach it. */
  readonly reachable: boolean;
  /** Ends the connections and stops looking. */
  readonly close: () => Promise<void>;
}

/** Serves the runs in some directories to browsers. Throws UsageError when the address cannot be listened on. */
export async function startWatchServer({ directories, host, port, anyPort = false, page = builtPage(), patience, report }: WatchOptions): Promise<WatchServer> {
  const reachable = !isLoopback(host);
  const runs = createRuns(directories, { clock: () => performance.now(), ...(patience !== undefined && { patience }) });
  const feed = createFeed(runs, report);
  const app = createApp({ runs, feed, page, localOnly: !reachable, report });
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  const url = await listen(server, host, port, anyPort);
  // Until somebody asks, much is read.
  runs.glance(0).catch(report);
  return {
    url,
    reachable,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      feed.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Listens and returns the address. Throws UsageError. */
function listen(server: Server, host: string, port: number, anyPort: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    server.on("error", (error) => {
      if (anyPort && port !== 0 && systemCode(error) === "EADDRINUSE") resolve(listen(server.removeAllListeners("error"), host, 0, false));
      else reject(new UsageError(`cannot listen on ${host}:${port}: ${systemReason(error) ?? error.message}; choose another with --host and --port`, { cause: error }));
    });
    server.listen(port, host, () => {
      const address = server.address();
      const actual = typeof address === "object" && address ? address.port : port;
      resolve(`http://${host.includes(":") ? `[${host}]` : host}:${actual}`);
    });
  });
}
