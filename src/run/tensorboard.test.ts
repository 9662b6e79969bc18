import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { trainIn } from "../../test/train-fixture.ts";
import type { MetricsLine } from "./metrics.ts";
import { openMetricsLog } from "./step-log.ts";
import { scalarsOf, writeEventFile } from "./tensorboard.ts";

const root = join(import.meta.dirname, "..", "..");
const python = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "selftrain", "tensorboard-venv", "bin", "python");
const missing = !existsSync(python);
if (missing) console.warn(`skipped: what TensorBoard itself reads in event files, since ${python} is missing (.ci/run installs it)`);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tensorboard-"));
});
afterAll(() => rm(folder, { recursive: true }));

type Curves = Readonly<Record<string, readonly (readonly [step: number, value: number, wallTime: number])[]>>;

/** What TensorBoard reads in a folder. */
async function curvesIn(path: string): Promise<Curves> {
  const { stdout } = await promisify(execFile)(python, [join(root, "scripts", "tensorboard-curves.py"), path], { maxBuffer: 1 << 26 });
  return JSON.parse(stdout) as Curves;
}

/** The curves that lines of metrics.jsonl should be, by step; event files hold 32-bit floats. */
function expectedOf(lines: readonly MetricsLine[]): Readonly<Record<string, readonly (readonly [number, number])[]>> {
  const curves: Record<string, [number, number][]> = {};
  for (const line of [...lines].sort((first, second) => first.step - second.step)) for (const [tag, value] of scalarsOf(line)) (curves[tag] ??= []).push([line.step, Math.fround(value)]);
  return curves;
}

const values = (curves: Curves) => Object.fromEntries(Object.entries(curves).map(([tag, points]) => [tag, points.map(([step, value]) => [step, value])]));

/** Trains the fixture as a process and kills it at its n-th event. */
async function killAt(mode: string, path: string, steps: number, events: number): Promise<void> {
  const child = spawn(process.execPath, ["--import", "tsx", join(root, "test", "train-fixture.ts"), mode, path, String(steps), "tensorboard"], { stdio: ["ignore", "pipe", "inherit"] });
  let seen = 0;
  createInterface({ input: child.stdout }).on("line", () => {
    if (++seen === events) child.kill("SIGKILL");
  });
  expect(await new Promise((resolve) => child.on("close", (_, signal) => resolve(signal)))).toBe("SIGKILL");
}

describe("scalarsOf", () => {
  it("names every figure of a line", async () => {
    const path = join(folder, "named");
    await trainIn(path, "create", { config: { steps: 1 } });
    const [evaluation, step] = await openMetricsLog(path).read();
    const figures = ({ timing, ...line }: MetricsLine) => [...Object.entries(line), ...Object.entries(timing)].filter(([name, value]) => !["kind", "step"].includes(name) && value !== null);
    for (const line of [evaluation!, step!]) expect(scalarsOf(line)).toHaveLength(figures(line).length);
    expect(new Map(scalarsOf(evaluation!)).get("held-out/pass@1")).toBe((evaluation as { passAt1?: number }).passAt1);
    expect(new Map(scalarsOf(step!)).get("kl/mean")).toBe((step as { kl?: number }).kl);
    expect(new Map(scalarsOf(step!)).get("update/skipped")).toBe(0);
  });
});

describe.skipIf(missing)("TensorBoard", () => {
  it("reads every figure of a run once, though the run was killed and resumed", async () => {
    const path = join(folder, "killed");
    await killAt("create", path, 60, 9);
    await killAt("resume", path, 60, 11);
    await trainIn(path, "resume", { config: { steps: 60, tensorboard: true } });
    expect((await readdir(join(path, "tensorboard"))).length).toBe(3);
    const curves = await curvesIn(join(path, "tensorboard"));
    expect(values(curves)).toEqual(expectedOf(await openMetricsLog(path).read()));
    expect(curves["kl/mean"]).toHaveLength(60);
    const now = Date.now() / 1000;
    for (const [, , wallTime] of curves["kl/mean"]!) expect(now - wallTime).toBeLessThan(120);
  });

  it("reads the same in what is written of a run afterwards, once more too", async () => {
    const path = join(folder, "afterwards");
    await trainIn(path, "create");
    const lines = await openMetricsLog(path).read();
    for (let time = 0; time < 2; time++) await writeEventFile(join(folder, "written"), lines, 1_700_000_000);
    const curves = await curvesIn(join(folder, "written"));
    expect(values(curves)).toEqual(expectedOf(lines));
    expect(curves["time/elapsed-seconds"]!.map(([, elapsed, wallTime]) => Math.abs(wallTime - 1_700_000_000 - elapsed) < 1e-3)).not.toContain(false);
  });
});
