/**
 * What the wire costs: a training step of a config (examples/srt.yaml) on the embedded engine, and the same step on the same
 * engine behind `selftrain serve`, another process of this machine:
 *
 *   npm run bench:wire [-- --pairs 12 --config examples/smollm2-srt.yaml --model FOLDER]
 *
 * Both begin with the same model and keep it, by a learning rate of 0, so that both do the same work. Steps alternate,
 * and so does their order; the first pair is not counted.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { trainSources } from "../src/config.ts";
import { parseConfig } from "../src/config/index.ts";
import { problemsOfStep } from "../src/data/index.ts";
import { createGrader, RULES_OF_READING } from "../src/grading/index.ts";
import { createOnnxPolicy } from "../src/onnx/index.ts";
import { LORA_TARGETS } from "../src/options.ts";
import type { Policy } from "../src/policy.ts";
import { loadRenderer } from "../src/render/index.ts";
import { majorityReward } from "../src/srt/reward.ts";
import { trainStep } from "../src/step.ts";
import { builtinModelFolder, loadTask } from "../src/tasks/index.ts";
import { createTinkerPolicy } from "../src/tinker/index.ts";
import { stepSettings } from "../src/train.ts";
import type { StepSeconds } from "../src/types.ts";
import { createRandom } from "../src/util/random.ts";

const { values } = parseArgs({ options: { pairs: { type: "string", default: "12" }, config: { type: "string", default: "examples/srt.yaml" }, model: { type: "string", default: "builtin" } } });
const pairs = Number(values.pairs);
const config = { ...parseConfig(await readFile(values.config, "utf8"), values.config), learningRate: 0 };
const model = values.model === "builtin" ? builtinModelFolder() : values.model;
const problems = loadTask(trainSources(config)[0]!.source, { split: "train", problems: config.trainProblems, seed: config.seed });
const renderer = await loadRenderer(model, config);
const grader = createGrader({ rules: RULES_OF_READING[config.answers] });
const rewardOf = majorityReward(config, grader.same);
const clock = () => performance.now() / 1000;

const directory = await mkdtemp(join(tmpdir(), "selftrain-bench-"));
const { server, url } = await serve();
const traffic = { requests: 0, sent: 0, received: 0 };
const counted: typeof fetch = async (address, init) => {
  const response = await fetch(address, init);
  traffic.requests += 1;
  traffic.sent += typeof init?.body === "string" ? init.body.length : 0;
  traffic.received += Number(response.headers.get("content-length"));
  return response;
};
const embedded = await createOnnxPolicy({ model, threads: availableParallelism() });
const served = await createTinkerPolicy({
  url, key: null, baseModel: "", folder: model, fetch: counted, warn: console.error,
  lora: { rank: 0, alpha: 1, targets: LORA_TARGETS, seed: 0 }, lossReduction: config.engine.lossReduction, concurrency: config.engine.concurrency, resultTimeout: config.engine.resultTimeout,
});

/** Seconds of each part of one step. */
async function measure(policy: Policy, step: number): Promise<StepSeconds> {
  const batch = problemsOfStep(problems, step, config.promptsPerStep, config.seed);
  const { seconds, update } = await trainStep(step, batch, { policy, renderer, grader, rewardOf, clock }, { ...stepSettings(config), seed: step });
  if (update === null) console.log(`step ${step} has no update: no group's rewards differ`);
  return seconds;
}

const measured: { readonly here: StepSeconds; readonly there: StepSeconds }[] = [];
for (let step = 1; step <= 1 + pairs; step++) {
  if (step === 2) Object.assign(traffic, { requests: 0, sent: 0, received: 0 });
  const first = step % 2 === 0 ? await measure(served, step) : null;
  const here = await measure(embedded, step);
  const there = first ?? (await measure(served, step));
  if (step > 1) measured.push({ here, there });
}
const ratios = measured.map(({ here, there }) => there.total / here.total);
const [low, high] = medianInterval(ratios);
const percent = (ratio: number): string => `${(100 * (ratio - 1)).toFixed(1)} %`;
const each = (count: number): string => (count / pairs).toFixed(0);
console.log(`step of ${config.promptsPerStep} x ${config.samplesPerPrompt} completions, medians of ${pairs}, in seconds:`);
for (const part of ["sample", "reference", "update", "total"] as const) {
  const [here, there] = [median(measured.map((pair) => pair.here[part])), median(measured.map((pair) => pair.there[part]))];
  console.log(`${part.padEnd(9)}  embedded ${here.toFixed(3)}  served ${there.toFixed(3)}  more ${median(measured.map((pair) => pair.there[part] - pair.here[part])).toFixed(3)}`);
}
console.log(`the wire takes ${percent(median(ratios))} of an embedded step (median of pairs; 95 % bootstrap interval ${percent(low)} to ${percent(high)})`);
console.log(`${each(traffic.requests)} requests a step, ${each(traffic.sent / 1000)} kB sent, ${each(traffic.received / 1000)} kB received`);
await served.close();
await embedded.close();
server.kill();
await once(server, "exit");
await rm(directory, { recursive: true });

/** The server in a process of its own, when it listens. */
async function serve(): Promise<{ readonly server: ChildProcess; readonly url: string }> {
  const main = new URL("../src/cli/main.ts", import.meta.url).pathname;
  const server = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), main, "serve", "--model", values.model, "--port", "0", "--state", directory, "--json"], { stdio: ["ignore", "pipe", "ignore"] });
  process.once("exit", () => server.kill());
  for await (const line of createInterface({ input: server.stdout })) return { server, url: (JSON.parse(line) as { url: string }).url };
  throw new Error("the server ended before it listened");
}

/** The 95 % percentile interval of a median, from 2,000 resamples. */
function medianInterval(numbers: readonly number[]): readonly [number, number] {
  const random = createRandom(1);
  const medians = Array.from({ length: 2000 }, () => median(numbers.map(() => numbers[random.integer(numbers.length)]!))).sort((a, b) => a - b);
  return [medians[50]!, medians[1949]!];
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
}
