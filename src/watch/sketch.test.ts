import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeLongRun } from "../../test/long-runs.ts";
import type { MetricsLine, StepMetrics } from "../run/index.ts";
import { sketch } from "./sketch.ts";

const STEPS = 2500;
let folder: string;
let metrics: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sketch-"));
  await writeLongRun(join(folder, "run"), { seed: 1, steps: STEPS });
  metrics = join(folder, "run", "metrics.jsonl");
});
afterAll(() => rm(folder, { recursive: true }));

it("has all evaluations, the last steps, and some hundred others over the whole length, as they are", async () => {
  const { columns, evaluations } = (await sketch(metrics))!;
  const lines = (await readFile(metrics, "utf8")).trim().split("\n").map((line) => JSON.parse(line) as MetricsLine);
  expect(evaluations.map(({ step, passAt1 }) => [step, passAt1])).toEqual(lines.flatMap((line) => (line.kind === "evaluation" ? [[line.step, line.passAt1]] : [])));
  const kl = lines.filter((line): line is StepMetrics => line.kind === "step").map((line) => Math.fround(line.kl));
  const drawn = [...columns.after("kl", 0)];
  const present = drawn.flatMap((value, index) => (Number.isNaN(value) ? [] : [index]));
  expect(present.map((index) => drawn[index])).toEqual(present.map((index) => kl[index]));
  // What isn't there was not parsed: the cost of a sketch hardly grows with the run.
  expect(present.length).toBeGreaterThan(250);
  expect(present.length).toBeLessThan(350);
  expect(present.slice(-20)).toEqual(Array.from({ length: 20 }, (_, index) => STEPS - 20 + index));
  const gaps = present.slice(1).map((index, place) => index - present[place]!);
  expect(Math.max(...gaps)).toBeLessThan(3 * (STEPS / 300));
});

it("is made of long logs only", async () => {
  await writeFile(join(folder, "short.jsonl"), `{"kind":"step","step":1}\n`);
  expect(await sketch(join(folder, "short.jsonl"))).toBeNull();
  expect(await sketch(join(folder, "none.jsonl"))).toBeNull();
});

it("leaves out what can't be told", async () => {
  const damaged = join(folder, "damaged.jsonl");
  const last = (await readFile(metrics, "utf8")).trim().split("\n").at(-1)!;
  await writeFile(damaged, `nonsense\n[]\n`);
  await appendFile(damaged, await readFile(metrics));
  await appendFile(damaged, `${last.replace(`"step":${STEPS}`, '"step":1e15')}\n${last.slice(0, 100)}`);
  const { columns, evaluations } = (await sketch(damaged))!;
  expect(columns.steps()).toBe(STEPS);
  expect(evaluations).toHaveLength(STEPS / 50);
});
