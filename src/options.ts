/** The named choices of the method. The config offers them, `srt/` and the engines implement them. */

export const REWARD_SOURCES = ["majority", "share", "consensus", "offline-labels", "mixed", "ground-truth", "random", "format", "wrong-label"] as const;
export type RewardName = (typeof REWARD_SOURCES)[number];

/** Who votes on the pseudo-label: the samples themselves, or a teacher made of other weights. */
export const TEACHERS = ["none", "average", "snapshot", "start"] as const;
export type TeacherKind = (typeof TEACHERS)[number];

/** How the majority share is counted against the threshold: over samples with an answer, or over all. */
export const SHARE_DENOMINATORS = ["answered", "all"] as const;
export type ShareDenominator = (typeof SHARE_DENOMINATORS)[number];

export const ADVANTAGE_ESTIMATORS = [
  "rloo", "grpo", "dr-grpo", "reinforce", "reinforce-baseline", "reinforce++", "reinforce++-baseline", "remax", "gae",
] as const;
export type AdvantageEstimator = (typeof ADVANTAGE_ESTIMATORS)[number];

export const KL_ESTIMATORS = ["k1", "k2", "k3"] as const;
export type KlEstimator = (typeof KL_ESTIMATORS)[number];

/** Where the KL penalty acts: off the reward of a completion, or on the loss of each token. */
export const KL_PLACEMENTS = ["reward", "loss"] as const;
export type KlPlacement = (typeof KL_PLACEMENTS)[number];

export const LOSS_AGGREGATIONS = ["token-mean", "sequence-mean"] as const;
export type LossAggregation = (typeof LOSS_AGGREGATIONS)[number];

export const POLICY_LOSSES = ["importance-sampling", "ppo"] as const;

/** Where a final answer is read: only in a box, or by every rule. */
export const ANSWER_READINGS = ["boxed", "any"] as const;
export type AnswerReading = (typeof ANSWER_READINGS)[number];

/** Whether a prompt goes through the model's chat template, where it has one. */
export const CHAT_MODES = ["auto", "none"] as const;
export type ChatMode = (typeof CHAT_MODES)[number];

/** The paper's prompt (authors' data_preprocess). */
export const PAPER_TEMPLATE = "{problem} Let's think step by step and output the final answer within \\boxed{}.";

/** The linear layers of a decoder that can be adapted (LoRA), by their names in model files. */
export const LORA_TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] as const;
export type LoraTarget = (typeof LORA_TARGETS)[number];

/** Number formats of saved models. */
export const SAVE_DTYPES = ["float32", "bfloat16"] as const;
export type SaveDtype = (typeof SAVE_DTYPES)[number];

/** Where a model runs: embedded, or on a training server. */
export const ENGINES = ["onnx", "tinker"] as const;

/** How a training server reduces the losses of tokens and datums; `auto` finds out. */
export const LOSS_REDUCTIONS = ["auto", "sum", "mean"] as const;
export type LossReduction = (typeof LOSS_REDUCTIONS)[number];
