import { loraTargets } from "../config.ts";
import type { Config } from "../config.ts";
import type { Policy } from "../policy.ts";
import type { TinkerOptions } from "../tinker/index.ts";
import { deriveSeed } from "../util/random.ts";

/** The keys of a config that say where and how a model runs. */
export type EngineConfig = Pick<Config, "engine" | "lora" | "model" | "saveDtype" | "seed" | "algorithm">;

/**
 * A policy on the model that lies in `folder` and is named in the config. The engine is loaded only when a
 * model is run: other commands start without its native code.
 */
export async function createPolicy(config: EngineConfig, folder: string, warn: (message: string) => void): Promise<Policy> {
  const { engine, lora, model, saveDtype, algorithm } = config;
  if (engine.kind === "tinker") {
    const { createTinkerPolicy } = await import("../tinker/index.ts");
    return createTinkerPolicy(serverOptions(config, folder, warn));
  }
  const { createOnnxPolicy } = await import("../onnx/index.ts");
  const adapters = { ...adaptersOf(config), base: model === "builtin" ? folder : model };
  return createOnnxPolicy({ model: folder, threads: engine.threads, lora: lora.rank === 0 ? null : adapters, saveDtype, critic: algorithm === "gae" });
}

/** How the config's training server is asked for its model. */
export function serverOptions(config: Pick<EngineConfig, "engine" | "lora" | "seed">, folder: string, warn: (message: string) => void): TinkerOptions {
  const { url, baseModel, concurrency, resultTimeout, lossReduction } = config.engine;
  return { url, key: process.env["TINKER_API_KEY"] ?? null, baseModel, folder, lora: adaptersOf(config), lossReduction, concurrency, resultTimeout, warn };
}

function adaptersOf({ lora, seed }: Pick<EngineConfig, "lora" | "seed">) {
  return { rank: lora.rank, alpha: lora.alpha, targets: loraTargets(lora), seed: deriveSeed(seed, "adapters") };
}
