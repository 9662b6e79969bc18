import type { ServablePolicy } from "../policy.ts";
import { Refusal } from "./refusal.ts";

/** The weights that an engine holds to sample from, beside those it trains. */
export interface Snapshots {
  /** Freezes the current weights under a name. */
  readonly take: (name: string) => Promise<void>;
  /** Makes sure that weights are there, read from `directory` where they are not. Throws Refusal (410) without one. */
  readonly ready: (name: string, directory: string | null) => Promise<void>;
}

/**
 * Snapshots in memory, at most `limit`: the one sampled from longest ago makes room for another. Calls must not overlap.
 * `forgotten` is told the name of one that is gone.
 */
export function createSnapshots(policy: Pick<ServablePolicy, "snapshot" | "loadSnapshot" | "forget">, limit: number, forgotten: (name: string) => void): Snapshots {
  // In the order of their last use.
  const names = new Set<string>();
  const use = (name: string): void => {
    names.delete(name);
    names.add(name);
  };
  const makeRoom = async (): Promise<void> => {
    for (const name of [...names].slice(0, Math.max(0, names.size + 1 - limit))) {
      await policy.forget(name);
      names.delete(name);
      forgotten(name);
    }
  };
  return {
    take: async (name) => {
      await makeRoom();
      await policy.snapshot(name);
      use(name);
    },
    ready: async (name, directory) => {
      if (!names.has(name)) {
        if (directory === null) throw new Refusal(410, `the weights of this sampling session are no longer kept: the server holds the ${limit} of a model that were sampled from last.`);
        await makeRoom();
        await policy.loadSnapshot(name, directory);
      }
      use(name);
    },
  };
}
