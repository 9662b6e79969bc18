/**
 * Makes the built-in model's weights: a decoder of 0.8M parameters, trained from a seed on generated
 * problems with worked solutions in which, in the end, one step in five is wrong. The right step stays the
 * most likely one, so single answers are right about half the time and the majority much oftener. That is
 * what self-rewarded training can work with, and also the limit of what it shows here: it sharpens what
 * the model half knows.
 *
 *   npm run pretrain -- [--steps 4000] [--seed 1] [--slip 0.2] [--out models/builtin]
 */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createOnnxPolicy } from "../src/onnx/index.ts";
import { readModelConfiguration, saveModel, storedTensors } from "../src/onnx/model-folder.ts";
import { parameterLayout } from "../src/onnx/models/parameters.ts";
import type { ParameterLayout } from "../src/onnx/models/parameters.ts";
import type { UpdateOptions } from "../src/policy.ts";
import { loadRenderer } from "../src/render/index.ts";
import { builtinModelFolder, chainFamilies, splitOf } from "../src/tasks/index.ts";
import type { Renderer, TrainingRow } from "../src/types.ts";
import { createRandom, deriveSeed } from "../src/util/random.ts";
import type { Random } from "../src/util/random.ts";

const { values } = parseArgs({
  options: {
    steps: { type: "string", default: "4000" },
    seed: { type: "string", default: "1" },
    slip: { type: "string", default: "0.2" },
    out: { type: "string", default: builtinModelFolder() },
  },
});

interface Lessons {
  readonly family: string;
  readonly lowest: number;
  readonly highest: number;
  /** How often, against the other family. */
  readonly share: number;
}

interface Stage {
  /** The stage ends after this share of the steps. */
  readonly until: number;
  readonly slips: boolean;
  readonly lessons: readonly Lessons[];
}

/** Higher levels exist and are left out, so that there is something to fail at or to grow on. */
const ALL_LEVELS: readonly Lessons[] = [
  { family: "chain", lowest: 3, highest: 6, share: 3 },
  { family: "bits", lowest: 2, highest: 4, share: 1 },
];
/**
 * At one length the place of the next operand is fixed, and the arithmetic is learned in minutes; where to
 * look at other lengths is learned after it. All lengths at once took more than ten times as long. Slips
 * come last: the model then only has to learn how often they happen.
 */
const STAGES: readonly Stage[] = [
  { until: 0.1, slips: false, lessons: [{ family: "chain", lowest: 5, highest: 5, share: 1 }, { family: "bits", lowest: 3, highest: 3, share: 1 }] },
  { until: 0.7, slips: false, lessons: ALL_LEVELS },
  { until: 1, slips: true, lessons: ALL_LEVELS },
];
const BATCH = 64;
const PEAK_RATE = 2e-3;
const WARM_UP = 50;

/** Gains of one; matrices normal with variance 1 / inputs, those that write into the residual stream less by the number of writes. */
function initialWeights(layout: ParameterLayout, layers: number, random: Random): Float32Array {
  const flat = new Float32Array(layout.size);
  for (const { name, shape, offset, size } of layout.stored) {
    const writes = /(o_proj|down_proj)\.weight$/.test(name) ? 2 * layers : 1;
    const deviation = 1 / Math.sqrt(shape.at(-1)! * writes);
    for (let index = offset; index < offset + size; index++) flat[index] = shape.length === 1 ? 1 : deviation * random.normal();
  }
  return flat;
}

/** One problem of the training split with its worked solution. */
function lesson(renderer: Renderer, random: Random, lessons: readonly Lessons[], slipRate: number): TrainingRow {
  const wheel = lessons.flatMap((entry) => Array.from({ length: entry.share }, () => entry));
  const { family: name, lowest, highest } = wheel[random.integer(wheel.length)]!;
  const family = chainFamilies.get(name)!;
  for (;;) {
    const { prompt } = family.generate(lowest + random.integer(highest - lowest + 1), random);
    if (splitOf(prompt) !== "train") continue;
    const completion = [...renderer.encodePrompt(family.workedSolution(prompt, random, slipRate)), renderer.stopTokens[0]!];
    const zeros = new Float32Array(completion.length);
    return { prompt: renderer.encodePrompt(prompt), completion, logprobs: zeros, advantages: zeros, weights: zeros };
  }
}

function batchOf(renderer: Renderer, random: Random, { lessons, slips }: Stage, slipRate: number): TrainingRow[] {
  const rows = Array.from({ length: BATCH }, () => lesson(renderer, random, lessons, slips ? slipRate : 0));
  const tokens = rows.reduce((total, { completion }) => total + completion.length, 0);
  return rows.map((row) => ({ ...row, weights: new Float32Array(row.completion.length).fill(1 / tokens) }));
}

/** Linear warm-up, then half a cosine down to a tenth. */
function learningRate(step: number, steps: number): number {
  if (step < WARM_UP) return (PEAK_RATE * (step + 1)) / WARM_UP;
  return PEAK_RATE * (0.1 + 0.45 * (1 + Math.cos((Math.PI * (step - WARM_UP)) / (steps - WARM_UP))));
}

const [steps, seed, slipRate] = [Number(values.steps), Number(values.seed), Number(values.slip)];
const folder = builtinModelFolder();
const renderer = await loadRenderer(folder, { template: "{problem}" });
const config = await readModelConfiguration(folder);
const layout = parameterLayout(config);
const start = await mkdtemp(join(tmpdir(), "selftrain-pretrain-"));
await saveModel(start, folder, storedTensors(initialWeights(layout, config.layers, createRandom(deriveSeed(seed, "weights"))), layout));
const policy = await createOnnxPolicy({ model: start, threads: 0 });
const random = createRandom(deriveSeed(seed, "corpus"));
const adam: Omit<UpdateOptions, "learningRate"> = { loss: { kind: "cross_entropy" }, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.01, maxGradientNorm: 1 };
for (let step = 0; step < steps; step++) {
  const stage = STAGES.find(({ until }) => step < until * steps)!;
  const report = await policy.update(batchOf(renderer, random, stage, slipRate), { ...adam, learningRate: learningRate(step, steps) });
  if (step % 50 === 0 || step === steps - 1) console.log(`step ${step + 1}/${steps}  loss ${report.loss.toFixed(4)}`);
}
await cp(start, values.out, { recursive: true, filter: (source) => !source.endsWith(".safetensors") });
await policy.exportModel(values.out);
await policy.close();
await rm(start, { recursive: true });
