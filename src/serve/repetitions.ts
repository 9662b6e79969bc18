import { Refusal } from "./refusal.ts";

/** Recognizes requests that come again, as they do when a reply was lost, by their numbers. */
export interface Repetitions {
  /** What `start` gave for this number; it is called for the first request alone. Throws Refusal (409) for one of the same number with another fingerprint. */
  readonly once: (sequence: number, fingerprint: string, start: () => string) => string;
  /** Takes the next request of this number for a new one. */
  readonly forget: (sequence: number) => void;
}

/** Numbers that are remembered, the latest ones: no client repeats a request that long after it. */
const REMEMBERED = 10_000;

export function createRepetitions(): Repetitions {
  const known = new Map<number, { readonly id: string; readonly fingerprint: string }>();
  return {
    once: (sequence, fingerprint, start) => {
      const earlier = known.get(sequence);
      if (earlier) {
        if (earlier.fingerprint !== fingerprint) throw new Refusal(409, `the number ${sequence} was used for another request; take the next one.`);
        return earlier.id;
      }
      const id = start();
      known.set(sequence, { id, fingerprint });
      if (known.size > REMEMBERED) known.delete(known.keys().next().value!);
      return id;
    },
    forget: (sequence) => void known.delete(sequence),
  };
}
