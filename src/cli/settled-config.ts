import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import type { Config } from "../config.ts";
import { isFileSource } from "../data/index.ts";

/**
 * The config as a run keeps it, so that resuming finds the same from any folder: `model` as `localModel` names
 * it, the number of threads that were used (the last bits of results depend on it), absolute paths.
 */
export function settledConfig(config: Config, model: string): Config {
  const { engine, train, heldOut, labels, dataDir } = config;
  return {
    ...config,
    model,
    engine: { ...engine, threads: engine.threads === 0 ? availableParallelism() : engine.threads },
    train: typeof train === "string" ? absolute(train) : train.map((entry) => (typeof entry === "string" ? absolute(entry) : { ...entry, source: absolute(entry.source) })),
    // Empty is no file and no folder, not the current one.
    heldOut: heldOut === "" ? "" : absolute(heldOut),
    labels: labels === "" ? "" : resolve(labels),
    dataDir: dataDir === "" ? "" : resolve(dataDir),
  };
}

function absolute(source: string): string {
  return isFileSource(source) ? resolve(source) : source;
}
