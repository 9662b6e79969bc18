import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LORA_TARGETS } from "../src/options.ts";
import { CURRENT, REFERENCE } from "../src/policy.ts";
import { systemClock } from "../src/tinker/clock.ts";
import type { Clock } from "../src/tinker/clock.ts";
import type { Connection } from "../src/tinker/http.ts";
import { connectPolicy } from "../src/tinker/index.ts";
import { openSession } from "../src/tinker/session.ts";
import { referenceVersion } from "../src/tinker/versions.ts";
import { createRandom } from "../src/util/random.ts";
import { strictZip } from "../src/util/strict-zip.ts";

/** One heartbeat, at once: how many there are otherwise is a matter of time. */
const clock: Clock = {
  ...systemClock,
  every: (_, action) => {
    action();
    return () => undefined;
  },
};

export const SEQUENCES = [
  { prompt: [3, 7, 11, 2], completion: [30, 40, 50] },
  { prompt: [5, 8], completion: [60, 61] },
] as const;
const sampling = { prompts: SEQUENCES.map(({ prompt }) => prompt), count: 2, weights: CURRENT, temperature: 1, topP: 1, topK: 0, stopTokens: [1], maxTokens: 4 };
/** More than the server of scripts/skyrl-server.py makes: it refuses such a model. */
const TOO_LARGE_RANK = 64;

/** A server, and the folder of its model, of which only the limits are read. */
export interface Partner {
  readonly url: string;
  readonly folder: string;
  readonly fetch: typeof fetch;
}

/**
 * All that the client of this project says to a training server, once, each time the same: finds out what it is, samples,
 * asks for logprobs of both kinds, updates, samples, saves, loads, and is refused twice. Returns what the client read.
 */
export async function converse({ url, folder, fetch }: Partner) {
  const lora = { rank: 8, alpha: 32, targets: LORA_TARGETS, seed: 3 };
  const { policy, offered, traits } = await connectPolicy({ url, key: null, baseModel: "", folder, lora, lossReduction: "auto", concurrency: 1, resultTimeout: 3600, warn: () => undefined, clock, fetch });
  const state = await mkdtemp(join(tmpdir(), "selftrain-conversation-"));
  try {
    const before = await policy.sample({ ...sampling, seed: 1 });
    const reference = await policy.logprobs(SEQUENCES, REFERENCE);
    const rows = strictZip(SEQUENCES, before).flatMap(([{ prompt }, completions_G]) =>
      completions_G.map(({ tokens, logprobs }, member) => ({ prompt, completion: tokens, logprobs, advantages: tokens.map(() => (member === 0 ? 1 : -1)), weights: tokens.map(() => 0.125) })),
    );
    const report = await policy.update(rows, { loss: { kind: "importance_sampling" }, learningRate: 1e-2, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: Infinity });
    const after = await policy.sample({ ...sampling, seed: 2 });
    await policy.saveState(state);
    const file = join(state, "server-state.json");
    const saved = JSON.parse(await readFile(file, "utf8")) as { readonly current: string };
    await policy.loadState(state);
    const loaded = await policy.logprobs(SEQUENCES, CURRENT);
    await writeFile(file, JSON.stringify({ ...saved, current: `${saved.current}0` }));
    const refusal = await policy.loadState(state).then(() => "", String);
    await policy.close();
    return { offered, traits, before, reference, rows, report, after, saved, loaded, refusal, prompts: await promptLogprobs({ url, folder, fetch }, offered.name) };
  } finally {
    await rm(state, { recursive: true });
  }
}

/** Those of a server that has no room for a second model. */
async function promptLogprobs({ url, fetch }: Partner, baseModel: string): Promise<readonly Float32Array[]> {
  const connection: Connection = { url, key: null, fetch, clock, random: createRandom(0), signal: new AbortController().signal, patience: 300, resultTimeout: 3600 };
  const session = await openSession(connection);
  const version = await referenceVersion(session, { baseModel, lora: { rank: TOO_LARGE_RANK, seed: 0 } }, (task) => task());
  const logprobs: Float32Array[] = [];
  for (const sequence of SEQUENCES) logprobs.push(...(await version.logprobs([sequence])));
  session.close();
  return logprobs;
}
