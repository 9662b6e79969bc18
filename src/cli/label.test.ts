import { spawn } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { main, root, selftrain } from "../../test/e2e/command.ts";
import { loadOfflineLabels } from "../data/index.ts";
import { loadTask } from "../tasks/index.ts";

let folder = "";
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), "selftrain-label-"))));
afterAll(() => rm(folder, { recursive: true }));

const run = (...parameters: readonly string[]) => selftrain(["label", ...parameters], { folder: root });
const parameters = (name: string) => [
  "--data", "task:chain/5", "--problems", "24", "--samples", "64", "--template", "{problem}", "--max-tokens", "24", "--engine.threads", "1", "--out", join(folder, `${name}.jsonl`),
];
const labelsOf = (name: string) => readFile(join(folder, `${name}.jsonl`), "utf8").catch(() => "");

describe("label", () => {
  it("writes labels of the very questions that a run trains on, and one JSON object for programs", async () => {
    const { code, stdout, stderr } = await run(...parameters("whole"), "--json");
    expect(code, stderr).toBe(0);
    const summary = JSON.parse(stdout) as Record<string, number>;
    expect(Object.keys(summary)).toEqual(["problems", "labelled", "meanShare", "labelAccuracy", "seconds"]);
    expect(summary).toMatchObject({ problems: 24, labelled: 24 });
    // Single answers of this model are right about half the time, the majority nearly always.
    expect(summary.labelAccuracy).toBeGreaterThan(0.8);
    expect(stderr).toContain(`The labels are in ${join(folder, "whole.jsonl")}\n`);
    const labels = await loadOfflineLabels(join(folder, "whole.jsonl"), loadTask("task:chain/5", { split: "train", problems: 24, seed: 0 }));
    expect(labels.size).toBe(24);
  });

  it("trains by one line of a config", async () => {
    const config = join(folder, "srt.yaml");
    await writeFile(config, 'train: task:chain/5\ntrain-problems: 24\ntemplate: "{problem}"\nsteps: 1\nprompts-per-step: 4\nsamples-per-prompt: 4\nmax-tokens: 24\n');
    const flags = ["--reward", "offline-labels", "--labels", join(folder, "whole.jsonl"), "--out", join(folder, "run")];
    const { code, stdout, stderr } = await selftrain(["train", config, ...flags], { folder: root });
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("1 steps in ");
  });

  it("killed with SIGKILL and resumed, ends as if it had not been", async () => {
    const child = spawn(process.execPath, [main, "label", ...parameters("killed")], { cwd: root, stdio: "ignore" });
    const ended = new Promise((resolve) => child.on("close", resolve));
    while ((await labelsOf("killed")) === "" && child.exitCode === null) await sleep(2);
    child.kill("SIGKILL");
    await ended;
    expect((await labelsOf("killed")).split("\n").length).toBeLessThan(24);

    expect(await run(...parameters("killed"))).toMatchObject({ code: 1, stderr: expect.stringContaining("killed.jsonl exists already; continue with --resume") as string });
    const { code, stdout } = await run(...parameters("killed"), "--resume");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^resumed after \d+ of 24 problems\n/);
    expect(await labelsOf("killed")).toBe(await labelsOf("whole"));
    expect((await readdir(folder)).filter((name) => name.includes(".") && !name.endsWith(".yaml")).sort()).toEqual(["killed.jsonl", "killed.settings.json", "whole.jsonl", "whole.settings.json"]);
  });

  it("does not go on with other settings, or over a file that is not its own", async () => {
    const { code, stderr } = await run(...parameters("whole"), "--resume", "--temperature", "0.5");
    expect({ code, stderr }).toEqual({ code: 1, stderr: `selftrain: ${join(folder, "whole.settings.json")} says that this was begun with \`1\` for \`temperature\`, not \`0.5\`; continue it with the same settings, or name another place with --out.\n` });
    await writeFile(join(folder, "other.jsonl"), "mine\n");
    expect((await run(...parameters("other"), "--resume")).stderr).toContain("other.jsonl can't be continued, since");
    expect(await labelsOf("other")).toBe("mine\n");
  });

  it.each([
    ["no data", [], "no questions were given: name them with --data (a preset, a file, hub:OWNER/NAME or task:FAMILY/LEVEL)"],
    ["a task without a number", ["--data", "task:chain/5"], "--data task:chain/5 is a task, which generates as many questions as it is asked for: give a number with --problems"],
    ["--resume without --out", ["--data", "math500", "--resume"], "--resume needs --out FILE.jsonl, the labels that are to be continued"],
    ["a name that no command would read", ["--data", "math500", "--out", "labels.txt"], "--out labels.txt does not end in .jsonl, as labels do that other commands are to read"],
  ])("refuses %s", async (_what, flags, message) => {
    expect(await run(...flags)).toEqual({ code: 2, stdout: "", stderr: `selftrain: ${message}\n` });
  });
});
