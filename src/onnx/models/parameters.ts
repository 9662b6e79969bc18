import type { DecoderConfiguration } from "./configuration.ts";

/** A piece of the flat parameter array. */
export interface ParameterTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Index of its first element. */
  readonly offset: number;
  /** Number of elements. */
  readonly size: number;
}

/**
 * All parameters of a model lie in one flat array, so that the optimizer, clipping and checkpoints know
 * nothing of layers. There are two views of it: by the names of the Hugging Face file, and as the graphs
 * take them, where weights that share an input (q, k, v; gate and up) are one matrix. Since a weight is
 * [out, in], the joint matrix is simply its parts one after the other.
 */
export interface ParameterLayout {
  readonly size: number;
  readonly stored: readonly ParameterTensor[];
  readonly graph: readonly ParameterTensor[];
}

/** A tensor as the graphs take it, and its parts as files name them. */
interface Joint {
  readonly name: string;
  readonly parts: readonly (readonly [name: string, shape: readonly number[]])[];
}

/** Layout of a decoder's parameters; names as in the model's safetensors file. */
export function parameterLayout(config: DecoderConfiguration): ParameterLayout {
  return createLayout(jointTensors(config));
}

/** Lays tensors out one after the other. */
export function createLayout(joints: readonly Joint[]): ParameterLayout {
  const stored: ParameterTensor[] = [];
  const graph: ParameterTensor[] = [];
  let offset = 0;
  for (const { name, parts } of joints) {
    const start = offset;
    for (const [part, shape] of parts) {
      const size = shape.reduce((product, length) => product * length, 1);
      stored.push({ name: part, shape, offset, size });
      offset += size;
    }
    const [rows, ...rest] = parts[0]![1];
    const shape = [parts.reduce((total, [, part]) => total + part[0]!, 0), ...rest];
    graph.push({ name, shape: parts.length === 1 ? [rows!, ...rest] : shape, offset: start, size: offset - start });
  }
  return { size: offset, stored, graph };
}

const single = (name: string, shape: readonly number[]): Joint => ({ name, parts: [[name, shape]] });

function jointTensors(config: DecoderConfiguration): Joint[] {
  const { width, headWidth, heads, keyValueHeads, feedForwardWidth } = config;
  const layers = Array.from({ length: config.layers }, (_, layer): Joint[] => {
    const prefix = `model.layers.${layer}.`;
    return [
      single(`${prefix}input_layernorm.weight`, [width]),
      {
        name: `${prefix}self_attn.qkv`,
        parts: [
          [`${prefix}self_attn.q_proj.weight`, [heads * headWidth, width]],
          [`${prefix}self_attn.k_proj.weight`, [keyValueHeads * headWidth, width]],
          [`${prefix}self_attn.v_proj.weight`, [keyValueHeads * headWidth, width]],
        ],
      },
      ...(config.attentionBias ? [queryKeyValueBias(prefix, config)] : []),
      ...(config.queryKeyNorm ? [single(`${prefix}self_attn.q_norm.weight`, [headWidth]), single(`${prefix}self_attn.k_norm.weight`, [headWidth])] : []),
      single(`${prefix}self_attn.o_proj.weight`, [width, heads * headWidth]),
      single(`${prefix}post_attention_layernorm.weight`, [width]),
      {
        name: `${prefix}mlp.gate_up`,
        parts: [
          [`${prefix}mlp.gate_proj.weight`, [feedForwardWidth, width]],
          [`${prefix}mlp.up_proj.weight`, [feedForwardWidth, width]],
        ],
      },
      single(`${prefix}mlp.down_proj.weight`, [width, feedForwardWidth]),
    ];
  }).flat();
  return [
    single("model.embed_tokens.weight", [config.vocabularySize, width]),
    ...layers,
    single("model.norm.weight", [width]),
    ...(config.tiedEmbeddings ? [] : [single("lm_head.weight", [config.vocabularySize, width])]),
  ];
}

function queryKeyValueBias(prefix: string, { heads, keyValueHeads, headWidth }: DecoderConfiguration): Joint {
  const widths = { q: heads * headWidth, k: keyValueHeads * headWidth, v: keyValueHeads * headWidth };
  return {
    name: `${prefix}self_attn.qkv_bias`,
    parts: Object.entries(widths).map(([letter, width]) => [`${prefix}self_attn.${letter}_proj.bias`, [width]] as const),
  };
}
