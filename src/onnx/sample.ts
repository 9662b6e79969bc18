import type { MergedSampleRequest } from "../policy.ts";
import type { Completion } from "../types.ts";
import { createRandom, deriveSeed } from "../util/random.ts";
import type { Random } from "../util/random.ts";
import { causalMask } from "./batches.ts";
import { appendPosition, cacheFeeds, createCache, fillRow, moveRow, reservePosition } from "./cache.ts";
import type { Cache, Prefill } from "./cache.ts";
import { createDraw } from "./draw.ts";
import type { Draw } from "./draw.ts";
import { sequenceTokens } from "./memory.ts";
import type { DecoderConfiguration } from "./models/configuration.ts";
import type { RotaryFeeds } from "./models/rotary.ts";
import { floatTensor, integerTensor } from "./session.ts";
import type { Session } from "./session.ts";
import type { Weights } from "./weights.ts";

export interface SamplerParts {
  readonly config: DecoderConfiguration;
  readonly weights: Weights;
  readonly rotary: RotaryFeeds;
  readonly prefill: Session;
  readonly decode: Session;
  /** Most rows decoded together. */
  readonly maxRows: number;
}

/** One completion in the making. */
interface Row {
  readonly prompt: number;
  readonly tokens: number[];
  readonly logprobs: number[];
  readonly random: Random;
}

interface Work {
  readonly request: MergedSampleRequest;
  readonly parts: SamplerParts;
  readonly draw: Draw;
  readonly stop: ReadonlySet<number>;
}

/**
 * Samples completions with a key/value cache, `[prompt, count]`. Each prompt is read once and its cache
 * copied to its rows; rows that have stopped leave the batch. Every row draws from a generator of its
 * own, so but for rounding its tokens do not depend on which rows share its batch.
 */
export async function sampleCompletions(request: MergedSampleRequest, parts: SamplerParts): Promise<readonly (readonly Completion[])[]> {
  const work = { request, parts, draw: createDraw(parts.config.vocabularySize, request), stop: new Set(request.stopTokens) };
  const rows = request.prompts.flatMap((_, prompt) => {
    const origin = request.origins?.[prompt] ?? { seed: request.seed, prompt };
    return Array.from({ length: request.count }, (_, sample): Row => ({ prompt, tokens: [], logprobs: [], random: createRandom(deriveSeed(origin.seed, origin.prompt, sample)) }));
  });
  for (let start = 0; start < rows.length; start += parts.maxRows) await completeRows(rows.slice(start, start + parts.maxRows), work);
  const results = request.prompts.map((): Completion[] => []);
  for (const row of rows) results[row.prompt]!.push(completionOf(row, work.stop));
  return results;
}

function completionOf({ tokens, logprobs }: Row, stop: ReadonlySet<number>): Completion {
  return { tokens, logprobs: Float32Array.from(logprobs), stopReason: stop.has(tokens.at(-1)!) ? "stop" : "length" };
}

async function completeRows(rows: readonly Row[], work: Work): Promise<void> {
  const { request, parts } = work;
  const lengthOf = (prompt: number): number => request.prompts[prompt]!.length;
  const prompts = [...new Set(rows.map(({ prompt }) => prompt))];
  const cache = createCache(parts.config, rows.length, Math.max(...prompts.map(lengthOf)) + 1);
  const active: Row[] = [];
  for (const batch of promptBatches(prompts, lengthOf, parts.config)) {
    const { prefill, probabilities } = await readPrompts(batch.map((prompt) => request.prompts[prompt]!), parts);
    for (const row of rows) {
      const index = batch.indexOf(row.prompt);
      if (index < 0 || !drawInto(row, probabilities, index, work)) continue;
      fillRow(cache, active.length, prefill, index, lengthOf(row.prompt));
      active.push(row);
    }
  }
  while (active.length > 0) await decodeStep(active, cache, work);
}

/** Prompts that are read together: in their order, within the memory of one run. */
function promptBatches(prompts: readonly number[], lengthOf: (prompt: number) => number, config: DecoderConfiguration): number[][] {
  const batches: number[][] = [];
  let time = 0;
  for (const prompt of prompts) {
    const batch = batches.at(-1);
    const longest = Math.max(time, lengthOf(prompt));
    if (batch && (batch.length + 1) * longest <= sequenceTokens(config, longest)) {
      batch.push(prompt);
      time = longest;
    } else {
      batches.push([prompt]);
      time = lengthOf(prompt);
    }
  }
  return batches;
}

/** One token for every active row; finished rows give their place to the last one. */
async function decodeStep(active: Row[], cache: Cache, work: Work): Promise<void> {
  const { weights, rotary, decode } = work.parts;
  const count = active.length;
  reservePosition(cache, count);
  const outputs = await decode.run({
    ...weights.feeds,
    ...rotary(cache.capacity + 1),
    ...cacheFeeds(cache, count),
    ids: integerTensor(active.map(({ tokens }) => tokens.at(-1)!), [count, 1]),
    positions: integerTensor(active.map((_, row) => cache.lengths[row]!), [count, 1]),
  });
  appendPosition(cache, outputs("fresh"), count);
  const probabilities = outputs("probabilities");
  // From the back, so that the row moved into a gap has had its token already.
  for (let row = count - 1; row >= 0; row--) {
    if (drawInto(active[row]!, probabilities, row, work)) continue;
    const last = active.pop()!;
    if (row === active.length) continue;
    moveRow(cache, active.length, row);
    active[row] = last;
  }
}

/** Draws the row's next token; says whether the row goes on. */
function drawInto(row: Row, probabilities: Float32Array, place: number, { draw, parts, stop, request }: Work): boolean {
  const token = draw(probabilities, place, row.random);
  row.tokens.push(token);
  row.logprobs.push(Math.log(probabilities[place * parts.config.vocabularySize + token]!));
  return !stop.has(token) && row.tokens.length < request.maxTokens;
}

async function readPrompts(prompts: readonly (readonly number[])[], { config, weights, rotary, prefill }: SamplerParts): Promise<{ prefill: Prefill; probabilities: Float32Array }> {
  const time = Math.max(...prompts.map(({ length }) => length));
  const ids = new Int32Array(prompts.length * time);
  prompts.forEach((prompt, row) => ids.set(prompt, row * time));
  const group = config.heads / config.keyValueHeads;
  const outputs = await prefill.run({
    ...weights.feeds,
    ...rotary(time),
    ids: integerTensor(ids, [prompts.length, time]),
    mask: floatTensor(causalMask(time, group), [1, 1, group * time, time]),
    selected: integerTensor(prompts.map(({ length }, row) => row * time + length - 1), [prompts.length]),
  });
  const planes = Array.from({ length: config.layers }, (_, layer) => [outputs(`keys${layer}`), outputs(`values${layer}`)]).flat();
  return { prefill: { time, planes }, probabilities: outputs("probabilities") };
}
