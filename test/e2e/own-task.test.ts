import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "./command.ts";

let folder = "";
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), "selftrain-own-task-"))));
afterAll(() => rm(folder, { recursive: true }));

describe("examples/own-task.ts", () => {
  it("trains a task of one's own, and gets better at it", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", import.meta.resolve("tsx"), "examples/own-task.ts", join(folder, "run")], { cwd: root, encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const [, before, after, greedy] = /^pass@1 on held-out sums: (\S+) before, (\S+) after\ngreedy decoding: (\S+)\n$/.exec(stdout)!.map(Number);
    // About 0.41 and 0.65 with standard errors of 0.03.
    expect(after! - before!).toBeGreaterThan(0.1);
    expect(greedy).toBeGreaterThan(0.9);
  });

  it("is what docs/api.md explains", async () => {
    const [example, documentation] = await Promise.all(["examples/own-task.ts", "docs/api.md"].map((file) => readFile(join(root, file), "utf8")));
    const blocks = [...documentation!.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
    const fromExample = blocks.filter((code) => !code.startsWith("import"));
    expect(fromExample.length).toBeGreaterThan(2);
    for (const code of fromExample) expect(example).toContain(code);
  });
});
