/**
 * How fast the embedded engine trains and samples the built-in model, as a share of the machine's own
 * matrix rate measured in the same run:
 *
 *   npm run bench:engine [-- --threads N]
 *
 * Work is counted as usual: 6 N operations for each trained token (forward and backward), 2 N for each
 * sampled one, N the number of parameters; attention, softmax, optimizer and sampling count as nothing.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { createEngine } from "../src/onnx/engine.ts";
import { CURRENT } from "../src/policy.ts";
import { loadRenderer } from "../src/render/index.ts";
import { builtinModelFolder, loadTask } from "../src/tasks/index.ts";
import { bestSeconds, matrixRate } from "./matrix-rate.ts";

const PROMPTS = 32;
const SAMPLES = 16;
const MAX_TOKENS = 16;

const { values } = parseArgs({ options: { threads: { type: "string", default: String(availableParallelism()) } } });
const threads = Number(values.threads);
const model = builtinModelFolder();
const renderer = await loadRenderer(model, { template: "{problem}" });
const policy = await createEngine({ model, threads });
const problems = loadTask("task:chain/5", { split: "train", problems: PROMPTS, seed: 0 });
const prompts = problems.map(({ prompt }) => renderer.encodePrompt(prompt));
const { parameters } = policy.description;

const rateBefore = await matrixRate(threads);

/** No stop tokens: every row is as long as it can be, so the batch stays full. */
const sampleAll = () => policy.sample({ prompts, count: SAMPLES, weights: CURRENT, seed: 1, temperature: 1, topP: 1, topK: 0, stopTokens: [], maxTokens: MAX_TOKENS });
const sampling = await bestSeconds(8, sampleAll);
const sampled = PROMPTS * SAMPLES * MAX_TOKENS;

const completions = await sampleAll();
const rows = completions.flatMap((group, index) =>
  group.map(({ tokens, logprobs }) => {
    const even = (value: number) => new Float32Array(tokens.length).fill(value);
    return { prompt: prompts[index]!, completion: tokens, logprobs, advantages: even(0.1), weights: even(1 / sampled) };
  }),
);
const options = { loss: { kind: "ppo", clipLow: 0.2, clipHigh: 0.2 }, learningRate: 0, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 } as const;
const training = await bestSeconds(8, () => policy.update(rows, options));
const trained = rows.reduce((total, { prompt, completion }) => total + prompt.length + completion.length - 1, 0);
await policy.close();

// The better of two rates: on a shared machine one alone may have been measured at a bad moment.
const rate = Math.max(rateBefore, await matrixRate(threads));
console.log(`matrix rate, 1024 x 1024, ${threads} threads: ${rate.toFixed(0)} GFLOP/s`);
report(`sampling ${PROMPTS * SAMPLES} rows`, sampled / sampling, (2 * parameters * sampled) / sampling);
report(`training ${rows.length} rows (forward, backward, AdamW)`, trained / training, (6 * parameters * trained) / training);

function report(name: string, tokensPerSecond: number, operationsPerSecond: number): void {
  const share = operationsPerSecond / 1e9 / rate;
  console.log(`${name}: ${(tokensPerSecond / 1000).toFixed(1)}k tokens/s, ${(operationsPerSecond / 1e9).toFixed(0)} GFLOP/s, ${(100 * share).toFixed(0)} % of the matrix rate`);
}
