import { appendFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunDirectoryError } from "../errors.ts";
import { createRunDirectory, openRunDirectory } from "./directory.ts";
import { describeEnvironment } from "./environment.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "directory-"));
});
afterEach(() => rm(folder, { recursive: true }));

const configText = "seed: 1\n";
const create = async (path: string) => createRunDirectory(path, { configText, environment: await describeEnvironment(["node", "selftrain"]) });

async function refused(promise: Promise<unknown>, message: string): Promise<void> {
  await expect(promise).rejects.toThrow(RunDirectoryError);
  await expect(promise).rejects.toThrow(message);
}

describe("createRunDirectory", () => {
  it("writes the config and the environment, below folders that need not exist", async () => {
    const path = join(folder, "runs", "first");
    const run = await create(path);
    expect(await readFile(join(path, "config.yaml"), "utf8")).toBe(configText);
    const environment: unknown = JSON.parse(await readFile(join(path, "environment.json"), "utf8"));
    expect(environment).toMatchObject({ runId: run.runId, node: process.version, commandLine: ["node", "selftrain"] });
    expect(environment).toHaveProperty("dependencies.zod");
    expect((await readdir(path)).sort()).toEqual(["checkpoints", "config.yaml", "environment.json", "lock", "samples"]);
    await run.close();
    expect(await readdir(path)).not.toContain("lock");
  });

  it("records what the run began from, with SHA-256", async () => {
    const file = join(folder, "weights");
    await writeFile(file, "abc");
    // FIPS 180-4's example.
    const files = [{ path: file, sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" }];
    const { inputs } = await describeEnvironment([], { model: { name: "a/b@c", files: [file] }, data: [{ name: "gsm8k@d", files: [file] }, { name: "none", files: [] }] });
    expect(inputs).toEqual({ model: { name: "a/b@c", files }, data: [{ name: "gsm8k@d", files }, { name: "none", files: [] }] });
  });

  it("never takes a directory that holds something", async () => {
    await writeFile(join(folder, "thesis.txt"), "years of work");
    await refused(create(folder), "exists already and is not empty");
    expect(await readdir(folder)).toEqual(["thesis.txt"]);
  });

  it("takes a directory in which a kill or a full disk cut its creation off", async () => {
    const path = join(folder, "run");
    const first = await create(path);
    await first.close();
    await rm(join(path, "config.yaml"));
    await writeFile(join(path, ".config.yaml.partial"), "seed");
    await writeFile(join(path, ".lock-of-the-dead"), "");
    const run = await create(path);
    expect(run.runId).not.toBe(first.runId);
    expect((await readdir(path)).sort()).toEqual(["checkpoints", "config.yaml", "environment.json", "lock", "samples"]);
    await run.close();
    await (await openRunDirectory(path)).close();
  });

  it.each([
    ["samples", "step-000010.parquet"],
    ["checkpoints", "step-000010"],
    [".", "metrics.jsonl"],
    [".", "environment.json"],
  ])("never takes a directory with %s/%s, even without a config", async (inside, name) => {
    const path = join(folder, "run");
    await (await create(path)).close();
    await rm(join(path, "config.yaml"));
    await writeFile(join(path, inside, name), "work");
    await refused(create(path), "exists already and is not empty");
    expect(await readFile(join(path, inside, name), "utf8")).toBe("work");
  });

  it("names a path that cannot be a directory", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    await refused(create(file), "is a file, not a directory");
    await refused(create(join(file, "below")), "is a file, not a directory");
  });
});

describe("openRunDirectory", () => {
  it("gives back the run, and clears what a kill left unfinished", async () => {
    const path = join(folder, "run");
    const created = await create(path);
    await created.close();
    await mkdir(join(path, "checkpoints", ".step-000002.partial"));
    await writeFile(join(path, ".summary.json.partial"), "{");
    await writeFile(join(path, ".lock-of-the-dead"), "");
    const opened = await openRunDirectory(path);
    expect(opened).toMatchObject({ path, runId: created.runId, configText });
    expect(await readdir(join(path, "checkpoints"))).toEqual([]);
    expect((await readdir(path)).sort()).toEqual(["checkpoints", "config.yaml", "environment.json", "lock", "samples"]);
    await opened.close();
  });

  it("refuses a second run in one directory", async () => {
    const path = join(folder, "run");
    const run = await create(path);
    await refused(openRunDirectory(path), `process ${process.pid} on this machine holds it`);
    await run.close();
  });

  it("refuses what is not a run", async () => {
    await refused(openRunDirectory(join(folder, "nowhere")), "is not a run directory");
    await refused(openRunDirectory(folder), "is not a run directory");
  });

  it("refuses a run whose config was changed, and leaves it unlocked", async () => {
    const path = join(folder, "run");
    await (await create(path)).close();
    await appendFile(join(path, "config.yaml"), "steps: 4\n");
    await refused(openRunDirectory(path), `${join(path, "config.yaml")} was changed since the run began; restore it`);
    expect(await readdir(path)).not.toContain("lock");
  });

  it("refuses a run whose identity is lost, and leaves it unlocked", async () => {
    const path = join(folder, "run");
    await (await create(path)).close();
    await writeFile(join(path, "environment.json"), "{}");
    await refused(openRunDirectory(path), "environment.json is missing or does not say which run this is");
    expect(await readdir(path)).not.toContain("lock");
  });
});
