import { checkRequest, REFERENCE } from "../policy.ts";
import type { MergedSampleRequest, ServablePolicy } from "../policy.ts";
import type { Completion } from "../types.ts";
import type { Serial } from "../util/serial.ts";
import { strictZip } from "../util/strict-zip.ts";
import type { Snapshots } from "./snapshots.ts";

/** How completions are drawn: prompts for which all of it is the same can be sampled together. */
export type SampleOptions = Pick<MergedSampleRequest, "count" | "weights" | "temperature" | "topP" | "topK" | "stopTokens" | "maxTokens">;

/** Completions of one prompt. */
export interface SampleTask {
  readonly prompt: readonly number[];
  readonly options: SampleOptions;
  /** Where the weights lie that are not in memory, or `null`. */
  readonly directory: string | null;
  readonly seed: number;
  /** Place of the prompt among those that share the seed. */
  readonly place: number;
  /** Whether the prompt's own logprobs are asked for. */
  readonly promptLogprobs: boolean;
}

export interface Sampled {
  readonly completions: readonly Completion[];
  /** Of each prompt token but the first, or `null` where they were not asked for. */
  readonly promptLogprobs: Float32Array | null;
}

export type Sampler = (task: SampleTask) => Promise<Sampled>;

/**
 * How long the first task waits for others to join it, in seconds: prompts come one by one over the wire, and an engine is
 * far faster with many at once.
 */
const GATHERING = 0.01;

interface Waiting {
  readonly task: SampleTask;
  readonly resolve: (sampled: Sampled) => void;
  readonly reject: (error: unknown) => void;
}

/** Samples tasks that have the same options together, whatever requests they came in; `turns` are those of the machine. */
export function createSampler(policy: ServablePolicy, snapshots: Snapshots, turns: Serial): Sampler {
  let waiting: Waiting[] = [];
  const next = async (): Promise<void> => {
    const [first] = waiting;
    if (!first) return;
    const kind = kindOf(first.task);
    const together = waiting.filter(({ task }) => kindOf(task) === kind);
    waiting = waiting.filter((other) => !together.includes(other));
    try {
      const results = await sampleTogether(together.map(({ task }) => task), first.task, policy, snapshots);
      for (const [{ resolve }, sampled] of strictZip(together, results)) resolve(sampled);
    } catch (error) {
      for (const { reject } of together) reject(error);
    }
  };
  return (task) =>
    new Promise((resolve, reject) => {
      // What is wrong with one must not fail those it would be sampled with.
      checkRequest({ ...task.options, prompts: [task.prompt], seed: task.seed }, policy.description);
      waiting.push({ task, resolve, reject });
      // One turn for each is enough to serve all; turns that find nothing left pass at once.
      setTimeout(() => void turns(next), GATHERING * 1000);
    });
}

function kindOf({ options, directory }: SampleTask): string {
  return JSON.stringify([options, directory]);
}

async function sampleTogether(tasks: readonly SampleTask[], { options, directory }: SampleTask, policy: ServablePolicy, snapshots: Snapshots): Promise<readonly Sampled[]> {
  if (options.weights !== REFERENCE) await snapshots.ready(options.weights, directory);
  const origins = tasks.map(({ seed, place }) => ({ seed, prompt: place }));
  const completions = await policy.sample({ ...options, prompts: tasks.map(({ prompt }) => prompt), seed: 0, origins });
  const read = tasks.filter(({ promptLogprobs }) => promptLogprobs);
  const sequences = read.map(({ prompt }) => ({ prompt: prompt.slice(0, 1), completion: prompt.slice(1) }));
  const logprobs = read.length === 0 ? [] : await policy.logprobs(sequences, options.weights);
  const ofTask = new Map(strictZip(read, logprobs));
  return strictZip(tasks, completions).map(([task, sampled]) => ({ completions: sampled, promptLogprobs: ofTask.get(task) ?? null }));
}
