import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { trainJob } from "./job.ts";
import type { Job } from "./job.ts";
import { runJobs } from "./runner.ts";
import type { RunnerOptions } from "./runner.ts";

/**
 * Stands in for selftrain: writes down the words it was called with; `fail` ends badly, `slow` waits to be interrupted
 * and then has its state saved, as runs do.
 */
const PROGRAM = `
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
const words = process.argv.slice(2);
appendFileSync("calls.txt", words.join(" ") + "\\n");
const name = words.at(-1).replace("runs/", "");
mkdirSync("runs/" + name, { recursive: true });
writeFileSync("runs/" + name + "/config.yaml", "");
if (name.startsWith("fail")) { console.error("selftrain: no such model."); process.exit(1); }
if (name.startsWith("slow") && !words.includes("--resume")) { process.on("SIGINT", () => process.exit(130)); setInterval(() => {}, 1000); }
`;

let out: string;
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), "runner-"));
  await writeFile(join(out, "program.mjs"), PROGRAM);
});
afterEach(() => rm(out, { recursive: true }));

const run = (jobs: readonly Job[], changes: Partial<RunnerOptions> = {}) => runJobs(jobs, { out, program: join(out, "program.mjs"), version: "1.0.0", parallel: 2, signal: new AbortController().signal, ...changes });
const calls = async () => (await readFile(join(out, "calls.txt"), "utf8")).trim().split("\n");

describe("the runner", () => {
  it("runs each job after those that it reads, and what is complete never again", async () => {
    const jobs = [trainJob("a", {}), trainJob("b", {}, ["a"]), trainJob("c", {}, ["b"])];
    expect(await run(jobs)).toBe(true);
    expect(await calls()).toEqual(["a", "b", "c"].map((name) => `train base.yaml --out runs/${name}`));
    const earlier: string[] = [];
    expect(await run(jobs, { completed: ({ name }, before) => before && earlier.push(name) })).toBe(true);
    expect(earlier).toEqual(["a", "b", "c"]);
    expect(await calls()).toHaveLength(3);
  });

  it("says what failed, with its last line, and starts nothing after it", async () => {
    const failing = run([trainJob("fail", {}), trainJob("next", {}, ["fail"])]);
    await expect(failing).rejects.toThrow("`npx selftrain train base.yaml --out runs/fail` failed (exit code 1): selftrain: no such model.");
    expect(await calls()).toHaveLength(1);
  });

  it("refuses a result of another command", async () => {
    await run([trainJob("a", { seed: 1 })]);
    await expect(run([trainJob("a", { seed: 2 })])).rejects.toThrow("was made by another command");
    await expect(run([trainJob("a", { seed: 1 })], { version: "2.0.0" })).rejects.toThrow("or version (`npx selftrain train base.yaml --seed 1 --out runs/a # selftrain 1.0.0`");
  });

  it("stopped, lets a run save its state and later goes on with it", async () => {
    const controller = new AbortController();
    const stopped = run([trainJob("slow", {}), trainJob("after", {}, ["slow"])], { signal: controller.signal });
    while (!existsSync(join(out, "runs/slow/config.yaml"))) await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, 200));
    controller.abort();
    expect(await stopped).toBe(false);
    expect(await run([trainJob("slow", {}), trainJob("after", {}, ["slow"])])).toBe(true);
    expect(await calls()).toEqual(["train base.yaml --out runs/slow", "train --resume runs/slow", "train base.yaml --out runs/after"]);
  });

  it("starts nothing when it is stopped at once", async () => {
    const controller = new AbortController();
    expect(await run([trainJob("slow", {})], { signal: controller.signal, started: () => controller.abort() })).toBe(false);
    expect(existsSync(join(out, "calls.txt"))).toBe(false);
  });

  it("runs as many at a time as it may", async () => {
    let [now, most] = [0, 0];
    const jobs = ["a", "b", "c", "d"].map((name) => trainJob(name, {}));
    await mkdir(join(out, "runs"), { recursive: true });
    await run(jobs, { parallel: 3, started: () => (most = Math.max(most, ++now)), completed: () => now-- });
    expect(most).toBe(3);
  });
});
