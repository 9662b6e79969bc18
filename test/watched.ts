import { request } from "node:http";
import { join } from "node:path";
import { formatConfig } from "../src/config/index.ts";
import { createRunDirectory, openRunDirectory } from "../src/run/index.ts";
import type { RunDirectory } from "../src/run/index.ts";
import { train } from "../src/train.ts";
import { startWatchServer } from "../src/watch/index.ts";
import type { WatchOptions, WatchServer } from "../src/watch/index.ts";
import type { RunOverview } from "../src/watch/protocol.ts";
import { environment, problemsNamed, trainOptions } from "./train-fixture.ts";
import type { FixtureChanges } from "./train-fixture.ts";

/** A run of the fake policy with everything that a live page shows, in a folder. */
export async function recordRun(folder: string, name: string, changes: FixtureChanges = {}): Promise<string> {
  const path = join(folder, name);
  const options = { ...changes, config: { startVotes: 4, steps: 12, ...changes.config } };
  // The config is that of the options, whatever directory they are made for.
  const { config } = trainOptions(undefined as unknown as RunDirectory, options);
  const run = await createRunDirectory(path, { configText: formatConfig(config), environment });
  await trainOn(run, options);
  return path;
}

/** Continues such a run. */
export async function resumeRun(path: string, changes: FixtureChanges = {}): Promise<void> {
  await trainOn(await openRunDirectory(path), { ...changes, config: { startVotes: 4, ...changes.config } });
}

async function trainOn(run: RunDirectory, changes: FixtureChanges): Promise<void> {
  try {
    const truth = new Map(problemsNamed("1+", 18).map(({ id, answer }) => [id, answer]));
    await train({ ...trainOptions(run, changes), truth });
  } finally {
    await run.close();
  }
}

export interface Watched extends WatchServer {
  readonly get: (path: string) => Promise<Response>;
  readonly json: <T>(path: string) => Promise<T>;
  readonly runs: () => Promise<readonly RunOverview[]>;
  /** A request as no browser would send it: the path is sent as it is. */
  readonly raw: (path: string, headers?: Readonly<Record<string, string>>) => Promise<{ readonly status: number; readonly body: string }>;
}

/** A server on any port, whose bugs fail the test that asks. */
export async function startWatched(directories: readonly string[], options: Partial<WatchOptions> = {}): Promise<Watched> {
  const server = await startWatchServer({ directories, host: "127.0.0.1", port: 0, patience: 30_000, report: (error) => console.error(error), ...options });
  const get = (path: string): Promise<Response> => fetch(server.url + path);
  const json = async <T>(path: string): Promise<T> => (await (await get(path)).json()) as T;
  return {
    ...server,
    get,
    json,
    runs: () => json<readonly RunOverview[]>("/api/runs"),
    raw: (path, headers = {}) =>
      new Promise((resolve, reject) => {
        const { hostname, port } = new URL(server.url);
        request({ hostname, port, path, headers }, (response) => {
          let body = "";
          response.on("data", (chunk: Buffer) => (body += chunk.toString()));
          response.on("end", () => resolve({ status: response.statusCode!, body }));
        })
          .on("error", reject)
          .end();
      }),
  };
}
