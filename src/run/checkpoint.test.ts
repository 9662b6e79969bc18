import { cp, mkdtemp, readFile, readdir, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CheckpointError, RunDirectoryError } from "../errors.ts";
import { checkpointPath, checkpointSteps, saveCheckpoint, setAsideCheckpoint, verifyCheckpoint } from "./checkpoint.ts";
import { createRunDirectory } from "./directory.ts";
import type { RunDirectory } from "./directory.ts";
import { describeEnvironment } from "./environment.ts";

let folder: string;
let run: RunDirectory;
const createRun = async (name: string) =>
  createRunDirectory(join(folder, name), { configText: "", environment: await describeEnvironment([]) });
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "checkpoint-"));
  run = await createRun("run");
});
afterEach(async () => {
  await run.close();
  await rm(folder, { recursive: true });
});

const save = (owner: RunDirectory, step: number) =>
  saveCheckpoint(owner, step, { kept: 2 }, (directory) => writeFile(join(directory, "weights.bin"), `weights of ${step}`));
const inCheckpoints = async () => (await readdir(join(run.path, "checkpoints"))).sort();

describe("saveCheckpoint", () => {
  it("lists its files with size and SHA-256, and keeps the newest ones", async () => {
    for (const step of [1, 2, 1000000]) await save(run, step);
    expect(await checkpointSteps(run)).toEqual([1000000, 2]);
    const manifest: unknown = JSON.parse(await readFile(join(checkpointPath(run, 2), "manifest.json"), "utf8"));
    expect(manifest).toEqual({
      format: 1,
      runId: run.runId,
      step: 2,
      // printf 'weights of 2' | sha256sum
      files: [{ name: "weights.bin", bytes: 12, sha256: "30874c60e97602b8f70d8860749221e12b97404a0f1fafcc215fe3aff4ddbcec" }],
    });
    await verifyCheckpoint(run, 2);
  });

  it.skipIf(process.platform !== "linux")("leaves the earlier ones and no remains when the disk is full (needs /dev/full)", async () => {
    await save(run, 1);
    const failing = saveCheckpoint(run, 2, { kept: 2 }, async (directory) => {
      await writeFile(join(directory, "weights.bin"), "first half");
      await writeFile("/dev/full", "second half");
    });
    await expect(failing).rejects.toThrow(RunDirectoryError);
    await expect(failing).rejects.toThrow(`${checkpointPath(run, 2)} could not be written: no space left on device (ENOSPC)`);
    expect(await inCheckpoints()).toEqual(["step-000001"]);
    await verifyCheckpoint(run, 1);
  });

  it("passes on an error that is not the disk's", async () => {
    await expect(saveCheckpoint(run, 2, { kept: 2 }, () => Promise.reject(new TypeError("a bug")))).rejects.toThrow(TypeError);
    expect(await inCheckpoints()).toEqual([]);
  });
});

describe("verifyCheckpoint", () => {
  const file = (name: string) => join(checkpointPath(run, 3), name);
  const damages: readonly (readonly [string, () => Promise<void>, string])[] = [
    ["truncated", () => truncate(file("weights.bin"), 5), "weights.bin has 5 bytes instead of 12"],
    ["altered in one byte", () => writeFile(file("weights.bin"), "weights of 4"), "weights.bin was altered"],
    ["without a file", () => rm(file("weights.bin")), "weights.bin is missing"],
    ["half written", () => rm(file("manifest.json")), "manifest.json is missing: the checkpoint is half written"],
    ["with half a manifest", () => truncate(file("manifest.json"), 40), "manifest.json is not a manifest of this format"],
    ["under the name of another step", () => renameStep(2, 3), "holds step 2"],
    ["of another run", copyFromOtherRun, "belongs to another run"],
  ];

  async function renameStep(from: number, to: number): Promise<void> {
    await rm(checkpointPath(run, to), { recursive: true });
    await save(run, from);
    await rename(checkpointPath(run, from), checkpointPath(run, to));
  }

  async function copyFromOtherRun(): Promise<void> {
    const other = await createRun("other");
    await save(other, 3);
    await rm(checkpointPath(run, 3), { recursive: true });
    await cp(checkpointPath(other, 3), checkpointPath(run, 3), { recursive: true });
    await other.close();
  }

  it.each(damages)("refuses one that is %s", async (_case, damage, message) => {
    await save(run, 3);
    await damage();
    await expect(verifyCheckpoint(run, 3)).rejects.toThrow(CheckpointError);
    await expect(verifyCheckpoint(run, 3)).rejects.toThrow(message);
  });
});

it("sets one aside without deleting it", async () => {
  for (const step of [3, 4]) await save(run, step);
  await setAsideCheckpoint(run, 4);
  expect(await checkpointSteps(run)).toEqual([3]);
  expect(await inCheckpoints()).toEqual(["step-000003", "step-000004.refused"]);
});
