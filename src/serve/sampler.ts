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
  /** How many with this seed come at once, where that was told. */
  readonly together: number | null;
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
 * Prompts come one by one over the wire, and an engine is far faster with many at once: sampling begins when all are there
 * that were told of, when no other has come for so many seconds, or when the first has waited for the longer time.
 */
const UNTOLD = { quiet: 0.015, patience: 0.15 };
const TOLD = { quiet: 0.15, patience: 1 };

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
      checkRequest({ ...task.options, prompts: [task.prompt], seed: task.seed }, policy.description);
      const kind = JSON.stringify([task.options, task.directory]);
      waiting.push({ task, kind, resolve, reject });
      const there = waiting.filter((other) => other.kind === kind && other.task.seed === task.seed).length;
      clearTimeout(quiet);
      if (there === task.together) {
        begin();
        return;
      }
      const times = task.together === null ? UNTOLD : TOLD;
      quiet = setTimeout(begin, times.quiet * 1000);
      patience ??= setTimeout(begin, times.patience * 1000);
    });
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
