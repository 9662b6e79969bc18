import { spawn } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { main, root, selftrain } from "../../test/e2e/command.ts";
import { parseConfig } from "../config/index.ts";
import { loadTask } from "../tasks/index.ts";
import type { AdaptedAnswer } from "../voting/index.ts";

let folder = "";
let questions = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "selftrain-adapt-"));
  questions = join(folder, "questions.jsonl");
  // One answer is not known.
  const rows = loadTask("task:chain/5", { split: "train", problems: 6, seed: 3 }).map(({ id, prompt, answer }, index) => ({ id, problem: prompt, ...(index > 0 && { answer }) }));
  await writeFile(questions, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
});
afterAll(() => rm(folder, { recursive: true }));

const run = (...parameters: readonly string[]) => selftrain(["adapt", ...parameters], { folder: root });
const parameters = (name: string) => [
  questions, "--steps", "4", "--learning-rate", "3e-4", "--template", "{problem}", "--max-tokens", "24", "--engine.threads", "1", "--out", join(folder, name),
];
const contentOf = (name: string, file: string) => readFile(join(folder, name, file), "utf8").catch(() => "");
const answersOf = async (name: string) => (await contentOf(name, "answers.jsonl")).trim().split("\n").map((line) => JSON.parse(line) as AdaptedAnswer);

describe("adapt", () => {
  it("answers every question by vote before and after, beside as many votes as training took samples", async () => {
    const { code, stdout, stderr } = await run(...parameters("whole"), "--json");
    expect(code, stderr).toBe(0);
    const number = expect.any(Number) as number;
    const share = { meanShare: number, passAt1: number, majAtK: number };
    // 4 steps x 6 questions x 16 samples / 6 questions.
    expect(JSON.parse(stdout)).toEqual({
      runDirectory: join(folder, "whole"), steps: 4, seconds: number, samplesTaken: 64, questions: 6, changed: number, known: 5,
      before: { samples: 16, ...share }, after: { samples: 16, ...share }, votingOnly: { samples: 64, ...share },
    });
    expect(stderr).toMatch(/\n4 steps in .*; \d of 6 questions with another majority than before\npass@1 and right majorities are of the 5 questions with a known answer\n/);
    for (const line of stderr.split("\n").filter((each) => !each.includes(folder))) expect(Array.from(line).length).toBeLessThanOrEqual(80);
    const answers = await answersOf("whole");
    expect(answers.map(({ id }) => id)).toEqual(loadTask("task:chain/5", { split: "train", problems: 6, seed: 3 }).map(({ id }) => id));
    expect(answers.map(({ trueAnswer, after: { correct } }) => [trueAnswer, correct].includes(undefined))).toEqual([true, false, false, false, false, false]);
    // Training on them makes the samples agree.
    const { before, after } = JSON.parse(stdout) as { before: { meanShare: number }; after: { meanShare: number } };
    expect(after.meanShare).toBeGreaterThan(before.meanShare + 0.1);
  });

  it("is a run: with its questions for training, no held-out ones, and a model", async () => {
    expect(parseConfig(await contentOf("whole", "config.yaml"), "config.yaml")).toMatchObject({ train: questions, heldOut: "", promptsPerStep: 6, samplesPerPrompt: 16 });
    expect(await readdir(join(folder, "whole", "model"))).toContain("model.safetensors");
  });

  it("killed with SIGKILL and resumed, ends as if it had not been: in training and in voting", async () => {
    const killWhen = async (begun: () => Promise<boolean>, ...flags: readonly string[]) => {
      const child = spawn(process.execPath, [main, "adapt", ...flags], { cwd: root, stdio: "ignore" });
      const ended = new Promise((resolve) => child.on("close", resolve));
      while (!(await begun()) && child.exitCode === null) await sleep(2);
      child.kill("SIGKILL");
      await ended;
    };
    await killWhen(async () => (await contentOf("killed", "metrics.jsonl")).includes('"step":2'), ...parameters("killed"), "--checkpoint-every", "1");
    expect(await contentOf("killed", "answers.jsonl")).toBe("");
    await killWhen(async () => (await contentOf("killed", "votes-before.jsonl")) !== "", "--resume", join(folder, "killed"));
    expect(await contentOf("killed", "answers.jsonl")).toBe("");
    const { code, stdout, stderr } = await run("--resume", join(folder, "killed"));
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/is complete \(4 steps\).*\nresumed after \d of 6 problems\n/);
    expect(await contentOf("killed", "answers.jsonl")).toBe(await contentOf("whole", "answers.jsonl"));
  });

  it("does not continue a run of another command", async () => {
    const { code, stderr } = await run("--resume", folder);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `selftrain: ${join(folder, "adaptation.json")} is missing or damaged, so this is no run that \`selftrain adapt\` can continue; start a new one.\n` });
  });

  it.each([
    ["no questions", [], "no questions were given: name a QUESTIONS.jsonl, or a run to continue with --resume DIR"],
    ["a task without a number", ["task:chain/5"], "task:chain/5 is a task, which generates as many questions as it is asked for: give a number with --train-problems"],
    ["votes that are no number", ["questions.jsonl", "--max-votes", "many"], "flag --max-votes: `many`; expected a whole number of at least 1"],
    [
      "a resumed run with other flags", ["--resume", "DIR", "--steps", "3"],
      "--resume continues a run as it was configured, in its own directory, so `--steps` can't be given too; leave it out, or start a new run without --resume",
    ],
  ])("refuses %s", async (_what, flags, message) => {
    expect(await run(...flags)).toEqual({ code: 2, stdout: "", stderr: `selftrain: ${message}\n` });
  });
});
