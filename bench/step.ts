/**
 * What a training step costs beside the engine, and what self-rewarding costs beside ground truth, on the
 * run of examples/srt.yaml:
 *
 *   npm run bench:step [-- --pairs 12]
 *
 * Steps of both kinds alternate, with a learning rate of 0 so that all of them sample from the same model.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { trainSources } from "../src/config.ts";
import { parseConfig } from "../src/config/index.ts";
import { problemsOfStep } from "../src/data/index.ts";
import { createGrader } from "../src/grading/index.ts";
import { createEngine } from "../src/onnx/engine.ts";
import type { Policy } from "../src/policy.ts";
import { loadRenderer } from "../src/render/index.ts";
import { createRunDirectory, describeEnvironment, recordSamples, stepMetrics } from "../src/run/index.ts";
import { labelReward, majorityReward } from "../src/srt/reward.ts";
import { trainStep } from "../src/step.ts";
import { builtinModelFolder, loadTask } from "../src/tasks/index.ts";
import { stepSettings } from "../src/train.ts";
import type { RewardSource } from "../src/types.ts";

const { values } = parseArgs({ options: { pairs: { type: "string", default: "12" } } });
const pairs = Number(values.pairs);
const config = { ...parseConfig(await readFile(new URL("../examples/srt.yaml", import.meta.url), "utf8"), "examples/srt.yaml"), learningRate: 0 };
const model = builtinModelFolder();
const problems = loadTask(trainSources(config)[0]!.source, { split: "train", problems: config.trainProblems, seed: config.seed });
const labels = new Map(problems.map(({ id, answer }) => [id, answer]));
const renderer = await loadRenderer(model, { template: config.template });
const grader = createGrader();
const engine = await createEngine({ model, threads: availableParallelism() });
const directory = await mkdtemp(join(tmpdir(), "selftrain-bench-"));
const run = await createRunDirectory(join(directory, "run"), { configText: "", environment: await describeEnvironment([]) });

let inEngine = 0;
let inMessages = 0;
/**
 * Adds up the seconds spent inside the engine, and those that its calls would take to reach a thread of their
 * own and back: a copy of arguments and result. Here the engine shares the thread, so that both can be told
 * apart.
 */
const timed = <A extends unknown[], R>(call: (...parameters: A) => Promise<R>) => async (...parameters: A): Promise<R> => {
  const start = performance.now();
  const result = await call(...parameters);
  const done = performance.now();
  structuredClone(parameters);
  structuredClone(result);
  inEngine += (done - start) / 1000;
  inMessages += (performance.now() - done) / 1000;
  return result;
};
const policy: Policy = {
  ...engine,
  sample: timed((request) => engine.sample(request)),
  logprobs: timed((sequences, weights) => engine.logprobs(sequences, weights)),
  update: timed((rows, options) => engine.update(rows, options)),
};
const clock = () => performance.now() / 1000;

interface Measured {
  readonly total: number;
  /** Outside the engine, messages included. */
  readonly outside: number;
  readonly messages: number;
}

/** Seconds of one recorded step. */
async function measure(step: number, rewardOf: RewardSource): Promise<Measured> {
  inEngine = 0;
  inMessages = 0;
  const start = clock();
  const batch = problemsOfStep(problems, step, config.promptsPerStep, config.seed);
  const report = await trainStep(step, batch, { policy, renderer, grader, rewardOf, clock }, { ...stepSettings(config), seed: step });
  await run.metrics.append(stepMetrics(report, { elapsed: clock(), klCoefficient: config.klCoefficient }));
  if (step % config.recordSamplesEvery === 0) await recordSamples(run, report, { decode: renderer.decode });
  const total = clock() - start;
  return { total, outside: total - inEngine, messages: inMessages };
}

const majority = majorityReward(config, grader.same);
const groundTruth = labelReward(labels, grader.same);
await measure(1, majority);
await measure(1, groundTruth);
const srt: Measured[] = [];
const truth: Measured[] = [];
for (let step = 1; step <= pairs; step++) {
  // The order alternates, so that neither kind always comes first.
  if (step % 2 === 0) truth.push(await measure(step, groundTruth));
  srt.push(await measure(step, majority));
  if (step % 2 === 1) truth.push(await measure(step, groundTruth));
}
const ratios = srt.map(({ total }, index) => total / truth[index]!.total);
const all = [...srt, ...truth];
const share = (part: (measured: Measured) => number): string => ((100 * all.reduce((sum, one) => sum + part(one) / one.total, 0)) / all.length).toFixed(2);
console.log(`step of ${config.promptsPerStep} x ${config.samplesPerPrompt} completions: SRT ${median(srt.map(({ total }) => total)).toFixed(3)} s, ground truth ${median(truth.map(({ total }) => total)).toFixed(3)} s (medians of ${pairs})`);
console.log(`SRT / ground truth, pair by pair: median ${median(ratios).toFixed(3)}, from ${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)}`);
console.log(`outside the engine: ${share(({ outside }) => outside)} % of a step (messages to its thread ${share(({ messages }) => messages)} %; the rest vote, reward, advantage, recording)`);
await run.close();
await engine.close();
await rm(directory, { recursive: true });

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
}
