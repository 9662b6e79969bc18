import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { RUNS_EVENT, type EvaluationPoint, type RunOverview } from "../src/watch/protocol.ts";

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

function evaluationsOf(run: RunOverview): EvaluationPoint[] {
  return Array.from({ length: run.evaluations }, (_, i) => {
    const passAt1 = figureAt(Number(run.id.slice(4)), 1, i * 50);
    return { kind: "evaluation", step: i * 50, passAt1, standardError: 0.02, majAtK: passAt1 + 0.1, majStandardError: 0.03, k: 8, problems: 100, abstentionRate: 0 };
  });
}

const STEPS = 6000;
const drawn = new Map<string, Float32Array>();

/** Made once: a real server has its columns in memory as well. */
function columnOf(place: number, column: number): Float32Array {
  const key = `${place} ${column}`;
  const known = drawn.get(key) ?? Float32Array.from({ length: STEPS }, (_, row) => figureAt(place, column, row + 1));
  drawn.set(key, known);
  return known;
}

function columnsOf(run: RunOverview, names: readonly string[], from: number): Buffer {
  const columns = names.map((_, column) => columnOf(Number(run.id.slice(4)), column).slice(from, run.step));
  return Buffer.concat(columns.map((values) => Buffer.from(values.buffer, values.byteOffset, values.byteLength)));
}

export interface PageServer {
  readonly address: string;
  /** Replaces a run and tells the page. */
  readonly send: (run: RunOverview) => void;
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
      response.writeHead(200, { "content-type": "text/event-stream" }).write(": hello\n\n");
      followers.add(response);
    } else if (run && what === "evaluations") json(response, evaluationsOf(run));
    else if (run && what === "steps") response.end(columnsOf(run, url.searchParams.get("columns")!.split(","), Number(url.searchParams.get("from"))));
    else {
      const path = url.pathname === "/" ? "/index.html" : url.pathname;
      readFile(join(directory, path)).then(
        (file) => response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream").end(file),
        () => response.writeHead(path === "/favicon.ico" ? 204 : 404).end(),
      );
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    send(run) {
      runs.set(run.id, run);
      for (const follower of followers) follower.write(`event: ${RUNS_EVENT}\ndata: ${JSON.stringify([run])}\n\n`);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
