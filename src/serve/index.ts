import { randomInt, randomUUID } from "node:crypto";
import type { Server } from "node:http";
import { performance } from "node:perf_hooks";
import { createAdaptorServer } from "@hono/node-server";
import { UsageError } from "../errors.ts";
import type { ServablePolicy } from "../policy.ts";
import { isLoopback } from "../util/loopback.ts";
import { systemReason } from "../util/system-error.ts";
import type { Adapters } from "./adapters.ts";
import { createApp } from "./app.ts";
import { createService } from "./service.ts";
import type { ServedModel, ServiceLimits } from "./state.ts";

export type { Adapters } from "./adapters.ts";
export type { ServedModel, ServiceLimits } from "./state.ts";

export interface ServeOptions {
  readonly model: ServedModel;
  /** An engine on the model: of adapters, or of the whole model with `null`. */
  readonly createPolicy: (adapters: Adapters | null) => Promise<ServablePolicy>;
  /** Directory of what clients save; made when they do. */
  readonly stateDirectory: string;
  readonly host: string;
  /** 0 takes any port that is free. */
  readonly port: number;
  /** What clients must show. Needed for any address but this machine's own. */
  readonly key: string | null;
  readonly limits?: Partial<ServiceLimits & HttpLimits>;
  /** Told of failures that no client can mend. */
  readonly report: (error: unknown) => void;
}

export interface HttpLimits {
  readonly maxBodyBytes: number;
  /** How long a poll is held. */
  readonly pollSeconds: number;
}

/** A server that listens. */
export interface RunningServer {
  /** `http://HOST:PORT`. */
  readonly url: string;
  /** Takes no more requests, lets what is being computed end, and releases the engines. */
  readonly close: () => Promise<void>;
}

/** Polls end before those of the official SDK, which wait for 45 seconds. */
const LIMITS: ServiceLimits & HttpLimits = {
  maxModels: 4,
  snapshotsPerModel: 8,
  maxUnfinished: 10_000,
  fetchedBytes: 2 ** 28,
  sessionSeconds: 300,
  gapSeconds: 60,
  maxBodyBytes: 2 ** 26,
  pollSeconds: 30,
};

/** How long the last answers may take to be read, when the server ends. */
const LAST_ANSWERS_SECONDS = 1;

/**
 * Serves a model through the Tinker training API. Throws UsageError when the address is not this machine's own and there
 * is no key, or cannot be listened on; ModelError when the model cannot be used.
 */
export async function startServer({ model, createPolicy, stateDirectory, host, port, key, limits = {}, report }: ServeOptions): Promise<RunningServer> {
  if (key === "") throw new UsageError("the key is empty; give one that cannot be guessed");
  if (key === null && !isLoopback(host)) {
    throw new UsageError(`--host ${host} can be reached from other machines, so a key is needed: set SELFTRAIN_SERVE_KEY (or --key) to one that cannot be guessed`);
  }
  const all = { ...LIMITS, ...limits };
  const service = await createService({
    model,
    createPolicy,
    stateDirectory,
    limits: all,
    newId: () => randomUUID().slice(0, 13),
    anySeed: () => randomInt(2 ** 31),
    clock: () => performance.now() / 1000,
    report,
  });
  try {
    const app = createApp(service, { key, maxBodyBytes: all.maxBodyBytes, pollSeconds: all.pollSeconds, report });
    const server = createAdaptorServer({ fetch: app.fetch }) as Server;
    const url = await listen(server, host, port);
    return {
      url,
      close: async () => {
        const closed = new Promise((resolve) => server.close(resolve));
        await service.close();
        // Clients keep connections open for requests that will not come.
        const idle = setInterval(() => server.closeIdleConnections(), 20);
        const patience = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_SECONDS * 1000);
        await closed;
        clearInterval(idle);
        clearTimeout(patience);
      },
    };
  } catch (error) {
    await service.close();
    throw error;
  }
}

/** Listens and returns the address. Throws UsageError. */
function listen(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(new UsageError(`cannot listen on ${host}:${port}: ${systemReason(error) ?? error.message}; choose another with --host and --port`, { cause: error })));
    server.listen(port, host, () => {
      const address = server.address();
      const actual = typeof address === "object" && address ? address.port : port;
      resolve(`http://${host.includes(":") ? `[${host}]` : host}:${actual}`);
    });
  });
}
