import { z } from "zod";
import { ModelError } from "../../errors.ts";

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
  /** The output layer is the embedding table. */
  readonly tiedEmbeddings: boolean;
  readonly contextLength: number;
}

const count = z.int().positive();
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
  rope_scaling: z.unknown().optional(),
  rope_parameters: z.object({ rope_theta: z.number().positive(), rope_type: z.string().default("default") }).nullish(),
  tie_word_embeddings: z.boolean().default(false),
  max_position_embeddings: count,
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  hidden_act: z.string().default("silu"),
});

export const SUPPORTED_ARCHITECTURES = ["LlamaForCausalLM"] as const;

/** Reads a model folder's parsed `config.json`. Throws ModelError for what the engine does not support. */
export function parseConfiguration(json: unknown, file: string): DecoderConfiguration {
  const parsed = huggingFaceConfig.safeParse(json);
  if (!parsed.success) throw new ModelError(`${file}: ${z.prettifyError(parsed.error).replaceAll("\n", " ")}`);
  const config = parsed.data;
  const architecture = config.architectures[0]!;
  if (!SUPPORTED_ARCHITECTURES.some((name) => name === architecture)) {
    throw new ModelError(`${file}: architecture ${architecture} is not supported; supported: ${SUPPORTED_ARCHITECTURES.join(", ")}.`);
  }
  const unsupported = unsupportedFeature(config);
  if (unsupported) throw new ModelError(`${file}: ${unsupported} is not supported.`);
  const keyValueHeads = config.num_key_value_heads ?? config.num_attention_heads;
  if (config.num_attention_heads % keyValueHeads !== 0) {
    throw new ModelError(`${file}: num_attention_heads (${config.num_attention_heads}) must be divisible by num_key_value_heads (${keyValueHeads}).`);
  }
  return {
    vocabularySize: config.vocab_size,
    width: config.hidden_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    keyValueHeads,
    headWidth: config.head_dim ?? config.hidden_size / config.num_attention_heads,
    feedForwardWidth: config.intermediate_size,
    normEpsilon: config.rms_norm_eps,
    ropeTheta: config.rope_parameters?.rope_theta ?? config.rope_theta ?? 10_000,
    tiedEmbeddings: config.tie_word_embeddings,
    contextLength: config.max_position_embeddings,
  };
}

function unsupportedFeature(config: z.output<typeof huggingFaceConfig>): string | null {
  if (config.attention_bias) return "attention_bias";
  if (config.mlp_bias) return "mlp_bias";
  if (config.hidden_act !== "silu") return `hidden_act ${config.hidden_act}`;
  if (config.rope_scaling !== undefined && config.rope_scaling !== null) return "rope_scaling";
  if (config.rope_parameters && config.rope_parameters.rope_type !== "default") return `rope_type ${config.rope_parameters.rope_type}`;
  return null;
}
