import { z } from "zod";
import {
  ADVANTAGE_ESTIMATORS, ANSWER_READINGS, CHAT_MODES, ENGINES, KL_ESTIMATORS, KL_PLACEMENTS, LORA_TARGETS, LOSS_AGGREGATIONS, LOSS_REDUCTIONS, POLICY_LOSSES, REWARD_SOURCES, SAVE_DTYPES,
  SHARE_DENOMINATORS, TEACHERS,
} from "./options.ts";
import type { LoraTarget } from "./options.ts";

/**
 * The one schema of a training run. Types, flags, help and documentation are derived from it. Keys are
 * camelCase here and kebab-case in files and flags. Defaults are the paper's (arXiv 2505.21444, v2)
 * unless the description says otherwise.
 */
const count = () => z.int().positive();
const coefficient = () => z.number().nonnegative();
const source = () => z.string().min(1);
const ALL_LINEAR = "all-linear";
const targetNames = () => z.string().refine((text) => text === ALL_LINEAR || text.split(",").every(isTarget));

export const configSchema = z.strictObject({
  seed: z.int().nonnegative().default(0).describe("Seed of every random draw: data order, samples, evaluation."),
  model: z.string().min(1).default("builtin").describe("Model to train: `builtin`, a Hugging Face model folder, or an id of its hub, `OWNER/NAME` or `OWNER/NAME@REVISION`."),
  engine: z
    .strictObject({
      kind: z.enum(ENGINES).default("onnx").describe("Where the model runs: `onnx` is the embedded CPU engine, `tinker` a training server (docs/scaling.md)."),
      threads: z.int().nonnegative().default(0).describe("CPU threads of the embedded engine; 0 uses every core."),
      url: z.string().default("").describe("Address of the training server, http://127.0.0.1:8000 say; its key, where it has one, is read from the environment variable TINKER_API_KEY."),
      baseModel: z.string().default("").describe("The training server's own name of `model`; without one, the only model that it has."),
      concurrency: count().default(64).describe("Prompts that a training server samples at once."),
      resultTimeout: count().default(3600).describe("Seconds for which a training server may work at one request; where it has no result by then, the run stops, to be continued from its last checkpoint."),
      lossReduction: z.enum(LOSS_REDUCTIONS).default("auto").describe("Whether the training server sums losses or takes their mean; `auto` finds out."),
    })
    .prefault({}),
  lora: z
    .strictObject({
      rank: z.int().nonnegative().default(0).describe("Rank of LoRA adapters (arXiv 2106.09685), trained in place of the model's weights; 0 trains the weights. Adapters usually take a learning rate about ten times as high."),
      alpha: z.number().positive().default(32).describe("What adapters add is scaled by this, divided by the rank."),
      targets: z
        .union([targetNames(), z.array(z.enum(LORA_TARGETS)).min(1)])
        .meta({ expected: `\`${ALL_LINEAR}\`, or names of ${LORA_TARGETS.map((target) => `\`${target}\``).join(", ")}, separated by commas` })
        .default(ALL_LINEAR)
        .describe("Linear layers with adapters: `all-linear` is all but the output layer."),
    })
    .prefault({}),
  saveDtype: z.enum(SAVE_DTYPES).default("float32").describe("Number format of the saved model; checkpoints are always float32."),

  train: z
    .union([source(), z.array(z.union([source(), z.strictObject({ source: source(), weight: z.number().positive().optional(), steps: count().optional() })])).min(1)])
    .meta({ expected: "a source, or a list of sources, each alone or as {source, weight} or {source, steps}" })
    .describe("Training questions: `task:FAMILY/LEVEL` (generated), a .jsonl, .csv or .parquet file, a preset, or `hub:OWNER/NAME:SPLIT`; in a file also a list of these, mixed by weights or one after the other by steps (docs/data.md)."),
  trainProblems: z.int().nonnegative().default(0).describe("Questions to take from `train`; 0 takes all (a task needs a number)."),
  heldOut: z.string().default("").describe("Labelled questions for evaluation, never trained on: any one source that `train` can be. Without any, nothing is evaluated."),
  heldOutProblems: z.int().nonnegative().default(0).describe("Questions to take from `held-out`; 0 takes all (a task needs a number)."),
  dataDir: z.string().default("").describe("Folder with the files of presets (docs/data.md names them); without one they are fetched from the hub."),
  maxPromptTokens: count().default(1024).describe("Questions whose prompt has more tokens are left out (authors' script: 1024)."),
  fields: z
    .strictObject({
      id: z.string().min(1).default("id").describe("Field of a row that holds its id."),
      prompt: z.string().min(1).default("problem").describe("Field of a row that holds the question."),
      answer: z.string().min(1).default("answer").describe("Field of a row that holds the true answer."),
    })
    .prefault({}),
  template: z
    .union([z.literal(""), z.string().includes("{problem}")])
    .default("")
    .meta({ expected: "text that contains `{problem}`" })
    .describe("Prompt made from a question, which replaces `{problem}`; without one, the data's own (docs/data.md), else the paper's: `{problem} Let's think step by step and output the final answer within \\boxed{}.`."),

  chat: z.enum(CHAT_MODES).default("auto").describe("Whether prompts go through the model's chat template: `auto`, where it has one (authors' code), or `none`, as they are."),
  stopAt: z.string().default("").describe("Text at which a completion ends, with the first token that contains it, beside the model's own end tokens; a line break, say, after solved examples, which a model would go on with."),
  answers: z
    .enum(ANSWER_READINGS)
    .default("boxed")
    .describe("Where final answers are read: `boxed` only in \\boxed{} (authors' code), so that no number in passing is ever paid; `any` also after phrases such as `the answer is`, in the last mathematics, or as the last number."),

  reward: z
    .enum(REWARD_SOURCES)
    .default("majority")
    .describe("What a completion earns: by the vote `majority` (SRT), `share` (soft vote) or `consensus` (RESTRAIN); `offline-labels` from the file `labels`; `mixed`, true answers where the data has them and the vote elsewhere; as controls `ground-truth`, `random`, `format` and `wrong-label`."),
  threshold: z.number().min(0).max(1).default(0).describe("Groups with a smaller majority share get no label, no reward and no KL (authors' script: 0); with the reward `consensus` they are pushed down. The rewards `majority`, `mixed` and `consensus` read it."),
  margin: z.number().min(0).max(1).default(0).describe("Groups whose majority leads by a smaller share get no label either (0: none). The rewards `majority` and `mixed` read it."),
  negativeShare: z.number().min(0).max(1).default(0).describe("With the reward `majority`, answers with a smaller share of the votes earn -1, also in groups without a label (0: none)."),
  share: z.enum(SHARE_DENOMINATORS).default("all").describe("Denominator of the majority share: samples with an answer, or all samples. Not the authors' choice: they leave unreadable samples out."),
  consensusWidth: z.number().positive().default(0.5).describe("With the reward `consensus`, width of the bell over the share of an answer (RESTRAIN names no value)."),
  consensusPenalty: coefficient().default(1).describe("With the reward `consensus`, taken off the advantages of groups below `threshold` (RESTRAIN names no value)."),
  labels: z.string().default("").describe("File of votes by `selftrain label`: the labels of the reward `offline-labels`, and weights of problems for `consensus`."),
  labelledFraction: z.number().min(0).max(1).default(1).describe("With the reward `mixed`, the part of the questions that keeps its true answer, chosen by seed."),
  crossLabels: z.boolean().default(false).describe("Whether each question is also asked in other words (field `paraphrase`), and each wording judged by the vote on the other (Co-rewarding)."),
  maskAnswer: z.boolean().default(false).describe("Whether the tokens of the final answer are left out of the loss (OM-GRPO)."),
  keepFraction: z.number().gt(0).max(1).default(1).describe("More questions than `prompts-per-step` are sampled, so that this part of them, with the largest majority share, trains (authors' script: 1)."),
  teacher: z
    .strictObject({
      kind: z.enum(TEACHERS).default("none").describe("Who votes: `none`, the completions that are rewarded (SRT); `average`, a moving average of the weights; `snapshot`, the weights of some steps ago; `start`, those that the run began with."),
      decay: z.number().min(0).max(1).default(0.99).describe("With `average`, what part of the teacher stays each time that it follows."),
      every: count().default(1).describe("Steps after which an `average` or a `snapshot` follows the policy."),
      samples: z.int().nonnegative().default(0).describe("The teacher's votes on each question; 0 is as many as `samples-per-prompt`."),
      ownVotes: z.boolean().default(false).describe("Whether the completions that are rewarded vote as well."),
    })
    .prefault({}),
  algorithm: z.enum(ADVANTAGE_ESTIMATORS).default("rloo").describe("Advantage estimator (paper section 4: rloo); `gae` is that of PPO and needs an engine with a critic."),
  loss: z.enum(POLICY_LOSSES).default("ppo").describe("Policy loss (authors' code: ppo; equal to importance-sampling with one update per batch)."),
  clipLow: z.number().min(0).max(1).default(0.2).describe("The ppo loss clips the ratio below 1 - this (authors' code: 0.2)."),
  clipHigh: coefficient().default(0.2).describe("The ppo loss clips the ratio above 1 + this (authors' code: 0.2)."),
  dualClip: z.number().nonnegative().default(0).describe("The ppo loss of a negative advantage is at most this many times it; 0 for no such limit (authors' code: 3, without effect at one update per batch)."),
  criticCoefficient: coefficient().default(0.5).describe("With `gae`, weight of the critic's loss (PPO's usual)."),
  criticClip: z.number().positive().default(0.5).describe("With `gae`, how far a value may move in the critic's loss (authors' code: 0.5)."),
  epochs: count().default(1).describe("Passes over the completions of a step (authors' code: 1)."),
  miniBatches: count().default(1).describe("Updates of each pass (authors' code: 1)."),
  lossAggregation: z.enum(LOSS_AGGREGATIONS).default("token-mean").describe("Mean over all tokens of the batch (authors' code) or over completions (paper, appendix B.1)."),
  klCoefficient: coefficient().default(0.001).describe("Weight of the KL penalty (paper, appendix B.3)."),
  klEstimator: z.enum(KL_ESTIMATORS).default("k1").describe("KL estimate. Not the authors' choice: their k3 hardly pulls back when used as a reward."),
  klPlacement: z.enum(KL_PLACEMENTS).default("reward").describe("Whether the KL penalty is taken off the reward (paper, for rloo) or added to the loss (paper, for grpo)."),
  klTarget: coefficient().default(0).describe("KL of a completion, in nats, towards which the coefficient adapts; 0 keeps it fixed (authors' code: fixed)."),
  klHorizon: z.number().positive().default(10000).describe("Completions over which an adaptive coefficient adapts (authors' code: 10000)."),
  entropyCoefficient: z.number().default(0).describe("Weight of an entropy bonus. Not the authors' choice: their code has 0.001, and their appendix G.5 finds that more collapses sooner."),

  steps: count().default(1000).describe("Training steps; the paper counts epochs of its data set instead."),
  promptsPerStep: count().default(16).describe("Questions of one step (paper, appendix B)."),
  samplesPerPrompt: z.int().min(2).default(32).describe("Completions sampled for each question (paper, appendix B)."),
  temperature: z.number().positive().default(1).describe("Sampling temperature (paper, appendix B.3)."),
  topP: z.number().gt(0).max(1).default(1).describe("Nucleus sampling mass; 1 keeps every token (authors' code: 1)."),
  topK: z.int().nonnegative().default(0).describe("Most likely tokens kept in sampling; 0 keeps every token (authors' code: every token)."),
  maxTokens: count().default(3072).describe("Most tokens of a completion (paper, appendix B)."),

  learningRate: coefficient().default(1e-6).describe("AdamW learning rate, constant (paper, appendix B.3)."),
  beta1: z.number().min(0).lt(1).default(0.9).describe("AdamW decay of the first moment (authors' code: 0.9)."),
  beta2: z.number().min(0).lt(1).default(0.999).describe("AdamW decay of the second moment (authors' code: 0.999)."),
  epsilon: z.number().positive().default(1e-8).describe("AdamW epsilon (PyTorch's default)."),
  weightDecay: coefficient().default(0.01).describe("AdamW weight decay (authors' code: 0.01)."),
  maxGradientNorm: z.number().positive().default(1).describe("Gradients with a larger L2 norm are scaled down to it (authors' code: 1)."),

  evaluateEvery: count().default(100).describe("Steps between evaluations on `held-out` (authors' script: 100)."),
  evaluateSamples: count().default(32).describe("Completions per held-out question: pass@1 is their mean, maj@k their vote (authors' script: 32)."),
  evaluateTemperature: z.number().nonnegative().default(1).describe("Sampling temperature of evaluation (paper, appendix B.3)."),
  validation: z.string().default("").describe("Labelled questions for early stopping, from any one source that `train` can be: the run ends with the weights that were best on them (paper: 1 % of the data)."),
  validationProblems: z.int().nonnegative().default(0).describe("Questions to take from `validation`; 0 takes all (a task needs a number)."),
  patience: z.int().nonnegative().default(0).describe("Validations without a new best after which the run stops; 0 never stops it before its last step."),
  stopOnCollapse: z.boolean().default(false).describe("Whether the run stops, without labels, when its signs say that it agrees with itself instead of being right, and goes back to the last checkpoint from before (wants `start-votes`)."),
  startVotes: z.int().nonnegative().default(0).describe("Votes of the model that the run started from, on each question when it is first seen: with them the metrics say how far the run agrees with it (0: none)."),
  probe: z
    .strictObject({
      source: z.string().default("").describe("Questions of the kind that the run should stay able to do, from any one source that `train` can be; their answers, where there are any, are not looked at. After each step the run sees on them whether it still gives what the first model was sure of (wants `start-votes`): the sign of collapse that comes in time."),
      problems: z.int().nonnegative().default(0).describe("Questions to take from `probe.source`; 0 takes all (a task needs a number)."),
      samples: z.int().min(2).default(4).describe("Completions for each question of a probe."),
      every: count().default(1).describe("Steps from one probe to the next."),
    })
    .prefault({}),
  checkpointEvery: count().default(100).describe("Steps between checkpoints, at most 8 with `stop-on-collapse`; the last step is always saved."),
  checkpointsKept: z.int().min(2).default(2).describe("Newest checkpoints to keep; at least 2, so that a damaged one has a predecessor."),
  recordSamplesEvery: count().default(10).describe("Steps between recordings of all completions to samples/."),
  tensorboard: z.boolean().default(false).describe("Whether the figures of every step and evaluation also go to tensorboard/ in the run directory, for TensorBoard (docs/watching.md)."),
});

/** A complete config: every default filled in. */
export type Config = z.output<typeof configSchema>;
/** What a person writes: only keys without a default are required. */
export type ConfigInput = z.input<typeof configSchema>;

/** The linear layers that the key `lora.targets` names, in the order of the model. */
export function loraTargets({ targets }: Config["lora"]): readonly LoraTarget[] {
  if (targets === ALL_LINEAR) return LORA_TARGETS;
  const named = new Set<string>(typeof targets === "string" ? targets.split(",") : targets);
  return LORA_TARGETS.filter((target) => named.has(target));
}

function isTarget(name: string): boolean {
  return (LORA_TARGETS as readonly string[]).includes(name);
}

/**
 * One source of training questions. Without weights and steps anywhere, each is taken whole; with steps, sources are
 * stages, trained on one after the other.
 */
export interface TrainSource {
  readonly source: string;
  readonly weight: number | null;
  readonly steps: number | null;
}

/** The sources that the key `train` names. */
export function trainSources({ train }: Pick<Config, "train">): readonly TrainSource[] {
  return (typeof train === "string" ? [train] : train).map((entry) =>
    typeof entry === "string" ? { source: entry, weight: null, steps: null } : { source: entry.source, weight: entry.weight ?? null, steps: entry.steps ?? null },
  );
}

/** Whether the sources of `train` are stages. */
export function isStaged(config: Pick<Config, "train">): boolean {
  return trainSources(config).some(({ steps }) => steps !== null);
}

/** Questions that are sampled in a step; `keep-fraction` leaves some of them out of its update. */
export function sampledPrompts({ promptsPerStep, keepFraction }: Pick<Config, "promptsPerStep" | "keepFraction">): number {
  // 21 / 0.35 is 60.00000000000001.
  return Math.ceil(promptsPerStep / keepFraction - 1e-9);
}
