import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { main, root, selftrain } from "../../test/e2e/command.ts";

let folder = "";
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), "selftrain-evaluate-"))));
afterAll(() => rm(folder, { recursive: true }));

const run = (...parameters: readonly string[]) => selftrain(["evaluate", ...parameters], { folder: root });
// Four problems fill a batch, so there are six.
const parameters = (name: string) => [
  "--data", "task:chain/5", "--problems", "24", "--samples", "64", "--template", "{problem}", "--max-tokens", "24", "--engine.threads", "1", "--out", join(folder, name),
];
const completionsOf = (name: string) => readFile(join(folder, name, "completions.jsonl"), "utf8").catch(() => "");

describe("evaluate", () => {
  it("prints a table for people, and one JSON object for programs", async () => {
    const { code, stdout, stderr } = await run(...parameters("whole"), "--json");
    expect(code, stderr).toBe(0);
    const figures = JSON.parse(stdout) as Record<string, number>;
    expect(Object.keys(figures)).toEqual(["passAt1", "standardError", "majAtK", "passAtK", "abstentionRate", "meanLength", "problems", "samples"]);
    expect(figures).toMatchObject({ problems: 24, samples: 64 });
    // One step in five of its training text slips: single answers are right about half the time, the majority nearly always.
    expect(figures.passAt1).toBeGreaterThan(0.3);
    expect(figures.passAt1).toBeLessThan(0.7);
    expect(figures.majAtK).toBeGreaterThan(0.8);
    expect(stderr).toMatch(/^ +problems +pass@1, error +maj@64 +pass@64\nall +24 +\d+\.\d % ± \d\.\d /);
    expect(stderr).toContain(`The evaluation lies in ${join(folder, "whole")}\n`);
  });

  it("killed with SIGKILL and resumed, ends as if it had not been", async () => {
    const child = spawn(process.execPath, [main, "evaluate", ...parameters("killed")], { cwd: root, stdio: "ignore" });
    const ended = new Promise((resolve) => child.on("close", resolve));
    while ((await completionsOf("killed")) === "" && child.exitCode === null) await sleep(2);
    child.kill("SIGKILL");
    await ended;
    expect((await completionsOf("killed")).split("\n").length).toBeLessThan(24);

    expect(await run(...parameters("killed"))).toMatchObject({ code: 1, stderr: expect.stringContaining("continue that evaluation with --resume") as string });
    const { code, stdout } = await run(...parameters("killed"), "--resume");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^resumed after \d+ of 24 problems\n/);
    expect(await completionsOf("killed")).toBe(await completionsOf("whole"));
    expect(await readFile(join(folder, "killed/evaluation.json"), "utf8")).toBe(await readFile(join(folder, "whole/evaluation.json"), "utf8"));
  });

  it("does not go on with other weights under the same name", async () => {
    const file = join(folder, "killed/settings.json");
    await writeFile(file, (await readFile(file, "utf8")).replace(/(of the weights": ")\w+/, "$1other"));
    const { code, stderr } = await run(...parameters("killed"), "--resume");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^selftrain: .*settings\.json says that this was begun with `other` for `SHA-256 of the weights`, not `[0-9a-f]{64}`; .*\n$/);
  });

  it.each([
    ["no data", [], "no questions were given: name them with --data (a preset, a file, hub:OWNER/NAME or task:FAMILY/LEVEL)"],
    ["a task without a number", ["--data", "task:chain/5"], "--data task:chain/5 is a task, which generates as many questions as it is asked for: give a number with --problems"],
    ["a value of another kind", ["--data", "math500", "--samples", "many"], "flag --samples: `evaluate-samples` is `many`; expected a whole number of at least 1."],
    ["--resume without --out", ["--data", "math500", "--resume"], "--resume needs --out DIR, the directory of the evaluation that is to be continued"],
  ])("refuses %s", async (_what, flags, message) => {
    expect(await run(...flags)).toEqual({ code: 2, stdout: "", stderr: `selftrain: ${message}\n` });
  });

  it("refuses a prompt that does not fit the context, and nothing left to ask, before it writes anything", async () => {
    const file = join(folder, "long.jsonl");
    await writeFile(file, `{"id": "a", "problem": "${"1+".repeat(200)}1=", "answer": "1"}\n`);
    const flags = ["--data", file, "--template", "{problem}", "--max-tokens", "24", "--out", join(folder, "long")];
    expect((await run(...flags)).stderr).toMatch(/^selftrain: The prompt of problem `a` of .* has \d+ tokens, and with `max-tokens` 24 /);
    const { code, stdout, stderr } = await run(...flags, "--max-prompt-tokens", "40");
    expect({ code, stderr }).toEqual({ code: 1, stderr: `selftrain: ${file} has no problems to ask.\n` });
    expect(stdout).toContain("warning: 1 of 1 questions of");
    expect(await completionsOf("long")).toBe("");
  });
});
