import type { Random } from "../util/random.ts";

/** How the next token is chosen. */
export interface DrawOptions {
  /** 0 takes the most likely token. */
  readonly temperature: number;
  readonly topP: number;
  /** 0 keeps every token. */
  readonly topK: number;
}

/** Draws a token from row `row` of `probabilities`, `[row, vocabulary]` (at temperature 1). */
export type Draw = (probabilities: Float32Array, row: number, random: Random) => number;

/**
 * The drawing rule for given options. Temperature first, then top-k, then top-p: the smallest set of most
 * likely tokens with at least mass topP (Holtzman et al. 2020), each renormalized.
 */
export function createDraw(vocabulary: number, { temperature, topP, topK }: DrawOptions): Draw {
  if (temperature === 0 || topK === 1) return (probabilities, row) => mostLikely(probabilities, row * vocabulary, vocabulary);
  const filtered = topP < 1 || (topK > 0 && topK < vocabulary);
  if (!filtered && temperature === 1) return (probabilities, row, random) => inverse(probabilities, row * vocabulary, vocabulary, random.uniform());
  const scratch = new Float32Array(vocabulary);
  return (probabilities, row, random) => {
    const source = probabilities.subarray(row * vocabulary, (row + 1) * vocabulary);
    temper(source, temperature, scratch);
    if (filtered) keepLikely(scratch, topP, topK === 0 ? vocabulary : topK);
    return inverse(scratch, 0, vocabulary, random.uniform());
  };
}

function mostLikely(probabilities: Float32Array, start: number, length: number): number {
  let best = 0;
  for (let token = 1; token < length; token++) {
    if (probabilities[start + token]! > probabilities[start + best]!) best = token;
  }
  return best;
}

/** Inverse transform sampling; the weights need not sum to one. */
function inverse(weights: Float32Array, start: number, length: number, uniform: number): number {
  let total = 0;
  for (let token = 0; token < length; token++) total += weights[start + token]!;
  let rest = uniform * total;
  let last = 0;
  for (let token = 0; token < length; token++) {
    const weight = weights[start + token]!;
    if (weight <= 0) continue;
    rest -= weight;
    last = token;
    if (rest < 0) return token;
  }
  // Rounding can leave a remainder: it belongs to the last token that has any weight.
  return last;
}

/** p^(1/T), relative to the largest so that nothing underflows together. */
function temper(source: Float32Array, temperature: number, target: Float32Array): void {
  let largest = 0;
  for (let token = 0; token < source.length; token++) largest = Math.max(largest, source[token]!);
  for (let token = 0; token < source.length; token++) target[token] = (source[token]! / largest) ** (1 / temperature);
}

/**
 * Sets all but the kept tokens to zero. Only candidates are sorted: tokens below the k-th largest weight
 * cannot be kept, and those below (1 - topP) / vocabulary of the mass have less than 1 - topP together.
 */
function keepLikely(weights: Float32Array, topP: number, topK: number): void {
  const least = topK < weights.length ? Float32Array.from(weights).sort()[weights.length - topK]! : 0;
  const total = sumOf(weights);
  // A little less, since the mass is added up in another order below.
  const negligible = topK < weights.length ? 0 : (0.999 * (1 - topP) * total) / weights.length;
  const candidates: number[] = [];
  for (let token = 0; token < weights.length; token++) {
    if (weights[token]! >= Math.max(least, negligible)) candidates.push(token);
  }
  candidates.sort((a, b) => weights[b]! - weights[a]! || a - b);
  const kept = candidates.slice(0, topK).map((token) => ({ token, weight: weights[token]! }));
  const keptTotal = topK < weights.length ? kept.reduce((mass, { weight }) => mass + weight, 0) : total;
  weights.fill(0);
  let mass = 0;
  for (const { token, weight } of kept) {
    if (mass >= topP * keptTotal) break;
    weights[token] = weight;
    mass += weight;
  }
}

function sumOf(weights: Float32Array): number {
  let total = 0;
  for (let token = 0; token < weights.length; token++) total += weights[token]!;
  return total;
}
