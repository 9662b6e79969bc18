import { PolicyError } from "./errors.ts";
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
 * - `ppo`: -min(r A, clip(r, 1 - clipLow, 1 + clipHigh) A) (Schulman et al. 2017, eq. 7); with a `dualClip` c,
 *   where A < 0 at most -c A (Ye et al. 2020, eq. 5)
 * - `cross_entropy`: -logprob
 */
export type Loss =
  | { readonly kind: "importance_sampling" }
  | { readonly kind: "ppo"; readonly clipLow: number; readonly clipHigh: number; readonly dualClip?: number }
  | { readonly kind: "cross_entropy" };

/** AdamW (Loshchilov & Hutter 2019) with clipping of the global gradient norm. */
export interface OptimizerOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Gradients with a larger L2 norm are scaled down to it; `Infinity` clips nothing. */
  readonly maxGradientNorm: number;
}

/** What is minimized. */
export interface Objective {
  readonly loss: Loss;
  /** For rows with `critic`; needs the capability `critic`. */
  readonly critic?: CriticOptions;
}

export interface UpdateOptions extends OptimizerOptions, Objective {}

/** The loss of a critic, added to the policy's: coefficient x 1/2 max((v - R)^2, (clip(v, old - clip, old + clip) - R)^2). */
export interface CriticOptions {
  readonly coefficient: number;
  readonly clip: number;
}

/**
 * What only some policies can do: `export` writes the weights as files, `average` keeps moving averages of
 * them, `critic` has a value head.
 */
export type Capability = "export" | "average" | "critic";

export interface PolicyDescription {
  readonly model: string;
  /** 0 where an engine does not know. */
  readonly parameters: number;
  readonly vocabularySize: number;
  /** Most tokens of prompt and completion together. */
  readonly contextLength: number;
  readonly capabilities: readonly Capability[];
}

/** Is told of a prompt of a `SampleRequest`, by its place, and its completions, `[count]`. */
export type Arrived = (prompt: number, completions: readonly Completion[]) => void;

/**
 * The model being trained. Token ids cross this port, text does not. Calls take effect in the order in
 * which they are made; results keep the order of their inputs; inputs are not kept or changed.
 */
export interface Policy {
  readonly description: PolicyDescription;

  /**
   * `count` completions for each prompt, `[prompt, count]`. An engine that has those of one prompt before the others may
   * tell of them then, in any order, once a prompt; it needs not, and what `arrived` throws fails the call. Throws
   * PolicyError when prompt and maxTokens exceed the context.
   */
  sample(request: SampleRequest, arrived?: Arrived): Promise<readonly (readonly Completion[])[]>;

  /** Log-probability of each completion token at temperature 1, `[sequence][time]`. */
  logprobs(sequences: readonly TokenSequence[], weights: WeightsName): Promise<readonly Float32Array[]>;

  /** One optimizer update of `current` from all rows. A gradient that is not finite changes nothing and says so. */
  update(rows: readonly TrainingRow[], options: UpdateOptions): Promise<UpdateReport>;

  /** Freezes the current weights under a name, replacing an earlier version of that name. */
  snapshot(name: WeightsName): Promise<void>;

  /**
   * Moves the weights of a snapshot towards the current ones: decay x snapshot + (1 - decay) x current. Throws
   * PolicyError without the capability `average` or such a snapshot.
   */
  average(name: WeightsName, decay: number): Promise<void>;

  /** The critic's value before each completion token, `[sequence][time]`. Throws PolicyError without the capability `critic`. */
  values(sequences: readonly TokenSequence[]): Promise<readonly Float32Array[]>;

  /** Writes the whole training state (weights, optimizer, snapshots) into an existing directory. */
  saveState(directory: string): Promise<void>;

  /** Restores what `saveState` wrote. Throws CheckpointError when it is not of this model. */
  loadState(directory: string): Promise<void>;

  /** Writes the current weights as a Hugging Face model folder into an existing directory. */
  exportModel(directory: string): Promise<void>;

  /** Releases everything. Further calls throw PolicyError. */
  close(): Promise<void>;
}

/** A sequence whose scored tokens may be others than those that it goes on with. */
export interface ScoredSequence extends TokenSequence {
  /** The tokens whose logprobs count, `[time]`; the completion's own when absent. */
  readonly targets?: readonly number[];
}

/** What `forwardBackward` found, before any step. */
export interface ForwardBackwardReport extends Pick<UpdateReport, "loss" | "clipFraction" | "tokens"> {
  /** Logprobs of the scored tokens, `[row][time]`. */
  readonly logprobs: readonly Float32Array[];
}

/** Several requests put together into one. */
export interface MergedSampleRequest extends SampleRequest {
  /** The seed and the place that each prompt had in its own request: it gets the completions that it would have got there. */
  readonly origins?: readonly { readonly seed: number; readonly prompt: number }[];
}

/**
 * What an engine offers beyond the port, so that it can be served to others: an update in its two halves, sequences
 * and requests as they come over the wire, and versions of the weights that are kept one by one.
 */
export interface ServablePolicy extends Policy {
  sample(request: MergedSampleRequest, arrived?: Arrived): Promise<readonly (readonly Completion[])[]>;
  logprobs(sequences: readonly ScoredSequence[], weights: WeightsName): Promise<readonly Float32Array[]>;

  /** Adds the gradient of the rows' loss, a weighted sum, to what was added since the last `optimizerStep`. */
  forwardBackward(rows: readonly (TrainingRow & ScoredSequence)[], objective: Objective): Promise<ForwardBackwardReport>;

  /** One update of `current` from the gradient that was added up, which is zero from then on. */
  optimizerStep(options: OptimizerOptions): Promise<Pick<UpdateReport, "gradientNorm" | "skipped">>;

  /** Forgets the gradient that was added up. `update` and `loadWeights` do so too. */
  dropGradient(): Promise<void>;

  /** Writes one version of the weights into an existing directory, and with `optimizer` the optimizer's state of now. */
  saveWeights(directory: string, weights: WeightsName, optimizer: boolean): Promise<void>;

  /**
   * Makes `current` what `saveWeights` wrote, with a new optimizer or with the one that was written. Throws
   * CheckpointError when that is damaged, of another model or of adapters of another shape, or has no optimizer.
   */
  loadWeights(directory: string, optimizer: boolean): Promise<void>;

  /** A snapshot of what `saveWeights` wrote. Throws CheckpointError like `loadWeights`. */
  loadSnapshot(name: WeightsName, directory: string): Promise<void>;

  /** Frees a snapshot's memory; a name that is unknown is forgotten already. */
  forget(name: WeightsName): Promise<void>;
}

/** The limits that inputs of a policy are checked against. */
export type PolicyLimits = Pick<PolicyDescription, "contextLength" | "vocabularySize">;

/** Throws PolicyError for a request whose prompts with `maxTokens` exceed the context, or whose tokens do not exist. */
export function checkRequest({ prompts, maxTokens }: SampleRequest, limits: PolicyLimits): void {
  if (!(maxTokens >= 1)) throw new PolicyError(`maxTokens is ${maxTokens}; a completion has at least one token.`);
  for (const prompt of prompts) checkTokens(prompt, maxTokens, limits);
}

/** Throws PolicyError for a sequence that exceeds the context, has tokens that do not exist or targets that are not aligned. */
export function checkSequence({ prompt, completion, targets = completion }: ScoredSequence, limits: PolicyLimits): void {
  checkTokens(prompt, completion.length, limits);
  checkVocabulary(completion, limits);
  checkVocabulary(targets, limits);
  if (targets.length !== completion.length) throw new PolicyError(`A sequence has ${targets.length} targets for a completion of ${completion.length} tokens.`);
}

/** Like `checkSequence`, and throws PolicyError for arrays that are not aligned with the completion. */
export function checkRow(row: TrainingRow & ScoredSequence, limits: PolicyLimits): void {
  checkSequence(row, limits);
  const { completion, logprobs, advantages, weights } = row;
  for (const [name, { length }] of Object.entries({ logprobs, advantages, weights, ...row.critic })) {
    if (length !== completion.length) throw new PolicyError(`A row has ${length} ${name} for a completion of ${completion.length} tokens.`);
  }
}

function checkTokens(prompt: readonly number[], completionLength: number, limits: PolicyLimits): void {
  if (prompt.length === 0) throw new PolicyError("A prompt has no tokens.");
  if (prompt.length + completionLength > limits.contextLength) {
    throw new PolicyError(
      `A prompt of ${prompt.length} tokens with a completion of up to ${completionLength} exceeds the model's context of ${limits.contextLength} tokens; shorten the prompt or lower max-tokens.`,
    );
  }
  checkVocabulary(prompt, limits);
}

function checkVocabulary(tokens: readonly number[], { vocabularySize }: PolicyLimits): void {
  const foreign = tokens.find((token) => !(Number.isInteger(token) && token >= 0 && token < vocabularySize));
  if (foreign !== undefined) throw new PolicyError(`Token ${foreign} is not in the model's vocabulary of ${vocabularySize}.`);
}
