/**
 * What `selftrain watch` takes on long runs, as a process of its own, from a cold start on:
 *
 *   npm run bench:watch [-- --runs 20 --steps 5000 --seconds 20]
 *
 * The runs are made up in a temporary folder, one of three collapses. Times are from the moment at which the server
 * listens. Then every run is written on, a step a second at any moment, and the client of the events takes the time
 * from a step's being written to its being told.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { currentOwner } from "../src/run/lock.ts";
import { createRandom } from "../src/util/random.ts";
import { STEP_COLUMNS } from "../src/watch/protocol.ts";
import type { RunOverview } from "../src/watch/protocol.ts";
import { follow } from "../test/followed.ts";
import { appendStep, writeLongRun } from "../test/long-runs.ts";
import type { LongRun } from "../test/long-runs.ts";

const { values } = parseArgs({ options: { runs: { type: "string", default: "20" }, steps: { type: "string", default: "5000" }, seconds: { type: "string", default: "20" } } });
const [steps, seconds] = [Number(values.steps), Number(values.seconds)];
const folder = await mkdtemp(join(tmpdir(), "selftrain-bench-"));
const runs = Array.from({ length: Number(values.runs) }, (_, seed) => {
  const run: LongRun = { seed, steps, ...(seed % 3 === 1 && { collapses: steps / 2 }) };
  return { run, name: `run-${seed}`, path: join(folder, `run-${seed}`) };
});
const ms = (from: number): string => `${(performance.now() - from).toFixed(0)} ms`;

/** The command, built, on the folder; resolves when it listens. */
async function serve() {
  const started = performance.now();
  const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
  const server = spawn(process.execPath, [main, "watch", folder, "--port", "0", "--json"], { stdio: ["ignore", "pipe", "ignore"] });
  const [line] = (await once(createInterface(server.stdout), "line")) as [string];
  return { server, url: (JSON.parse(line) as { url: string }).url, after: ms(started), listening: performance.now() };
}

/** Curves and evaluations of all runs, as the page asks for them. */
async function drawAll(url: string): Promise<readonly RunOverview[]> {
  const all = (await (await fetch(`${url}/api/runs`)).json()) as readonly RunOverview[];
  await Promise.all(
    all.flatMap(({ id }) => [`steps?columns=${STEP_COLUMNS.join(",")}`, "evaluations"].map(async (what) => (await fetch(`${url}/api/runs/${id}/${what}`)).arrayBuffer())),
  );
  return all;
}

/** What a process has taken so far, as Linux tells it: its work is the same on a busy machine, its time is not. */
async function taken(pid: number): Promise<string> {
  const [status, stat] = await Promise.all(["status", "stat"].map((name) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "")));
  const [peak, ticks] = [Number(/VmHWM:\s*(\d+)/.exec(status!)?.[1]), stat!.split(") ")[1]?.split(" ").slice(11, 13) ?? []];
  return `${((Number(ticks[0]) + Number(ticks[1])) / 100).toFixed(1)} s of CPU, memory at most ${(peak / 1024).toFixed(0)} MB`;
}

const part = (sorted: readonly number[], share: number): string => `${sorted[Math.floor(share * (sorted.length - 1))]!.toFixed(0)} ms`;

try {
  for (const { path, run } of runs) await writeLongRun(path, run);
  const { server, url, after, listening } = await serve();
  console.log(`${runs.length} runs of ${steps} steps: listening ${after} after the command (${await taken(server.pid!)})`);
  const followed = await follow(url);
  console.log(`first answer after ${ms(listening)}`);
  for (let whole = false; !whole; ) whole = (await drawAll(url)).filter(({ step }) => step === steps).length === runs.length;
  console.log(`all curves over their whole length after ${ms(listening)} (${await taken(server.pid!)})`);
  await Promise.all(runs.map(({ name }) => followed.until((run) => run.name === name && run.step === steps && run.health.level !== "unknown")));
  console.log(`all steps and verdicts read after ${ms(listening)} (${await taken(server.pid!)})`);
  await drawAll(url);
  console.log(`and sent after ${ms(listening)} (${await taken(server.pid!)})`);

  const owner = JSON.stringify(await currentOwner());
  await Promise.all(runs.map(({ path }) => writeFile(join(path, "lock"), owner)));
  await Promise.all(runs.map(({ name }) => followed.until((run) => run.name === name && run.state === "running")));
  const late: number[] = [];
  await Promise.all(
    runs.map(async ({ run, name, path }) => {
      const random = createRandom(run.seed);
      for (let step = steps + 1; step <= steps + seconds; step++) {
        await wait(1000 * random.uniform() * 2);
        await appendStep(path, run, step);
        const written = performance.now();
        late.push((await followed.until((told) => told.name === name && told.step >= step)).at - written);
      }
    }),
  );
  late.sort((first, second) => first - second);
  console.log(`${late.length} steps of ${runs.length} runs told after ${part(late, 0.5)} (median), ${part(late, 0.95)} (95 of 100), ${part(late, 1)} (all); ${await taken(server.pid!)}`);
  await followed.close();
  server.kill();
} finally {
  await rm(folder, { recursive: true });
}
