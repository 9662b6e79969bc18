/**
 * A task of one's own, trained by SRT on the built-in model and evaluated before and after (docs/api.md):
 *
 *   npx tsx examples/own-task.ts DIRECTORY
 *
 * Outside of this repository the imports are from "selftrain" and "selftrain/onnx".
 */
import {
  builtinModelFolder, classesBy, configSchema, createRandom, createRunDirectory, describeEnvironment, evaluate, formatConfig, loadRenderer,
  majorityReward, train,
} from "../src/index.ts";
import type { Grader, LabelledProblem } from "../src/index.ts";
import { createOnnxPolicy } from "../src/onnx/index.ts";

// The task: the last digit of a sum of four digits. Even sums are for training, odd ones are held out.
function sums(count: number, heldOut: boolean): LabelledProblem[] {
  const random = createRandom(heldOut ? 1 : 0);
  const problems = new Map<string, LabelledProblem>();
  while (problems.size < count) {
    const digits = Array.from({ length: 4 }, () => random.integer(10));
    const sum = digits.reduce((left, right) => left + right);
    const prompt = `${digits.join("+")}=`;
    if ((sum % 2 === 1) === heldOut) problems.set(prompt, { id: prompt, prompt, answer: String(sum % 10), source: "sums" });
  }
  return [...problems.values()];
}

// How an answer is read from a completion, and when two answers are the same.
const same = (left: string, right: string): boolean => Number(left) === Number(right);
const grader: Grader = {
  extract: (text) => /(\d+)\D*$/.exec(text)?.[1] ?? null,
  classes: (answers) => classesBy(answers, same),
  same,
};

const config = configSchema.parse({
  train: "sums", heldOut: "sums", template: "{problem}", steps: 8, promptsPerStep: 8, samplesPerPrompt: 16, maxTokens: 24, learningRate: 3e-4, evaluateSamples: 8,
});
const policy = await createOnnxPolicy({ model: builtinModelFolder(), threads: config.engine.threads });
const renderer = await loadRenderer(builtinModelFolder(), { template: config.template });
const run = await createRunDirectory(process.argv[2] ?? "runs/own-task", { configText: formatConfig(config), environment: await describeEnvironment(process.argv) });
const heldOut = sums(64, true);
const { before, after } = await train({
  config, policy, renderer, grader, run, heldOut,
  problems: sums(256, false),
  rewardOf: majorityReward(config, same),
  signal: new AbortController().signal,
  clock: () => performance.now() / 1000,
});
console.log(`pass@1 on held-out sums: ${before.passAt1.toFixed(3)} before, ${after.passAt1.toFixed(3)} after`);

const greedy = await evaluate({ policy, renderer, grader, problems: heldOut, samples: 1, temperature: 0, topP: 1, maxTokens: 24, seed: 0 });
console.log(`greedy decoding: ${greedy.passAt1.toFixed(3)}`);
await run.close();
await policy.close();
