import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** A seeded source of random numbers. */
export interface Random {
  /** Uniform in [0, 1), 53 random bits. */
  readonly uniform: () => number;
  /** Uniform integer in [0, bound). */
  readonly integer: (bound: number) => number;
  /** Standard normal (Box & Muller 1958). */
  readonly normal: () => number;
}

/** The generator of one seed (xoroshiro128+). */
export function createRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  const uniform = (): number => {
    const high = generator.next() >>> 5;
    const low = generator.next() >>> 6;
    return (high * 67_108_864 + low) / 9_007_199_254_740_992;
  };
  return {
    uniform,
    integer: (bound) => Math.floor(uniform() * bound),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/**
 * A 32-bit seed derived from a seed and any number of labels, so that every use (data order of epoch 3,
 * samples of step 17) has a stream of its own and a resumed run needs no generator state.
 * FNV-1a over the labels, then the finalizer of MurmurHash3.
 */
export function deriveSeed(seed: number, ...labels: readonly (string | number)[]): number {
  let hash = 2_166_136_261;
  for (const character of [seed, ...labels].join("\u0000")) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 16_777_619);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 2_246_822_507);
  hash = Math.imul(hash ^ (hash >>> 13), 3_266_489_909);
  return (hash ^ (hash >>> 16)) | 0;
}

/** A copy of the list in random order (Fisher & Yates). */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = random.integer(last + 1);
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}
