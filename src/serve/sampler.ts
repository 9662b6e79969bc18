import { checkRequest, REFERENCE } from "../policy.ts";
import type { MergedSampleRequest, ServablePolicy } from "../policy.ts";
import type { Completion } from "../types.ts";
import type { Serial } from "../util/serial.ts";
import { strictZip } from "../util/strict-zip.ts";
import type { Snapshots } from "./snapshots.ts";

/** How completions are drawn: prompts for which all of it is the same can be sampled together. */
export type SampleOptions = Pick<MergedSampleRequest, "count" | "weights" | "temperature" | "topP" | "topK" | "stopTokens" | "maxTokens">;

/** What one request asks for. */
export interface SampleTask {
  /** `[prompt, time]`, at least one. */
  readonly prompts: readonly (readonly number[])[];
  readonly options: SampleOptions;
  /** Where the weights lie that are not in memory, or `null`. */
  readonly directory: string | null;
  readonly seed: number;
  /** Place of the first prompt among those that share the seed. */
  readonly place: number;
  /** Whether the first prompt's own logprobs are asked for. */
  readonly promptLogprobs: boolean;
}

export interface Sampled {
  /** `[prompt, count]`. */
  readonly completions: readonly (readonly Completion[])[];
  /** Of each prompt token but the first, or `null` where they were not asked for. */
  readonly promptLogprobs: Float32Array | null;
}

export type Sampler = (task: SampleTask) => Promise<Sampled>;

/**
 * Most clients send prompts one by one, and an engine is far faster with many at once: sampling begins when no other has come
 * for so many seconds, when the first has waited for the longer time, or at once with a request that has several.
 */
const QUIET = 0.015;
const PATIENCE = 0.15;

interface Waiting {
  readonly task: SampleTask;
  readonly kind: string;
  readonly resolve: (sampled: Sampled) => void;
  readonly reject: (error: unknown) => void;
}

/** Samples tasks that have the same options together, whatever requests they came in; `turns` are those of the machine. */
export function createSampler(policy: ServablePolicy, snapshots: Snapshots, turns: Serial): Sampler {
  let waiting: Waiting[] = [];
  let [quiet, patience]: (NodeJS.Timeout | undefined)[] = [];
  const sampleNext = async (): Promise<void> => {
    const [first] = waiting;
    if (!first) return;
    // In the order that they have in their request, so that nothing depends on how they came.
    const together = waiting.filter(({ kind }) => kind === first.kind).sort(({ task: a }, { task: b }) => a.seed - b.seed || a.place - b.place);
    waiting = waiting.filter(({ kind }) => kind !== first.kind);
    // Those of other kinds take a turn of their own.
    if (waiting.length > 0) void turns(sampleNext);
    try {
      const results = await sampleTogether(together.map(({ task }) => task), first.task, policy, snapshots);
      for (const [{ resolve }, sampled] of strictZip(together, results)) resolve(sampled);
    } catch (error) {
      for (const { reject } of together) reject(error);
    }
  };
  const begin = (): void => {
    clearTimeout(quiet);
    clearTimeout(patience);
    patience = undefined;
    void turns(sampleNext);
  };
  return (task) =>
    new Promise((resolve, reject) => {
      // What is wrong with one must not fail those it would be sampled with.
      checkRequest({ ...task.options, prompts: task.prompts, seed: task.seed }, policy.description);
      const kind = JSON.stringify([task.options, task.directory]);
      waiting.push({ task, kind, resolve, reject });
      clearTimeout(quiet);
      if (task.prompts.length > 1) {
        begin();
        return;
      }
      quiet = setTimeout(begin, QUIET * 1000);
      patience ??= setTimeout(begin, PATIENCE * 1000);
    });
}

async function sampleTogether(tasks: readonly SampleTask[], { options, directory }: SampleTask, policy: ServablePolicy, snapshots: Snapshots): Promise<readonly Sampled[]> {
  if (options.weights !== REFERENCE) await snapshots.ready(options.weights, directory);
  const origins = tasks.flatMap(({ prompts, seed, place }) => prompts.map((_, index) => ({ seed, prompt: place + index })));
  const completions = (await policy.sample({ ...options, prompts: tasks.flatMap(({ prompts }) => prompts), seed: 0, origins }))[Symbol.iterator]();
  const read = tasks.filter(({ promptLogprobs }) => promptLogprobs);
  const sequences = read.map(({ prompts: [first] }) => ({ prompt: first!.slice(0, 1), completion: first!.slice(1) }));
  const logprobs = read.length === 0 ? [] : await policy.logprobs(sequences, options.weights);
  const ofTask = new Map(strictZip(read, logprobs));
  return tasks.map((task) => ({ completions: task.prompts.map(() => completions.next().value!), promptLogprobs: ofTask.get(task) ?? null }));
}
