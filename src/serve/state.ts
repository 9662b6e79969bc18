import type { ServablePolicy } from "../policy.ts";
import type { Serial } from "../util/serial.ts";
import type { Adapters } from "./adapters.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { Engines } from "./engines.ts";
import type { Futures } from "./futures.ts";
import type { Model } from "./models.ts";
import { Refusal } from "./refusal.ts";
import type { SamplingSession } from "./sampling.ts";
import type { Sessions } from "./sessions.ts";

/** The model that is served. */
export interface ServedModel {
  /** What clients call it. */
  readonly name: string;
  /** What finds its tokenizer: a folder or an id of the hub. */
  readonly tokenizer: string;
  /** Tokens at which completions end unless a request says otherwise. */
  readonly endTokens: readonly number[];
}

export interface ServiceOptions {
  readonly model: ServedModel;
  readonly createPolicy: (adapters: Adapters | null) => Promise<ServablePolicy>;
  /** Directory of what clients save. */
  readonly stateDirectory: string;
  readonly limits: ServiceLimits;
  readonly newId: () => string;
  /** A seed for samples that are asked for without one. */
  readonly anySeed: () => number;
  /** Seconds, from any start. */
  readonly clock: () => number;
  /** Told of failures that no client can mend. */
  readonly report: (error: unknown) => void;
}

export interface ServiceLimits {
  /** Engines in memory: models in training, and those that sample only. */
  readonly maxModels: number;
  /** Versions of the weights that each engine keeps to sample from. */
  readonly snapshotsPerModel: number;
  readonly maxUnfinished: number;
  /** Bytes of results that were fetched already. */
  readonly fetchedBytes: number;
  /** How long a session lives without a sign of its client. */
  readonly sessionSeconds: number;
  /** How long a request waits for those numbered before it. */
  readonly gapSeconds: number;
}

/** Everything that a service holds. */
export interface State {
  readonly options: ServiceOptions;
  readonly turns: Serial;
  readonly futures: Futures;
  readonly checkpoints: Checkpoints;
  readonly sessions: Sessions;
  readonly engines: Engines;
  readonly models: Map<string, Model>;
  readonly samplings: Map<string, SamplingSession>;
}

/** Throws Refusal (400) for another base model than the one that is served. */
export function checkBase({ options }: State, name: string): void {
  if (name !== options.model.name) throw new Refusal(400, `the base model \`${name}\` is not served here; expected \`${options.model.name}\`.`);
}
