import { appendFile, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunDirectoryError } from "../errors.ts";
import { openMetricsLog } from "./step-log.ts";
import { evaluationMetrics, stepMetrics } from "./metrics.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "metrics-"));
});
afterEach(() => rm(folder, { recursive: true }));

const figures = { passAt1: 0.5, standardError: 0.1, majAtK: 1, majStandardError: 0, k: 4, abstentionRate: 0, meanLength: 2, problems: 3 };
const evaluation = (step: number) => evaluationMetrics(step, figures, { seconds: 1, elapsed: 1 });
const seconds = { sample: 0, vote: 0, reference: 0, update: 0, total: 1 };
const stepped = (step: number) => stepMetrics({ step, groups_P: [], update: null, seconds }, { elapsed: step, klCoefficient: 0 });
const content = () => readFile(join(folder, "metrics.jsonl"), "utf8");

describe("the metrics log", () => {
  it("gives back what was appended, also to a second reader", async () => {
    const log = openMetricsLog(folder);
    expect(await log.read()).toEqual([]);
    await log.append(evaluation(0));
    await log.append(stepped(1));
    await log.sync();
    expect(await openMetricsLog(folder).read()).toEqual([evaluation(0), stepped(1)]);
    await log.close();
  });

  it("rewinds to a step, keeps those lines to the letter, and goes on", async () => {
    const log = openMetricsLog(folder);
    for (const line of [evaluation(0), stepped(1)]) await log.append(line);
    const kept = await content();
    for (const line of [evaluation(1), stepped(2), evaluation(2)]) await log.append(line);
    expect(await log.rewind(1)).toEqual([evaluation(0), stepped(1), evaluation(1)]);
    await log.append(stepped(2));
    expect(await content()).toBe(`${kept}${JSON.stringify(evaluation(1))}\n${JSON.stringify(stepped(2))}\n`);
    await log.close();
  });

  it.each([
    ["without its line break", JSON.stringify(stepped(2))],
    ["cut in the middle", JSON.stringify(stepped(2)).slice(0, 20)],
    ["of zeros, as some file systems leave it after a power cut", "\0\0\0\0\n"],
  ])("drops a last line %s", async (_case, tail) => {
    const log = openMetricsLog(folder);
    for (const line of [evaluation(0), stepped(1)]) await log.append(line);
    await appendFile(join(folder, "metrics.jsonl"), tail);
    expect(await log.rewind(1)).toEqual([evaluation(0), stepped(1)]);
    await log.close();
  });

  it("refuses to continue when a step is missing", async () => {
    const write = (lines: object[]) => writeFile(join(folder, "metrics.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const log = openMetricsLog(folder);
    await write([evaluation(0), stepped(1), stepped(3)]);
    await expect(log.rewind(3)).rejects.toThrow("lacks step 2 although step 3 was saved");
    await write([evaluation(0), stepped(1), stepped(2)]);
    await expect(log.rewind(3)).rejects.toThrow("lacks step 3");
  });

  it.skipIf(process.platform !== "linux")("says so when the disk is full (needs /dev/full)", async () => {
    await symlink("/dev/full", join(folder, "metrics.jsonl"));
    const failing = openMetricsLog(folder).append(stepped(1));
    await expect(failing).rejects.toThrow(RunDirectoryError);
    await expect(failing).rejects.toThrow(/metrics\.jsonl could not be written: no space left on device \(ENOSPC\); .*--resume/);
  });
});
