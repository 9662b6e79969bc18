import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import type { Config } from "../config.ts";
import { isFileSource } from "../data/index.ts";
import type { OpenedSource } from "../data/index.ts";
import { PAPER_TEMPLATE } from "../options.ts";
import type { Problem } from "../types.ts";

/** What a config turned out to mean. */
export interface Settlement {
  /** As `localModel` names it. */
  readonly model: string;
  readonly sources: readonly OpenedSource[];
  /** All questions of the run. */
  readonly problems: readonly Problem[];
}

/**
 * The config as a run keeps it, so that resuming finds the same from any folder and on any day: model and data
 * sets of the hub at their commits, absolute paths, the template where all questions have one, and the number
 * of threads that were used (the last bits of results depend on it).
 */
export function settledConfig(config: Config, { model, sources, problems }: Settlement): Config {
  const { engine, train, heldOut, validation, probe, labels, dataDir } = config;
  const pinned = new Map(sources.map((opened) => [opened.source, opened.pinned]));
  const named = (source: string): string => (isFileSource(source) ? resolve(source) : (pinned.get(source) ?? source));
  return {
    ...config,
    model,
    engine: { ...engine, threads: engine.threads === 0 ? availableParallelism() : engine.threads },
    train: typeof train === "string" ? named(train) : train.map((entry) => (typeof entry === "string" ? named(entry) : { ...entry, source: named(entry.source) })),
    // Empty is no file and no folder, not the current one.
    heldOut: heldOut === "" ? "" : named(heldOut),
    validation: validation === "" ? "" : named(validation),
    probe: { ...probe, source: probe.source === "" ? "" : named(probe.source) },
    labels: labels === "" ? "" : resolve(labels),
    dataDir: dataDir === "" ? "" : resolve(dataDir),
    template: settledTemplate(config, problems),
  };
}

/** The one template of all questions, or nothing where their own ones differ. */
function settledTemplate({ template }: Pick<Config, "template">, problems: readonly Problem[]): string {
  const templates = new Set(problems.map((problem) => template || (problem.template ?? PAPER_TEMPLATE)));
  return templates.size === 1 ? [...templates][0]! : template;
}
