import { z } from "zod";
import { ModelError } from "../../errors.ts";
import type { LoraTarget } from "../../options.ts";

/** Shape of a decoder, in our words. */
export interface DecoderConfiguration {
  readonly vocabularySize: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Heads of keys and values; each serves heads / keyValueHeads query heads. */
  readonly keyValueHeads: number;
  readonly headWidth: number;
  readonly feedForwardWidth: number;
  readonly normEpsilon: number;
  readonly ropeTheta: number;
  /** Stretching of the slow rotations for contexts longer than those of the pretraining, or `null`. */
  readonly ropeScaling: RopeScaling | null;
  /** Queries, keys and values have a bias (Qwen2). */
  readonly attentionBias: boolean;
  /** Each head's query and key is normalized (Qwen3). */
  readonly queryKeyNorm: boolean;
  /** The output layer is the embedding table. */
  readonly tiedEmbeddings: boolean;
  readonly contextLength: number;
  /** The adapters that are trained in place of the parameters, or `null`. No part of `config.json`. */
  readonly lora: LoraShape | null;
  /** A value head is trained beside the rest. No part of `config.json`. */
  readonly critic: boolean;
}

/**
 * LoRA (Hu et al. 2021, arXiv 2106.09685): linear layers W x of the frozen model become
 * W x + alpha / rank * B A x, and only A [rank, in] and B [out, rank] are trained.
 */
export interface LoraShape {
  readonly rank: number;
  readonly alpha: number;
  /** Which linear layers, in every layer of the decoder. */
  readonly targets: readonly LoraTarget[];
}

/** The rotary scaling of Llama 3.1 (`rope_type: llama3`). */
export interface RopeScaling {
  readonly factor: number;
  readonly lowFrequencyFactor: number;
  readonly highFrequencyFactor: number;
  readonly originalContextLength: number;
}

const count = z.int().positive();
const rope = z.object({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: count.optional(),
});
const huggingFaceConfig = z.object({
  architectures: z.array(z.string()).min(1),
  vocab_size: count,
  hidden_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count.optional(),
  head_dim: count.nullish(),
  intermediate_size: count,
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().optional(),
  rope_scaling: rope.nullish(),
  /** Where newer versions of transformers write what `rope_theta` and `rope_scaling` were. */
  rope_parameters: rope.nullish(),
  tie_word_embeddings: z.boolean().default(false),
  max_position_embeddings: count,
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  use_sliding_window: z.boolean().default(false),
  hidden_act: z.string().default("silu"),
});
type HuggingFaceConfig = z.output<typeof huggingFaceConfig>;

/** The decoder families, and in what they differ. */
const ARCHITECTURES: Readonly<Record<string, Pick<DecoderConfiguration, "attentionBias" | "queryKeyNorm">>> = {
  LlamaForCausalLM: { attentionBias: false, queryKeyNorm: false },
  Qwen2ForCausalLM: { attentionBias: true, queryKeyNorm: false },
  Qwen3ForCausalLM: { attentionBias: false, queryKeyNorm: true },
};

/** Reads a model folder's parsed `config.json`. Throws ModelError for what the engine does not support. */
export function parseConfiguration(json: unknown, file: string): DecoderConfiguration {
  const parsed = huggingFaceConfig.safeParse(json);
  if (!parsed.success) throw new ModelError(`${file}: ${z.prettifyError(parsed.error).replaceAll("\n", " ")}`);
  const config = parsed.data;
  const architecture = config.architectures[0]!;
  const family = ARCHITECTURES[architecture];
  if (!family) {
    throw new ModelError(`${file}: architecture ${architecture} is not supported; supported: ${Object.keys(ARCHITECTURES).join(", ")}.`);
  }
  const unsupported = unsupportedFeature(config);
  if (unsupported) throw new ModelError(`${file}: ${unsupported} is not supported.`);
  const keyValueHeads = config.num_key_value_heads ?? config.num_attention_heads;
  if (config.num_attention_heads % keyValueHeads !== 0) {
    throw new ModelError(`${file}: num_attention_heads (${config.num_attention_heads}) must be divisible by num_key_value_heads (${keyValueHeads}).`);
  }
  return {
    ...family,
    vocabularySize: config.vocab_size,
    width: config.hidden_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    keyValueHeads,
    headWidth: config.head_dim ?? config.hidden_size / config.num_attention_heads,
    feedForwardWidth: config.intermediate_size,
    normEpsilon: config.rms_norm_eps,
    ropeTheta: config.rope_parameters?.rope_theta ?? config.rope_theta ?? 10_000,
    ropeScaling: ropeScaling(config, file),
    tiedEmbeddings: config.tie_word_embeddings,
    contextLength: config.max_position_embeddings,
    lora: null,
    critic: false,
  };
}

function ropeScaling({ rope_parameters, rope_scaling }: HuggingFaceConfig, file: string): RopeScaling | null {
  const settings = rope_parameters ?? rope_scaling;
  const type = settings?.rope_type ?? settings?.type ?? "default";
  if (!settings || type === "default") return null;
  const { factor, low_freq_factor, high_freq_factor, original_max_position_embeddings } = settings;
  if (type !== "llama3") throw new ModelError(`${file}: rope_type ${type} is not supported; supported: default, llama3.`);
  if (!factor || !low_freq_factor || !high_freq_factor || !original_max_position_embeddings) {
    throw new ModelError(`${file}: rope_type llama3 needs factor, low_freq_factor, high_freq_factor and original_max_position_embeddings.`);
  }
  return { factor, lowFrequencyFactor: low_freq_factor, highFrequencyFactor: high_freq_factor, originalContextLength: original_max_position_embeddings };
}

function unsupportedFeature(config: HuggingFaceConfig): string | null {
  if (config.attention_bias) return "attention_bias";
  if (config.mlp_bias) return "mlp_bias";
  if (config.use_sliding_window) return "use_sliding_window";
  if (config.hidden_act !== "silu") return `hidden_act ${config.hidden_act}`;
  return null;
}
