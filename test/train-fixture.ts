import { configSchema } from "../src/config.ts";
import type { ConfigInput } from "../src/config.ts";
import type { Policy } from "../src/policy.ts";
import { createRunDirectory, openRunDirectory } from "../src/run/index.ts";
import type { Environment, RunDirectory } from "../src/run/index.ts";
import { majorityReward } from "../src/srt/reward.ts";
import { train } from "../src/train.ts";
import type { TrainObserver, TrainOptions } from "../src/train.ts";
import type { Grader, LabelledProblem, RewardSource } from "../src/types.ts";
import { createFakePolicy, fakeRenderer } from "./fake-policy.ts";

/** A whole training run on the fake policy: a few milliseconds a step. */
export const exactGrader: Grader = {
  extract: (text) => /\\boxed\{(\d+)\}/.exec(text)?.[1] ?? null,
  classes: (answers) => answers.map((answer) => [...new Set(answers)].indexOf(answer)),
  same: (gold, prediction) => gold === prediction,
};

export const environment: Environment = {
  selftrain: "0.0.0",
  node: process.version,
  dependencies: {},
  platform: "test",
  cores: 1,
  memoryBytes: 0,
  gitRevision: null,
  commandLine: [], inputs: null,
};

const input: ConfigInput = {
  seed: 11,
  train: "test",
  heldOut: "test",
  steps: 12,
  promptsPerStep: 4,
  samplesPerPrompt: 8,
  maxTokens: 4,
  learningRate: 0.05,
  evaluateEvery: 3,
  evaluateSamples: 6,
  checkpointEvery: 2,
  checkpointsKept: 3,
  recordSamplesEvery: 2,
};

export function problemsNamed(prefix: string, count: number): LabelledProblem[] {
  return Array.from({ length: count }, (_, index) => {
    const prompt = `${prefix}${index}=`;
    return { id: prompt, prompt, source: "test", answer: String(index % 10) };
  });
}

export interface FixtureChanges {
  readonly config?: Partial<ConfigInput>;
  readonly policy?: Policy;
  readonly observer?: TrainObserver;
  readonly signal?: AbortSignal;
  readonly heldOut?: readonly LabelledProblem[];
  readonly validation?: readonly LabelledProblem[];
  readonly probe?: readonly LabelledProblem[];
  readonly rewardOf?: RewardSource;
  readonly stages?: TrainOptions["stages"];
}

export function trainOptions(run: RunDirectory, changes: FixtureChanges = {}): TrainOptions {
  const { config = {}, policy = createFakePolicy({ seed: 5 }), observer = {}, signal = new AbortController().signal } = changes;
  return {
    config: configSchema.parse({ ...input, ...config }),
    policy,
    renderer: fakeRenderer,
    grader: exactGrader,
    rewardOf: changes.rewardOf ?? majorityReward({ threshold: 0, share: "all" }, exactGrader.same),
    ...(changes.validation && { validation: changes.validation }),
    ...(changes.probe && { probe: changes.probe }),
    problems: problemsNamed("1+", 18),
    ...(changes.stages === undefined ? {} : { stages: changes.stages }),
    heldOut: changes.heldOut ?? problemsNamed("2*", 5),
    run,
    observer,
    signal,
    clock: () => performance.now() / 1000,
  };
}

/** Trains in a directory, new or not, and releases it. */
export async function trainIn(path: string, mode: "create" | "resume", changes: FixtureChanges = {}) {
  const run = mode === "create" ? await createRunDirectory(path, { configText: "seed: 11\n", environment }) : await openRunDirectory(path);
  try {
    return await train(trainOptions(run, changes));
  } finally {
    await run.close();
  }
}

/**
 * As a program, `train-fixture.ts create|resume DIRECTORY STEPS [tensorboard]` trains there and prints a line for
 * each event, so that a test can kill it at any of them.
 */
if (process.argv[1] === import.meta.filename) {
  const [mode, path, steps, tensorboard] = process.argv.slice(2);
  const print = (event: string) => process.stdout.write(`${event}\n`);
  const observer: TrainObserver = {
    resumed: (step) => print(`resumed ${step}`),
    evaluated: (step) => print(`evaluated ${step}`),
    stepped: ({ step }) => print(`stepped ${step}`),
    checkpointed: (step) => print(`checkpointed ${step}`),
    warned: (message) => print(`warned ${message}`),
  };
  await trainIn(path!, mode === "create" ? "create" : "resume", { observer, config: { steps: Number(steps), tensorboard: tensorboard !== undefined } });
}
