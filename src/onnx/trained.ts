import { join } from "node:path";
import type { SaveDtype } from "../options.ts";
import { initialAdapters, mergedTensors, saveAdapters } from "./lora.ts";
import type { LoraOptions } from "./lora.ts";
import { saveModel, storedTensors } from "./model-folder.ts";
import type { LoadedModel } from "./model-folder.ts";
import type { DecoderConfiguration } from "./models/configuration.ts";
import { withValueHead } from "./models/critic.ts";
import { adapterLayout } from "./models/lora.ts";
import type { ParameterLayout } from "./models/parameters.ts";
import { fingerprint } from "./state.ts";
import { createWeights } from "./weights.ts";
import type { Weights } from "./weights.ts";

/** What is trained, a model's own weights or adapters of them, with or without a critic, and what follows from that. */
export interface Trained {
  /** Shape of the graphs. */
  readonly config: DecoderConfiguration;
  /** Layout of the trained parameters. */
  readonly layout: ParameterLayout;
  /** Their values at the start. */
  readonly start: Float32Array;
  /** A version of the weights with these values of the trained parameters; the array is not copied. */
  readonly versionOf: (flat: Float32Array) => Weights;
  /** Tells this start apart from any other. */
  readonly origin: () => string;
  /** Tells apart what is trained, whatever its values at the start: weights of one kind can be exchanged. */
  readonly kind: () => string;
  /** Writes the whole model with these values as a Hugging Face folder into an existing directory. */
  readonly save: (directory: string, flat: Float32Array) => Promise<void>;
}

/** Where a saved model takes its configuration and tokenizer from, and the number format of its weights. */
export interface SaveOptions {
  readonly source: string;
  readonly dtype: SaveDtype;
}

/** Training of every parameter of a model. */
export function trainedModel({ config, layout, flat: start }: LoadedModel, { source, dtype }: SaveOptions): Trained {
  return {
    config,
    layout,
    start,
    versionOf: (flat) => createWeights(flat, layout),
    origin: () => fingerprint([start]),
    kind: () => fingerprint([start]),
    save: (directory, flat) => saveModel(directory, source, storedTensors(flat, layout), dtype),
  };
}

/**
 * Training of adapters. The model's own weights are in memory once, for all versions: the reference is what
 * they are with adapters that add nothing. Beside the merged model, the adapters are saved in `adapter/`;
 * next to its `config.json` they would be taken for a change of the merged weights.
 */
export function trainedAdapters(model: LoadedModel, lora: LoraOptions, { source, dtype }: SaveOptions): Trained {
  const { rank, alpha, targets } = lora;
  const config = { ...model.config, lora: { rank, alpha, targets } };
  const layout = adapterLayout(config, lora);
  const frozen = createWeights(model.flat, model.layout).feeds;
  const start = initialAdapters(layout, lora.seed);
  return {
    config,
    layout,
    start,
    versionOf: (flat) => createWeights(flat, layout, frozen),
    origin: () => fingerprint([model.flat, start, JSON.stringify(config.lora)]),
    kind: () => fingerprint([model.flat, JSON.stringify(config.lora)]),
    save: async (directory, flat) => {
      await saveModel(directory, source, mergedTensors(model, flat, layout, lora), dtype);
      await saveAdapters(join(directory, "adapter"), flat, layout, lora);
    },
  };
}

/** Training of a critic beside the rest: a value head behind the other parameters, zero at the start, that is not saved with the model. */
export function trainedCritic(trained: Trained): Trained {
  const config = { ...trained.config, critic: true };
  const layout = withValueHead(trained.layout, config);
  const start = new Float32Array(layout.size);
  start.set(trained.start);
  const withoutHead = (flat: Float32Array): Float32Array => flat.subarray(0, trained.layout.size);
  return {
    ...trained,
    config,
    layout,
    start,
    versionOf: (flat) => createWeights(flat, layout, trained.versionOf(withoutHead(flat)).feeds),
    save: (directory, flat) => trained.save(directory, withoutHead(flat)),
  };
}
