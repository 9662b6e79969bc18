import type { Completion, TokenSequence, TrainingRow, UpdateReport } from "./types.ts";

/**
 * A version of the weights: `current` (being trained), `reference` (those the run started from), or a
 * name given to `snapshot`.
 */
export type WeightsName = string;
export const CURRENT: WeightsName = "current";
export const REFERENCE: WeightsName = "reference";

export interface SampleRequest {
  /** Prompt token ids, `[prompt, time]`, each non-empty. */
  readonly prompts: readonly (readonly number[])[];
  /** Completions per prompt. */
  readonly count: number;
  readonly weights: WeightsName;
  /** Same seed, same weights, same request: same completions. */
  readonly seed: number;
  /** 0 is greedy. */
  readonly temperature: number;
  /** Nucleus mass in (0, 1]; 1 keeps every token. */
  readonly topP: number;
  /** Most likely tokens to keep; 0 keeps every token. */
  readonly topK: number;
  readonly stopTokens: readonly number[];
  readonly maxTokens: number;
}

/**
 * Loss of one token, with r = exp(logprob - behaviour logprob) and A its advantage:
 * - `importance_sampling`: -r A
 * - `ppo`: -min(r A, clip(r, 1 - clipLow, 1 + clipHigh) A) (Schulman et al. 2017, eq. 7)
 * - `cross_entropy`: -logprob
 */
export type Loss =
  | { readonly kind: "importance_sampling" }
  | { readonly kind: "ppo"; readonly clipLow: number; readonly clipHigh: number }
  | { readonly kind: "cross_entropy" };

/** AdamW (Loshchilov & Hutter 2019) with clipping of the global gradient norm. */
export interface UpdateOptions {
  readonly loss: Loss;
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Gradients with a larger L2 norm are scaled down to it; `Infinity` clips nothing. */
  readonly maxGradientNorm: number;
}

/** What a policy can do beyond this port; a config that needs more is refused before anything runs. */
export type Capability = "snapshot" | "export" | "fullParameter" | "lora" | "critic" | "weightAverage";

export interface PolicyDescription {
  readonly model: string;
  readonly parameters: number;
  readonly vocabularySize: number;
  /** Most tokens of prompt and completion together. */
  readonly contextLength: number;
  readonly capabilities: readonly Capability[];
}

/**
 * The model being trained. Token ids cross this port, text does not. Calls take effect in the order in
 * which they are made; results keep the order of their inputs; inputs are not kept or changed.
 */
export interface Policy {
  readonly description: PolicyDescription;

  /** `count` completions for each prompt, `[prompt, count]`. Throws PolicyError when one exceeds the context. */
  sample(request: SampleRequest): Promise<readonly (readonly Completion[])[]>;

  /** Log-probability of each completion token at temperature 1, `[sequence][time]`. */
  logprobs(sequences: readonly TokenSequence[], weights: WeightsName): Promise<readonly Float32Array[]>;

  /** One optimizer update of `current` from all rows. A gradient that is not finite changes nothing and says so. */
  update(rows: readonly TrainingRow[], options: UpdateOptions): Promise<UpdateReport>;

  /** Freezes the current weights under a name, replacing an earlier version of that name. */
  snapshot(name: WeightsName): Promise<void>;

  /** Writes the whole training state (weights, optimizer, snapshots) into an existing directory. */
  saveState(directory: string): Promise<void>;

  /** Restores what `saveState` wrote. Throws CheckpointError when it is not of this model. */
  loadState(directory: string): Promise<void>;

  /** Writes the current weights as a Hugging Face model folder into an existing directory. */
  exportModel(directory: string): Promise<void>;

  /** Releases everything. Further calls throw PolicyError. */
  close(): Promise<void>;
}
