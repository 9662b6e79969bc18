/**
 * What a person waits for at the live page of long runs, in a real browser (`CHROMIUM_PATH`, or Debian's Chromium):
 *
 *   npm run bench:page [-- --runs 20 --steps 5000 --seconds 20]
 *
 * From a cold start of the command on made-up runs: until the charts have curves over their whole length. Then every
 * run is written on, all at once and twice a second: from a step's being written to its being on the screen, and the
 * longest frame meanwhile.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { currentOwner } from "../src/run/lock.ts";
import { appendStep, writeLongRun } from "../test/long-runs.ts";
import type { LongRun } from "../test/long-runs.ts";

const { values } = parseArgs({ options: { runs: { type: "string", default: "20" }, steps: { type: "string", default: "5000" }, seconds: { type: "string", default: "20" } } });
const steps = Number(values.steps);
const folder = await mkdtemp(join(tmpdir(), "selftrain-bench-"));
const runs = Array.from({ length: Number(values.runs) }, (_, seed) => ({ run: { seed, steps } satisfies LongRun, name: `run-${seed}`, path: join(folder, `run-${seed}`) }));
const ms = (from: number): string => `${(performance.now() - from).toFixed(0)} ms`;
const part = (sorted: readonly number[], share: number): string => `${sorted[Math.floor(share * (sorted.length - 1))]!.toFixed(0)} ms`;

/** In the page: whether its third chart, of a figure of every step, is drawn near its right edge. */
const DRAWN = `(() => {
  const canvas = document.querySelectorAll("canvas")[2];
  if (!canvas?.width) return false;
  const { width, height } = canvas;
  return canvas.getContext("2d").getImageData(Math.floor(0.8 * width), 0, Math.floor(0.1 * width), height).data.some((value, index) => index % 4 === 3 && value > 20);
})()`;
/** In the page: tells of each run's step when it is another, once a frame, and keeps the longest frame. */
const LOOK = `(() => {
  const last = {};
  let before = performance.now();
  window.longest = 0;
  const look = (now) => {
    window.longest = Math.max(window.longest, now - before);
    before = now;
    for (const row of document.querySelectorAll("tbody tr")) {
      const [name] = /run-\\d+/.exec(row.querySelector("th, td")?.textContent ?? "") ?? [];
      const step = /(\\d+) \\/ \\d+/.exec(row.textContent)?.[1];
      if (name !== undefined && step !== undefined && last[name] !== step) window.seen(name, Number(last[name] = step));
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame((now) => { before = now; look(now); });
})()`;

const browser = await chromium.launch({ executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  for (const { path, run } of runs) await writeLongRun(path, run);
  const started = performance.now();
  const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
  const server = spawn(process.execPath, [main, "watch", folder, "--port", "0", "--json"], { stdio: ["ignore", "pipe", "ignore"] });
  const [line] = (await once(createInterface(server.stdout), "line")) as [string];
  console.log(`${runs.length} runs of ${steps} steps: listening ${ms(started)} after the command`);
  // The page's content policy would refuse what is evaluated in it here.
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 }, bypassCSP: true });
  const opened = performance.now();
  await page.goto((JSON.parse(line) as { url: string }).url, { waitUntil: "commit" });
  await page.waitForFunction(DRAWN, null, { polling: 20 });
  console.log(`first screen, curves over their whole length: ${ms(opened)} after the page is opened`);

  const owner = JSON.stringify(await currentOwner());
  await Promise.all(runs.map(({ path }) => writeFile(join(path, "lock"), owner)));
  // Till all is read, and the locks are seen.
  await wait(8000);
  const written = new Map<string, number>();
  const late: number[] = [];
  await page.exposeFunction("seen", (name: string, step: number) => {
    const at = written.get(`${name} ${step}`);
    if (at !== undefined) late.push(performance.now() - at);
  });
  await page.evaluate(LOOK);
  for (let step = steps + 1; step <= steps + 2 * Number(values.seconds); step++) {
    for (const { run, name, path } of runs) {
      await appendStep(path, run, step);
      written.set(`${name} ${step}`, performance.now());
    }
    await wait(500);
  }
  await wait(1000);
  late.sort((first, second) => first - second);
  const longest = await page.evaluate<number>("window.longest");
  console.log(`${late.length} of ${written.size} steps were on the screen: after ${part(late, 0.5)} (median), ${part(late, 0.95)} (95 of 100), ${part(late, 1)} (all); longest frame ${longest.toFixed(0)} ms`);
  server.kill();
} finally {
  await browser.close();
  await rm(folder, { recursive: true });
}
