/**
 * Speed and memory of the embedded engine on the shape of a larger model, with random weights:
 *
 *   npm run bench:size [-- --shape smollm2-135m|qwen2.5-0.5b] [--lora RANK]
 *
 * Training: one update of 16 sequences of 128 tokens. Sampling: 64 rows, 64 tokens after prompts of 32.
 * With --lora, adapters of this rank on every linear layer are trained, and sampled with. The shares of the
 * matrix rate count the operations of full training either way.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { UsageError } from "../src/errors.ts";
import { createEngine } from "../src/onnx/engine.ts";
import { readModelConfiguration, saveModel, storedTensors } from "../src/onnx/model-folder.ts";
import { parameterLayout } from "../src/onnx/models/parameters.ts";
import { LORA_TARGETS } from "../src/options.ts";
import { CURRENT } from "../src/policy.ts";
import { createRandom } from "../src/util/random.ts";
import { bestSeconds, matrixRate } from "./matrix-rate.ts";

const SHAPES: Readonly<Record<string, object>> = {
  "smollm2-135m": {
    architectures: ["LlamaForCausalLM"], vocab_size: 49152, hidden_size: 576, intermediate_size: 1536, num_hidden_layers: 30,
    num_attention_heads: 9, num_key_value_heads: 3, tie_word_embeddings: true, max_position_embeddings: 8192, rope_theta: 100000,
  },
  "qwen2.5-0.5b": {
    architectures: ["Qwen2ForCausalLM"], vocab_size: 151936, hidden_size: 896, intermediate_size: 4864, num_hidden_layers: 24,
    num_attention_heads: 14, num_key_value_heads: 2, tie_word_embeddings: true, max_position_embeddings: 32768, rope_theta: 1000000,
  },
};

const { values } = parseArgs({ options: { shape: { type: "string", default: "smollm2-135m" }, lora: { type: "string", default: "0" } } });
const shape = SHAPES[values.shape];
if (!shape) throw new UsageError(`unknown shape ${values.shape}; there are ${Object.keys(SHAPES).join(", ")}`);
const threads = availableParallelism();
const rateBefore = await matrixRate(threads);

const model = await mkdtemp(join(tmpdir(), "selftrain-size-"));
await writeFile(join(model, "config.json"), JSON.stringify(shape));
await writeRandomWeights();
const rank = Number(values.lora);
const lora = rank === 0 ? null : { rank, alpha: 32, targets: LORA_TARGETS, seed: 1, base: values.shape };
const policy = await createEngine({ model, threads, lora });
await rm(model, { recursive: true });
const { parameters, vocabularySize } = policy.description;
console.log(`${values.shape}: ${(parameters / 1e6).toFixed(1)}M parameters, LoRA of rank ${rank}, ${memory()}`);

const random = createRandom(2);
const tokens = (length: number): number[] => Array.from({ length }, () => random.integer(vocabularySize));
const prompts = Array.from({ length: 8 }, () => tokens(32));
const sampling = await bestSeconds(1, () => policy.sample({ prompts, count: 8, weights: CURRENT, seed: 1, temperature: 1, topP: 1, topK: 0, stopTokens: [], maxTokens: 64 }));
const samplingMemory = memory();

const even = (value: number) => new Float32Array(96).fill(value);
const rows = Array.from({ length: 16 }, () => ({ prompt: tokens(33), completion: tokens(96), logprobs: even(-10), advantages: even(0.1), weights: even(1 / 1536) }));
const options = { loss: { kind: "importance_sampling" }, learningRate: 1e-6, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 } as const;
const training = await bestSeconds(2, () => policy.update(rows, options));
const trainingMemory = memory();
await policy.close();

// The better of two rates: on a shared machine one alone may have been measured at a bad moment.
const rate = Math.max(rateBefore, await matrixRate(threads));
console.log(`matrix rate, ${threads} threads: ${rate.toFixed(0)} GFLOP/s`);
report("sampling 64 rows", 64 * 64, sampling, 2, samplingMemory);
report("training 16 x 128 (forward, backward, AdamW)", 16 * 128, training, 6, trainingMemory);

function report(name: string, count: number, seconds: number, operations: number, peak: string): void {
  const speed = (operations * parameters * count) / seconds / 1e9;
  console.log(`${name}: ${seconds.toFixed(1)} s, ${(count / seconds).toFixed(0)} tokens/s, ${((100 * speed) / rate).toFixed(0)} % of the matrix rate, ${peak}`);
}

function memory(): string {
  return `peak memory ${((process.resourceUsage().maxRSS * 1024) / 1e9).toFixed(2)} GB`;
}

async function writeRandomWeights(): Promise<void> {
  const layout = parameterLayout(await readModelConfiguration(model));
  const generator = createRandom(1);
  const noise = Float32Array.from({ length: 65_537 }, () => 0.02 * generator.normal());
  const flat = new Float32Array(layout.size);
  for (let start = 0; start < flat.length; start += noise.length) flat.set(noise.subarray(0, flat.length - start), start);
  await saveModel(model, model, storedTensors(flat, layout));
}
