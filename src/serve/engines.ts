import type { ServablePolicy } from "../policy.ts";
import type { Serial } from "../util/serial.ts";
import type { Adapters, Shape } from "./adapters.ts";
import { Refusal } from "./refusal.ts";
import { createSampler } from "./sampler.ts";
import type { Sampler } from "./sampler.ts";
import { createSnapshots } from "./snapshots.ts";
import type { Snapshots } from "./snapshots.ts";

/** One engine: a copy of the base model with what is trained of it, `null` for all of it. */
export interface Engine {
  readonly policy: ServablePolicy;
  readonly adapters: Adapters | null;
  readonly snapshots: Snapshots;
  readonly sampler: Sampler;
  /** Releases the engine after what it is doing. */
  readonly close: () => Promise<void>;
}

/** The engines of a server. Each holds the base model once, with all of it trained about five times. */
export interface Engines {
  /** A new engine. `forgotten` is told of snapshots that made room for others. Throws Refusal (429), at once, when there are as many as there may be. */
  readonly open: (adapters: Adapters | null, forgotten: (name: string) => void) => Promise<Engine>;
  /**
   * Uses an engine that only samples, from saved weights of this shape or, with `null`, from the base model. It stays open
   * until `use` has ended. Throws Refusal (429) when models in training take all the room.
   */
  readonly forSampling: <T>(shape: Shape | null, use: (engine: Engine) => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
}

export interface EnginesOptions {
  readonly createPolicy: (adapters: Adapters | null) => Promise<ServablePolicy>;
  readonly maxEngines: number;
  readonly snapshotsPerEngine: number;
  /** What computes one thing at a time: two engines at once would only slow each other down. */
  readonly turns: Serial;
}

interface Sampling {
  readonly engine: Promise<Engine>;
  /** What it is used for now. */
  readonly uses: Set<Promise<unknown>>;
}

/** The smallest adapters, which at their start add nothing: the base model, without a copy of it for its gradient. */
const BASE: Shape = { rank: 1, alpha: 1, targets: ["q_proj"] };

export function createEngines({ createPolicy, maxEngines, snapshotsPerEngine, turns }: EnginesOptions): Engines {
  const opened = new Set<Promise<Engine>>();
  // By shape, in the order of their last use.
  const sampling = new Map<string, Sampling>();

  const create = async (adapters: Adapters | null, forgotten: (name: string) => void, room: Promise<void>): Promise<Engine> => {
    await room;
    const policy = await createPolicy(adapters);
    const snapshots = createSnapshots(policy, snapshotsPerEngine, forgotten);
    return { policy, adapters, snapshots, sampler: createSampler(policy, snapshots, turns), close: () => policy.close() };
  };
  /** The engine that sampled longest ago makes room for another, after what it is used for. */
  const makeRoom = (): Promise<void> => {
    if (opened.size < maxEngines) return Promise.resolve();
    const [oldest] = sampling;
    if (!oldest) throw new Refusal(429, `${opened.size} models are loaded, as many as this server holds; unload one first.`);
    const [shape, { engine, uses }] = oldest;
    sampling.delete(shape);
    opened.delete(engine);
    return Promise.allSettled(uses).then(() => engine).then(({ close }) => close()).catch(() => undefined);
  };
  const open = (adapters: Adapters | null, forgotten: (name: string) => void): Promise<Engine> => {
    const creating = create(adapters, forgotten, makeRoom());
    const engine = creating.then((created) => ({
      ...created,
      close: () => {
        opened.delete(engine);
        return created.close();
      },
    }));
    opened.add(engine);
    engine.catch(() => opened.delete(engine));
    return engine;
  };
  return {
    // Counts at once, so that engines that are being made do not exceed the limit together.
    open,
    forSampling: async (shape, use) => {
      const key = JSON.stringify(shape ?? BASE);
      const wanted = shape ?? BASE;
      const entry = sampling.get(key) ?? { engine: open(wanted === "whole model" ? null : { ...wanted, seed: 0 }, () => undefined), uses: new Set() };
      sampling.delete(key);
      sampling.set(key, entry);
      entry.engine.catch(() => sampling.delete(key));
      const result = entry.engine.then(use);
      entry.uses.add(result);
      return result.finally(() => entry.uses.delete(result));
    },
    close: async () => {
      await Promise.all([...opened].map((engine) => engine.then(({ close }) => close()).catch(() => undefined)));
    },
  };
}
