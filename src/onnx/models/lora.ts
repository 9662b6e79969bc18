import type { LoraTarget } from "../../options.ts";
import type { GraphBuilder, Value } from "../graph/builder.ts";
import { linear } from "../graph/matmul.ts";
import { add } from "../graph/operations.ts";
import type { DecoderConfiguration, LoraShape } from "./configuration.ts";
import { createLayout } from "./parameters.ts";
import type { ParameterLayout } from "./parameters.ts";

/** A linear layer with an adapter. */
export interface AdaptedModule {
  /** As in model files, without `.weight`, e.g. `model.layers.0.self_attn.q_proj`. */
  readonly name: string;
  /** Width of its input. */
  readonly input: number;
  readonly output: number;
}

/** Names of a module's two adapter matrices in PEFT's files. */
export function adapterNames(module: string): { readonly a: string; readonly b: string } {
  const prefix = `base_model.model.${module}`;
  return { a: `${prefix}.lora_A.weight`, b: `${prefix}.lora_B.weight` };
}

/** Every adapted layer of a decoder, from the first layer on. */
export function adaptedModules(config: DecoderConfiguration, { targets }: LoraShape): readonly AdaptedModule[] {
  const { width, feedForwardWidth, headWidth } = config;
  const [queryWidth, keyWidth] = [config.heads * headWidth, config.keyValueHeads * headWidth];
  const places: Readonly<Record<LoraTarget, AdaptedModule>> = {
    q_proj: { name: "self_attn.q_proj", input: width, output: queryWidth },
    k_proj: { name: "self_attn.k_proj", input: width, output: keyWidth },
    v_proj: { name: "self_attn.v_proj", input: width, output: keyWidth },
    o_proj: { name: "self_attn.o_proj", input: queryWidth, output: width },
    gate_proj: { name: "mlp.gate_proj", input: width, output: feedForwardWidth },
    up_proj: { name: "mlp.up_proj", input: width, output: feedForwardWidth },
    down_proj: { name: "mlp.down_proj", input: feedForwardWidth, output: width },
  };
  const layers = Array.from({ length: config.layers }, (_, layer) => `model.layers.${layer}.`);
  return layers.flatMap((layer) => targets.map((target) => ({ ...places[target], name: layer + places[target].name })));
}

/** Layout of the adapters' parameters: A, then B of each adapted layer; names as in PEFT's files. */
export function adapterLayout(config: DecoderConfiguration, lora: LoraShape): ParameterLayout {
  return createLayout(
    adaptedModules(config, lora).flatMap(({ name, input, output }) => {
      const { a, b } = adapterNames(name);
      const tensors = [[a, [lora.rank, input]], [b, [output, lora.rank]]] as const;
      return tensors.map((tensor) => ({ name: tensor[0], parts: [tensor] }));
    }),
  );
}

/** Adds to the output of a layer what its adapter, if it has one, makes of the input. */
export type Adapt = (module: string, input: Value, output: Value) => Value;

/** Declares the adapters of a configuration as parameters of the graph; none where it has no `lora`. */
export function declareAdapters(builder: GraphBuilder, config: DecoderConfiguration): { readonly all: readonly Value[]; readonly adapt: Adapt } {
  const { lora } = config;
  if (!lora) return { all: [], adapt: (_, __, output) => output };
  const all = adapterLayout(config, lora).graph.map(({ name, shape }) => builder.parameter(name, shape));
  const byName = new Map(all.map((value) => [value.name, value]));
  const adapt: Adapt = (module, input, output) => {
    const { a, b } = adapterNames(module);
    const [down, up] = [byName.get(a), byName.get(b)];
    if (!down || !up) return output;
    return add(builder, output, linear(builder, linear(builder, input, down), up, lora.alpha / lora.rank));
  };
  return { all, adapt };
}
