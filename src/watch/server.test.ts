import { spawnSync } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { stepMetrics } from "../run/index.ts";
import { startWatchServer } from "./index.ts";
import type { WatchServer } from "./index.ts";
import type { RunOverview } from "./protocol.ts";

let folder: string;
let server: WatchServer;
const failures: unknown[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "watch-"));
  server = await startWatchServer({ directories: [folder], host: "127.0.0.1", port: 0, page: null, report: (error) => failures.push(error) });
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
  expect(failures).toEqual([]);
});

const line = (step: number, kl: number): string =>
  `${JSON.stringify({ ...stepMetrics({ step, groups_P: [], update: null, seconds: { sample: 0, vote: 0, reference: 0, update: 0, total: 2 } }, { elapsed: 2 * step, klCoefficient: 0 }), kl, majorityShareOfAll: 0.5 })}\n`;

/** A run of three steps; `pid` is the process that holds it. */
async function writeRun(name: string, pid?: number): Promise<string> {
  const path = join(folder, "deep", name);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, "config.yaml"), "steps: 10\nmodel: builtin\nreward: majority\nstart-votes: 16\n");
  await writeFile(join(path, "metrics.jsonl"), line(1, 0.5) + line(2, 1.5) + line(3, 2.5));
  if (pid !== undefined) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
    const processStart = stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
    await writeFile(join(path, "lock"), JSON.stringify({ pid, host: hostname(), started: new Date().toISOString(), processStart }));
  }
  return path;
}

const get = async (path: string): Promise<Response> => fetch(`${server.url}/api/${path}`);
const runs = async (): Promise<readonly RunOverview[]> => (await (await get("runs")).json()) as readonly RunOverview[];
const columnsOf = async (id: string, columns: string, from: number): Promise<readonly number[]> => [...new Float32Array(await (await get(`runs/${id}/steps?columns=${columns}&from=${from}`)).arrayBuffer())];

it("tells a running run from a killed and a complete one", async () => {
  const dead = spawnSync(process.execPath, ["--version"]).pid;
  await writeRun("running", process.pid);
  await writeRun("killed", dead);
  const complete = await writeRun("complete");
  await writeFile(join(complete, "summary.json"), JSON.stringify({ steps: 3, seconds: 6, before: null, after: null }));
  expect((await runs()).map(({ name, state, step, steps, secondsPerStep, secondsLeft }) => ({ name, state, step, steps, secondsPerStep, secondsLeft }))).toEqual([
    { name: "complete", state: "complete", step: 3, steps: 10, secondsPerStep: 2, secondsLeft: null },
    { name: "killed", state: "stopped", step: 3, steps: 10, secondsPerStep: 2, secondsLeft: null },
    { name: "running", state: "running", step: 3, steps: 10, secondsPerStep: 2, secondsLeft: 14 },
  ]);
});

it("gives columns from a step on, and a new revision where a resumption went back", async () => {
  const path = await writeRun("run", process.pid);
  const [{ id, revision }] = (await runs()) as [RunOverview];
  expect(await columnsOf(id, "kl,majorityShareOfAll,pseudoReward", 1)).toEqual([1.5, 2.5, 0.5, 0.5, NaN, NaN]);
  await writeFile(join(path, "new"), line(1, 0.5) + line(2, 7));
  await rename(join(path, "new"), join(path, "metrics.jsonl"));
  const [again] = (await runs()) as [RunOverview];
  expect([again.id, again.step, again.revision]).toEqual([id, 2, revision + 1]);
  expect(await columnsOf(id, "kl", 0)).toEqual([0.5, 7]);
});

it("tells who follows within 200 ms that a step was written", async () => {
  const path = await writeRun("run", process.pid);
  const reader = (await fetch(`${server.url}/api/events`)).body!.getReader();
  const next = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value as Uint8Array);
  await next();
  const waits: number[] = [];
  for (const step of [4, 5, 6]) {
    const written = performance.now();
    await appendFile(join(path, "metrics.jsonl"), line(step, 1));
    while (!(await next()).includes(`"step":${step}`));
    waits.push(performance.now() - written);
  }
  console.log(`a written step is told of after ${waits.map((wait) => Math.round(wait)).join(", ")} ms`);
  expect(Math.min(...waits)).toBeLessThan(200);
  await reader.cancel();
});

it("finds runs that begin later, and says what is wrong with a damaged one", async () => {
  expect(await runs()).toEqual([]);
  const path = await writeRun("run");
  await appendFile(join(path, "metrics.jsonl"), "{broken\n");
  await expect.poll(runs, { timeout: 5000 }).toHaveLength(1);
  const [run] = (await runs()) as [RunOverview];
  expect(run).toMatchObject({ step: 3, note: "Line 4 of metrics.jsonl is damaged: nothing after it is shown." });
});

it("answers only as this machine, only known runs, and in one sentence", async () => {
  await writeRun("run");
  const [{ id }] = (await runs()) as [RunOverview];
  const status = await new Promise((resolve, reject) => {
    request(`${server.url}/api/runs`, { headers: { host: "rebound.example" } }, ({ statusCode }) => resolve(statusCode)).on("error", reject).end();
  });
  expect(status).toBe(403);
  for (const [path, code, sentence] of [
    ["runs/..%2F..%2Fetc/about", 404, "There is no run of this id here."],
    [`runs/${id}/steps?columns=kl,password`, 400, "`columns` names `password`"],
    [`runs/${id}/recordings/7`, 404, "The samples of step 7 are not recorded"],
    [`runs/${id}/recordings/..%2F7`, 400, "expected a whole number"],
    ["other", 404, "is no call of this server"],
  ] as const) {
    const response = await get(path);
    expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([code, expect.stringContaining(sentence)]);
  }
  expect((await fetch(server.url)).headers.get("content-security-policy")).toContain("default-src 'none'");
});
