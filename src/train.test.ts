import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFakePolicy } from "../test/fake-policy.ts";
import { trainIn } from "../test/train-fixture.ts";
import type { FixtureChanges } from "../test/train-fixture.ts";
import { CheckpointError, DataError, RunDirectoryError } from "./errors.ts";
import type { AnswersLine, MetricsLine } from "./run/index.ts";
import type { TrainObserver } from "./train.ts";
import { filesBelow } from "./util/atomic-write.ts";
import { createRandom } from "./util/random.ts";
import { mean } from "./util/statistics.ts";

const STEPS = 12;
let folder: string;
let uninterrupted: string;
let expected: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "train-"));
  uninterrupted = join(folder, "uninterrupted");
  await trainIn(uninterrupted, "create");
  expected = await contentsOf(uninterrupted);
});
afterAll(() => rm(folder, { recursive: true }));

/** Everything in a run directory that must not depend on interruptions, byte for byte. */
async function contentsOf(path: string, steps = STEPS): Promise<Record<string, string>> {
  const last = join("checkpoints", `step-${String(steps).padStart(6, "0")}`, "state.json");
  const names = (await filesBelow(path)).filter((name) => /^(config|metrics|samples|model)/.test(name) || name === last);
  const entries = await Promise.all(
    names.map(async (name) => {
      const content = await readFile(join(path, name), "latin1");
      return [name, name === "metrics.jsonl" ? content.replaceAll(/,"timing":\{[^}]*\}/g, "") : content] as const;
    }),
  );
  return Object.fromEntries(entries);
}

/** Starts a run and asks it to stop once a step is done. */
async function interruptAt(path: string, step: number, changes: FixtureChanges = {}) {
  const controller = new AbortController();
  const observer: TrainObserver = {
    stepped: (report) => {
      if (report.step === step) controller.abort();
    },
  };
  return trainIn(path, "create", { ...changes, observer, signal: controller.signal });
}

async function resume(path: string, changes: FixtureChanges = {}) {
  const warnings: string[] = [];
  const resumed: number[] = [];
  const observer: TrainObserver = { warned: (message) => warnings.push(message), resumed: (step) => resumed.push(step) };
  const result = await trainIn(path, "resume", { ...changes, observer });
  return { result, warnings, resumed };
}

describe("train", () => {
  it("records every step and evaluation, in order", async () => {
    const lines = (await readFile(join(uninterrupted, "metrics.jsonl"), "utf8")).trim().split("\n").map((line) => JSON.parse(line) as MetricsLine);
    const order = lines.map(({ kind, step }) => `${kind} ${step}`);
    expect(order.slice(0, 6)).toEqual(["evaluation 0", "step 1", "step 2", "step 3", "evaluation 3", "step 4"]);
    expect(order.filter((name) => name.startsWith("evaluation"))).toEqual([0, 3, 6, 9, 12].map((step) => `evaluation ${step}`));
    expect(order.filter((name) => name.startsWith("step"))).toHaveLength(STEPS);
    expect(await readdir(join(uninterrupted, "checkpoints"))).toEqual(["step-000008", "step-000010", "step-000012"]);
    expect(await readdir(join(uninterrupted, "samples"))).toHaveLength(STEPS / 2);
  });

  it("records how each held-out question was answered, in step with the figures", async () => {
    const linesOf = async <Line>(name: string) => (await readFile(join(uninterrupted, name), "utf8")).trim().split("\n").map((line) => JSON.parse(line) as Line);
    const answers = await linesOf<AnswersLine>("evaluations.jsonl");
    const figures = (await linesOf<MetricsLine>("metrics.jsonl")).flatMap((line) => (line.kind === "evaluation" ? [line] : []));
    expect(answers.map(({ step }) => step)).toEqual([0, 3, 6, 9, 12]);
    for (const [index, { passAt1, majAtK, k }] of figures.entries()) {
      const { problems } = answers[index]!;
      expect(mean(problems.map(([, right]) => right / k))).toBeCloseTo(passAt1, 12);
      expect(mean(problems.map(([, , , majorityRight]) => (majorityRight ? 1 : 0)))).toBeCloseTo(majAtK, 12);
    }
  });

  it("raises the majority's share without a label", async () => {
    const shares: number[] = [];
    const observer: TrainObserver = { stepped: (_report, metrics) => shares.push(metrics.majorityShareOfAll) };
    await trainIn(join(folder, "learns"), "create", { config: { steps: 80, learningRate: 0.1, checkpointEvery: 80, evaluateEvery: 80 }, observer });
    expect(mean(shares.slice(0, 5))).toBeLessThan(0.5);
    expect(mean(shares.slice(-5))).toBeGreaterThan(0.9);
  });

  it("returns the result of a complete run again, and says that nothing is left to do", async () => {
    const { result, warnings } = await resume(uninterrupted);
    expect(result).toMatchObject({ steps: STEPS, interrupted: false, before: { k: 6 } });
    expect(result).toMatchObject(JSON.parse(await readFile(join(uninterrupted, "summary.json"), "utf8")) as object);
    expect(warnings).toEqual([`${uninterrupted} is complete (12 steps): there is nothing left to train.`]);
  });

  it("does not start on held-out problems among the training problems, or on a prompt over the context", async () => {
    const heldOut = [{ id: "1+3=", prompt: "1+3=", source: "test", answer: "4" }];
    await expect(trainIn(join(folder, "leak"), "create", { heldOut })).rejects.toThrow(/held-out problem `1\+3=`/);
    const policy = createFakePolicy({ contextLength: 7 });
    const long = trainIn(join(folder, "long"), "create", { policy });
    await expect(long).rejects.toThrow(DataError);
    await expect(long).rejects.toThrow("The prompt of problem `1+0=` of test has 4 tokens, and with `max-tokens` 4 it does not fit the 7 tokens of context of fake");
    await expect(trainIn(join(folder, "none"), "create", { heldOut: [] })).rejects.toThrow("`held-out` (test) has no problems");
    await expect(trainIn(join(folder, "few"), "create", { config: { promptsPerStep: 19 } })).rejects.toThrow("has 18 problems, but a step takes 19");
  });

  it("does not start with what the engine can't do", async () => {
    const fake = createFakePolicy();
    const policy = { ...fake, description: { ...fake.description, capabilities: [] } };
    const run = (config: NonNullable<FixtureChanges["config"]>) => trainIn(join(folder, `incapable ${Object.keys(config).join()}`), "create", { policy, config });
    await expect(run({ algorithm: "gae" })).rejects.toThrow("`algorithm: gae`, which the engine of fake can't do: it has no critic; make one that has, or use another `algorithm`.");
    await expect(run({ teacher: { kind: "average" } })).rejects.toThrow("`teacher.kind: average`, which the engine of fake can't do");
  });

  it("goes on with a critic as if it had not been interrupted", async () => {
    const start = () => ({ policy: createFakePolicy({ seed: 5, critic: true }), config: { algorithm: "gae" } as const });
    await trainIn(join(folder, "critic"), "create", start());
    await interruptAt(join(folder, "critic resumed"), 7, start());
    await resume(join(folder, "critic resumed"), start());
    expect(await contentsOf(join(folder, "critic resumed"))).toEqual(await contentsOf(join(folder, "critic")));
  });

  it("warns of a skipped update and goes on", async () => {
    const fake = createFakePolicy({ seed: 5 });
    let updates = 0;
    const policy = {
      ...fake,
      update: (...[rows, options]: Parameters<typeof fake.update>) =>
        fake.update(++updates === 2 ? rows.map((row) => ({ ...row, advantages: row.completion.map(() => NaN) })) : rows, options),
    };
    const warnings: string[] = [];
    const result = await trainIn(join(folder, "skipped"), "create", { policy, observer: { warned: (message) => warnings.push(message) } });
    expect(warnings).toEqual(["A gradient of step 2 is not finite: that update was skipped."]);
    expect(result.steps).toBe(STEPS);
  });
});

describe("a run in stages, without held-out problems", () => {
  // Problems 0 to 7 for five steps, then 8 to 17.
  const changes: FixtureChanges = { stages: [{ problems: 8, steps: 5 }, { problems: 10, steps: Infinity }], config: { heldOut: "" }, heldOut: [] };

  it("takes each stage's problems in its steps, and evaluates nothing", async () => {
    const taken: number[][] = [];
    const observer: TrainObserver = {
      stepped: ({ groups_P }) => taken.push(groups_P.map(({ problem }) => Number(problem.id.slice(2, -1)))),
      evaluated: () => expect.unreachable(),
    };
    const result = await trainIn(join(folder, "stages"), "create", { ...changes, observer });
    expect(Math.max(...taken.slice(0, 5).flat())).toBeLessThanOrEqual(7);
    expect(Math.min(...taken.slice(5).flat())).toBeGreaterThanOrEqual(8);
    expect(result).toMatchObject({ steps: STEPS, before: null, after: null });
    expect((await resume(join(folder, "stages"), changes)).result).toMatchObject({ before: null, after: null });
  });

  it.each([3, 5, 7])("ends the same when it was interrupted after step %i", async (step) => {
    const path = join(folder, `stages-${step}`);
    await interruptAt(path, step, changes);
    await resume(path, changes);
    expect(await contentsOf(path)).toEqual(await contentsOf(join(folder, "stages")));
  });

  it("does not start with a stage that is smaller than a step", async () => {
    const config = { heldOut: "", train: [{ source: "easy", steps: 5 }, "hard"] };
    await expect(trainIn(join(folder, "small"), "create", { ...changes, config, stages: [{ problems: 3, steps: 5 }, { problems: 15, steps: Infinity }] })).rejects.toThrow(
      "`train` (easy) has 3 problems, but a step takes 4",
    );
  });
});

describe("an interrupted run", () => {
  it.each([1, 5, 6, STEPS])("saves step %i, and ends as if it had not been interrupted", async (step) => {
    const path = join(folder, `interrupted-${step}`);
    expect(await interruptAt(path, step)).toMatchObject({ steps: step, interrupted: true });
    const { result, warnings, resumed } = await resume(path);
    expect(result).toMatchObject({ steps: STEPS, interrupted: false });
    expect([warnings, resumed]).toEqual([[], [step]]);
    expect(await contentsOf(path)).toEqual(expected);
  });

  it("is not continued without the evaluation of its start", async () => {
    const path = join(folder, "no-evaluation");
    await interruptAt(path, 2);
    const metrics = join(path, "metrics.jsonl");
    await writeFile(metrics, (await readFile(metrics, "utf8")).split("\n").filter((line) => !line.startsWith('{"kind":"evaluation"')).join("\n"));
    await expect(resume(path)).rejects.toThrow("metrics.jsonl lacks the evaluation of step 0");
  });

  it("measures the first model even when it is stopped at once", async () => {
    const path = join(folder, "at-once");
    const result = await trainIn(path, "create", { signal: AbortSignal.abort() });
    expect(result).toMatchObject({ steps: 0, interrupted: true });
    expect((await resume(path)).warnings).toEqual([]);
    expect(await contentsOf(path)).toEqual(expected);
  });

  it("ends the same wherever an error stops it", async () => {
    // 1 + 12 steps, 5 evaluations, 6 checkpoints: the error strikes at each of these events in turn.
    for (let strike = 1; strike <= 23; strike++) {
      const path = join(folder, `struck-${strike}`);
      let events = 0;
      const event = () => {
        if (++events === strike) throw new Error("struck");
      };
      const observer: TrainObserver = { evaluated: event, stepped: event, checkpointed: event };
      await expect(trainIn(path, "create", { observer })).rejects.toThrow("struck");
      await resume(path);
      expect(await contentsOf(path), `struck at event ${strike}`).toEqual(expected);
    }
  });
});

describe("a run with a bad checkpoint", () => {
  const cases: readonly (readonly [string, (checkpoint: string) => Promise<void>, string])[] = [
    ["truncated", (checkpoint) => truncate(join(checkpoint, "state.json"), 100), "state.json has 100 bytes instead of"],
    ["altered", (checkpoint) => alterOneByte(join(checkpoint, "state.json")), "state.json was altered"],
    ["half written", (checkpoint) => rm(join(checkpoint, "manifest.json")), "half written"],
    ["foreign", (checkpoint) => cp(join(uninterrupted, "checkpoints", "step-000008"), checkpoint, { recursive: true }), "belongs to another run"],
  ];

  async function alterOneByte(file: string): Promise<void> {
    const bytes = await readFile(file);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(file, bytes);
  }

  it.each(cases)("refuses one that is %s by name and uses the one before", async (name, damage, message) => {
    const path = join(folder, `damaged-${name.replace(" ", "-")}`);
    await interruptAt(path, 8);
    await damage(join(path, "checkpoints", "step-000008"));
    const { warnings, resumed } = await resume(path);
    expect(warnings).toEqual([expect.stringContaining(message) as string]);
    expect(warnings[0]).toMatch(/^The checkpoint of step 8 is refused: .*; that of step 6 is used\.$/);
    expect(await readdir(join(path, "checkpoints"))).toContain("step-000008.refused");
    expect(resumed).toEqual([6]);
    expect(await contentsOf(path)).toEqual(expected);
  });

  it("stops when none can be used, leaves everything as it is, and goes on once the model is back", async () => {
    const path = join(folder, "other-model");
    await interruptAt(path, 4);
    const before = await everyFileOf(path);
    const other = resume(path, { policy: createFakePolicy({ seed: 5, model: "other" }) });
    await expect(other).rejects.toThrow(CheckpointError);
    await expect(other).rejects.toThrow(/other-model can't be continued and was left as it is, .* \(step 4: .* of the model fake, not of other; step 2: .*\); restore the model or a checkpoint/);
    expect(await everyFileOf(path)).toEqual(before);
    expect(await resume(path)).toMatchObject({ warnings: [], resumed: [4] });
    expect(await contentsOf(path)).toEqual(expected);
  });

  it("starts again when it has none at all, and says so", async () => {
    const path = join(folder, "no-checkpoint");
    await interruptAt(path, 4);
    for (const name of await readdir(join(path, "checkpoints"))) await rm(join(path, "checkpoints", name), { recursive: true });
    const { warnings, resumed } = await resume(path);
    expect(warnings).toEqual([`${path} has no checkpoint to continue from: the run starts again from step 0.`]);
    expect(resumed).toEqual([]);
    expect(await contentsOf(path)).toEqual(expected);
  });

  it("ends at once when it is further than its last step", async () => {
    const path = join(folder, "further");
    await interruptAt(path, 6);
    expect((await resume(path, { config: { steps: 4 } })).result).toMatchObject({ steps: 6, interrupted: false });
  });

  async function everyFileOf(path: string): Promise<Record<string, string>> {
    const names = await filesBelow(path);
    return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(path, name), "latin1")] as const)));
  }
});

describe.skipIf(process.platform !== "linux")("a run whose disk is full (needs /dev/full)", () => {
  it("stops with a sentence, keeps what it had, and goes on when there is room", async () => {
    const path = join(folder, "full");
    const fake = createFakePolicy({ seed: 5 });
    let saves = 0;
    const saveState = (directory: string) => (++saves < 3 ? fake.saveState(directory) : writeFile("/dev/full", "state"));
    const failing = trainIn(path, "create", { policy: { ...fake, saveState } });
    await expect(failing).rejects.toThrow(RunDirectoryError);
    await expect(failing).rejects.toThrow(/step-000006 could not be written: no space left on device \(ENOSPC\); .* --resume/);
    expect(await readdir(join(path, "checkpoints"))).toEqual(["step-000002", "step-000004"]);
    expect((await resume(path)).resumed).toEqual([4]);
    expect(await contentsOf(path)).toEqual(expected);
  });
});

describe("a run killed with -9", () => {
  /** Runs the fixture as a process and kills it a moment after its n-th event; resolves to whether it was killed. */
  async function killAfter(args: readonly string[], events: number, milliseconds: number): Promise<boolean> {
    const fixture = join(import.meta.dirname, "..", "test", "train-fixture.ts");
    const child = spawn(process.execPath, ["--import", "tsx", fixture, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    let seen = 0;
    createInterface({ input: child.stdout }).on("line", () => {
      if (++seen === events) setTimeout(() => child.kill("SIGKILL"), milliseconds);
    });
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => child.on("close", (...end) => resolve(end)));
    if (signal === null) expect(code).toBe(0);
    return signal === "SIGKILL";
  }

  it("ends bit-identical to one that was not, wherever it is killed", async () => {
    const steps = 60;
    const [whole, path] = [join(folder, "whole"), join(folder, "killed")];
    await trainIn(whole, "create", { config: { steps } });
    const random = createRandom(2);
    let kills = 0;
    for (let attempt = 0; attempt < 6; attempt++) {
      const args = [attempt === 0 ? "create" : "resume", path, String(steps)];
      if (await killAfter(args, 1 + random.integer(12), 4 * random.uniform())) kills++;
    }
    expect(kills).toBeGreaterThanOrEqual(3);
    await resume(path, { config: { steps } });
    expect(await contentsOf(path, steps)).toEqual(await contentsOf(whole, steps));
  });
});
