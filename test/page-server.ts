import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { RUNS_EVENT, type EvaluationPoint, type RunAbout, type RunOverview } from "../src/watch/protocol.ts";

const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";

/** A run that has made `step` of `steps` updates, for the page alone: no run directory lies behind it. */
export function syntheticRun(place: number, step: number, steps: number): RunOverview {
  const collapsed = place % 3 === 1;
  return {
    id: `run-${place}`,
    name: `srt-${place}`,
    state: step < steps ? "running" : "complete",
    model: "builtin",
    reward: "majority",
    algorithm: "reinforce",
    step,
    steps,
    revision: 0,
    evaluations: Math.floor(step / 50) + 1,
    recordings: 0,
    health: {
      level: collapsed ? "collapsed" : "healthy",
      text: collapsed ? "collapsed at step 60: 93 % of prompts answer 1" : "healthy",
      signs: [{ key: "answerExcess", name: "one answer's share beyond what the first model gave it", value: 0.4, start: 0.1, limit: 0.7 }],
    },
    secondsPerStep: 1.25,
    tokensPerSecond: 900,
    secondsLeft: step < steps ? (steps - step) * 1.25 : null,
    note: null,
  };
}

/** A smooth curve with noise, the same for the same place, column and step. */
function figureAt(place: number, column: number, step: number): number {
  const noise = Math.sin(step * 12.9898 + place * 78.233 + column * 37.719) * 43758.5453;
  return 0.2 + 0.03 * (place % 10) + 0.4 * (1 - Math.exp(-step / (80 + 40 * column))) + 0.08 * (noise - Math.floor(noise) - 0.5);
}

/** Every 50 steps, on validation problems as well in the second run. */
function evaluationsOf(run: RunOverview): EvaluationPoint[] {
  return Array.from({ length: run.evaluations }, (_, i) => i * 50).flatMap((step) => {
    const passAt1 = figureAt(Number(run.id.slice(4)), 1, step);
    const point = { step, passAt1, standardError: 0.02, majAtK: passAt1 + 0.1, majStandardError: 0.03, k: 8, problems: 100, abstentionRate: 0 };
    return [{ kind: "evaluation" as const, ...point }, ...(run.id === "run-1" ? [{ kind: "validation" as const, ...point, passAt1: passAt1 - 0.1 }] : [])];
  });
}

const ABOUT: RunAbout = {
  config: [["seed", "3"], ["engine.kind", "onnx"], ["steps", "5000"]],
  chosen: ["seed", "steps"],
  environment: [["node", "v20.20.2"], ["cores", "2"]],
  path: "/runs/<b>srt</b>",
};

const STEPS = 6000;
const drawn = new Map<string, Float32Array>();

/** Made once: a real server has its columns in memory as well. */
function columnOf(place: number, column: number): Float32Array {
  const key = `${place} ${column}`;
  const known = drawn.get(key) ?? Float32Array.from({ length: STEPS }, (_, row) => figureAt(place, column, row + 1));
  drawn.set(key, known);
  return known;
}

/** After a resumption (`revision`) every figure is a tenth of what it was. */
function columnsOf(run: RunOverview, names: readonly string[], from: number): Buffer {
  const columns = names.map((_, column) => columnOf(Number(run.id.slice(4)), column).slice(from, run.step).map((value) => value / 10 ** run.revision));
  return Buffer.concat(columns.map((values) => Buffer.from(values.buffer, values.byteOffset, values.byteLength)));
}

export interface PageServer {
  readonly address: string;
  /** Replaces a run and tells the page, if it is connected. */
  readonly send: (run: RunOverview) => void;
  /** Ends all connections and answers none until `start`. */
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Serves the built page in `directory`, and the runs as `selftrain watch` would. */
export async function servePage(directory: string, initial: readonly RunOverview[]): Promise<PageServer> {
  const runs = new Map(initial.map((run) => [run.id, run]));
  const followers = new Set<ServerResponse>();
  const json = (response: ServerResponse, body: unknown): void => void response.setHeader("content-type", "application/json").end(JSON.stringify(body));
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const [, id, what] = /^\/api\/runs\/([^/]+)\/(\w+)$/.exec(url.pathname) ?? [];
    const run = runs.get(id ?? "");
    response.setHeader("content-security-policy", POLICY);
    if (url.pathname === "/api/runs") json(response, [...runs.values()]);
    else if (url.pathname === "/api/events") {
      response.writeHead(200, { "content-type": "text/event-stream" }).write("retry: 100\n\n");
      followers.add(response);
      response.on("close", () => followers.delete(response));
    } else if (run && what === "evaluations") json(response, evaluationsOf(run));
    else if (run && what === "about") json(response, ABOUT);
    else if (run && what === "recordings") json(response, [10, 20, 30]);
    else if (/\/recordings\/\d+$/.test(url.pathname)) json(response, []);
    else if (run && what === "steps") response.end(columnsOf(run, url.searchParams.get("columns")!.split(","), Number(url.searchParams.get("from"))));
    else {
      const path = url.pathname === "/" ? "/index.html" : url.pathname;
      readFile(join(directory, path)).then(
        (file) => response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream").end(file),
        () => response.writeHead(path === "/favicon.ico" ? 204 : 404).end(),
      );
    }
  });
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}/`,
    send(run) {
      runs.set(run.id, run);
      for (const follower of followers) follower.write(`event: ${RUNS_EVENT}\ndata: ${JSON.stringify([run])}\n\n`);
    },
    stop,
    start: () => listen(port),
    close: stop,
  };
}
