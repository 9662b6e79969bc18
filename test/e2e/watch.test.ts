import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { recordRun } from "../watched.ts";
import { selftrain } from "./command.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "watch-command-"));
  await recordRun(folder, "runs/one");
});
afterAll(() => rm(folder, { recursive: true }));

const resultSchema = z.object({ url: z.string(), directories: z.array(z.string()) });

it("serves the runs of the current folder until Ctrl-C", async () => {
  const { code, stdout, stderr } = await selftrain(["watch", "--port", "0", "--json"], { folder, interruptAt: "\"url\"" });
  expect(code).toBe(0);
  const { url, directories } = resultSchema.parse(JSON.parse(stdout));
  expect(directories).toEqual(["runs"]);
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(stderr).toContain(`the runs in runs are at ${url}; Ctrl-C ends it`);
  expect(stderr).not.toContain("warning");
});

it("warns that others can read the runs where it listens for others", async () => {
  const { stdout } = await selftrain(["watch", "--host", "0.0.0.0", "--port", "0"], { folder, interruptAt: "anybody" });
  expect(stdout).toMatch(/warning: anybody who reaches http:\/\/0\.0\.0\.0:\d+ can read these runs, their samples included\./);
});

it("says what is wrong in one sentence", async () => {
  const missing = await selftrain(["watch", "nowhere"], { folder });
  expect(missing).toMatchObject({ code: 2, stderr: "selftrain: nowhere does not exist; name the directories of runs, or folders with runs in them\n" });
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const { port } = z.object({ port: z.int() }).parse(taken.address());
  const refused = await selftrain(["watch", "--port", String(port)], { folder });
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.stderr).toContain(`cannot listen on 127.0.0.1:${port}: `);
  await new Promise((resolve) => taken.close(resolve));
});

it("is there while the demo trains, and tells how to look again", async () => {
  const run = join(folder, "demo");
  const { code, stdout } = await selftrain(["demo", "--steps", "2", "--held-out-problems", "4", "--evaluate-samples", "2", "--out", run], { folder });
  expect(code).toBe(0);
  expect(stdout.match(/watch it live: http:\/\/127\.0\.0\.1:\d+/g)).toHaveLength(1);
  expect(stdout).toContain(`Look at it again with: npx selftrain watch ${run}`);
  expect(await readdir(run)).toContain("summary.json");
});
