import { copyFile, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/index.ts";
import { builtinModelFolder } from "../../src/tasks/index.ts";
import { writeTinyModel } from "../tiny-model.ts";
import { root, selftrain } from "./command.ts";

let folder = "";
let model = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "selftrain-train-"));
  // Random weights under the tokenizer of the built-in model: quick, and in 48 tokens it sometimes writes a box.
  model = await writeTinyModel({ vocab_size: 112 });
  for (const file of ["tokenizer.json", "tokenizer_config.json", "generation_config.json"]) {
    await copyFile(join(builtinModelFolder(), file), join(model, file));
  }
  await writeFile(
    join(folder, "tiny.yaml"),
    `model: ${model}
engine: {threads: 1}
train: task:chain/5
train-problems: 32
held-out: task:chain/5
held-out-problems: 4
template: "{problem}"
steps: 40
prompts-per-step: 4
samples-per-prompt: 8
max-tokens: 48
learning-rate: 1e-3
evaluate-every: 20
evaluate-samples: 4
checkpoint-every: 10
`,
  );
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await rm(model, { recursive: true });
});

const run = (parameters: readonly string[], interruptAt?: string) =>
  selftrain(parameters, { folder: root, ...(interruptAt === undefined ? {} : { interruptAt }) });
const train = (name: string, ...flags: readonly string[]) => ["train", join(folder, "tiny.yaml"), "--out", join(folder, name), ...flags];

/** The lines of a run's metrics without their wall-clock figures. */
async function metricsOf(name: string): Promise<readonly Record<string, unknown>[]> {
  const lines = (await readFile(join(folder, name, "metrics.jsonl"), "utf8")).trim().split("\n");
  return lines.map((line) => ({ ...(JSON.parse(line) as Record<string, unknown>), timing: null }));
}

const weightsOf = (name: string) => readFile(join(folder, name, "model/model.safetensors"));

describe("train", () => {
  it("trains, and prints one JSON object for programs and all else to standard error", async () => {
    const { code, stdout, stderr } = await run(train("whole", "--json"));
    expect(code, stderr).toBe(0);
    const lines = stdout.trim().split("\n");
    expect(lines).toHaveLength(1);
    const number = expect.any(Number) as number;
    expect(JSON.parse(lines[0]!)).toEqual({
      runDirectory: join(folder, "whole"),
      steps: 40,
      seconds: number,
      peakMemoryBytes: number,
      passAt1: { before: number, after: number },
      majAtK: { k: 4, before: number, after: number },
    });
    for (const step of [0, 20, 40]) expect(stderr).toMatch(new RegExp(`step +${step}/40  pass@1 .* maj@4 .* 4 held-out questions`));
    expect(stderr).toContain(`The run lies in ${join(folder, "whole")}`);
  });

  it("never overwrites a run", async () => {
    const before = await readdir(join(folder, "whole"));
    const { code, stderr } = await run(train("whole"));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^selftrain: .*whole exists already.*\n$/) as string });
    expect(await readdir(join(folder, "whole"))).toEqual(before);
  });

  it("saves at Ctrl-C, exits 130, and ends after --resume as if nothing had been", async () => {
    const stopped = await run(train("stopped"), "step  1/40");
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toMatch(/^selftrain: interrupted after step \d+; the state is saved\. Continue with: npx selftrain train --resume .*stopped\n$/);
    const resumed = await run(["train", "--resume", join(folder, "stopped"), "--json"]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).toMatch(/resumed after step \d+\n/);
    const metrics = await metricsOf("whole");
    expect(metrics.some(({ groupsTrained }) => (groupsTrained as number | undefined ?? 0) > 0)).toBe(true);
    expect(await metricsOf("stopped")).toEqual(metrics);
    expect((await weightsOf("stopped")).equals(await weightsOf("whole"))).toBe(true);
  });

  it("says so when there is nothing left to resume, and when a resumed run is given another config", async () => {
    const complete = await run(["train", "--resume", join(folder, "whole"), "--json"]);
    expect(complete.stderr).toContain("is complete (40 steps): there is nothing left to train.");
    expect(JSON.parse(complete.stdout)).toMatchObject({ steps: 40 });
    const changed = await run(["train", "--resume", join(folder, "whole"), "--seed", "1"]);
    expect(changed).toMatchObject({ code: 2, stderr: expect.stringContaining("`--seed` can't be given too") as string });
  });

  it("refuses a prompt that does not fit the context, before anything is written", async () => {
    const { code, stderr } = await run(train("long", "--max-tokens", "64"));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^selftrain: The prompt of problem `.*` of task:chain\/5 has \d+ tokens, and with `max-tokens` 64 .*\n$/);
    expect(await readdir(folder)).not.toContain("long");
  });

  it("refuses a model folder without weights, before anything is written", async () => {
    const bare = await mkdtemp(join(folder, "bare-"));
    for (const file of ["config.json", "tokenizer.json", "tokenizer_config.json"]) await copyFile(join(model, file), join(bare, file));
    const { code, stderr } = await run(train("weightless", "--model", bare));
    expect({ code, stderr }).toEqual({ code: 1, stderr: `selftrain: ${bare} has no weights: neither model.safetensors nor model.safetensors.index.json is there.\n` });
    expect(await readdir(folder)).not.toContain("weightless");
  });

  it("takes the ground truth for the reward by one line of the config", async () => {
    const { code, stderr } = await run(train("control", "--reward", "ground-truth", "--steps", "2"));
    expect(code, stderr).toBe(0);
  });

  it("keeps a config that finds the same from any folder: absolute paths, and the threads that were used", async () => {
    const { code, stderr } = await run(train("settled", "--model", relative(root, model), "--engine.threads", "0", "--steps", "1"));
    expect(code, stderr).toBe(0);
    const config = parseConfig(await readFile(join(folder, "settled", "config.yaml"), "utf8"), "config.yaml");
    expect(config).toMatchObject({ model, engine: { threads: availableParallelism() }, train: "task:chain/5" });
  });
});

describe("demo", () => {
  it("runs the example of the package, with flags over its keys", async () => {
    const flags = ["--model", model, "--steps", "1", "--max-tokens", "12", "--held-out-problems", "2", "--prompts-per-step", "2"];
    const { code, stdout, stderr } = await run(["demo", ...flags, "--out", join(folder, "demo")]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/\n {8}before +after\npass@1 .*\nmaj@16 .*\n\n.* \(answer: \d\)\n {2}step 0 .*\n {2}step 1 .*\n/);
    const path = join(folder, "demo");
    expect(stdout.endsWith(`The run lies in ${path}\nLook at it again with: npx selftrain watch ${path}\n`)).toBe(true);
  });
});
