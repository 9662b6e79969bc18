import type { Command } from "commander";
import { configKeys, resolveConfig } from "../config/index.ts";
import { PolicyError } from "../errors.ts";
import type { ServerCheck } from "../tinker/check.ts";
import { addConfigOptions, settingsOf } from "./config-options.ts";
import type { ConfigFlag } from "./config-options.ts";
import { hubFor } from "./download-progress.ts";
import { serverOptions } from "./engine.ts";
import { table } from "./format.ts";
import { localModel } from "./model.ts";
import { createOutput, jsonOption } from "./output.ts";
import type { Output } from "./output.ts";
import { warn } from "./terminal.ts";

/** Keys of a config that say how a training server is asked, under shorter names where they belong to the engine. */
const NAMES: Readonly<Record<string, string>> = {
  model: "model",
  "engine.url": "url",
  "engine.base-model": "base-model",
  "engine.loss-reduction": "loss-reduction",
  "lora.rank": "lora.rank",
  "lora.alpha": "lora.alpha",
  "lora.targets": "lora.targets",
};
const FLAGS: readonly ConfigFlag[] = configKeys.flatMap((key) => (NAMES[key.name] === undefined ? [] : [{ name: NAMES[key.name]!, key }]));

/** `selftrain engines check --url URL --model M`: whether a training server can be trained on. */
export function addEnginesCommand(program: Command): void {
  const engines = program.command("engines").description("Training servers, on which runs with `engine.kind: tinker` train.");
  const check = engines
    .command("check")
    .description("Ask a training server what it offers, and make one training step on it with adapters that are thrown away.")
    .usage("--url URL --model M --lora.rank N [--key value …] [--json]")
    .addOption(jsonOption());
  addConfigOptions(check, FLAGS, "Server, model and adapters:").action((flags: { readonly json?: boolean }) => checkEngine(flags, createOutput(flags.json === true)));
}

async function checkEngine(flags: Readonly<Record<string, unknown>>, { terminal, result }: Output): Promise<void> {
  const given = (value: string) => ({ value, from: "engines check" });
  // The one required key of a run, of which a check has no use.
  const config = resolveConfig(new Map([...settingsOf(flags, FLAGS), ["engine.kind", given("tinker")], ["train", given("none")]]), "engines check");
  terminal.status("making a training step …");
  try {
    const { folder } = await localModel(config.model, hubFor(terminal), { weights: false });
    const { checkServer } = await import("../tinker/check.ts");
    const report = await checkServer(serverOptions(config, folder, (message) => warn(terminal, message)), () => performance.now() / 1000);
    for (const line of checkLines(config.engine.url, report)) terminal.line(line);
    result({ ...report });
    if (!learns(report)) throw new PolicyError(`runs cannot be trained on ${config.engine.url}: a step there did not make what was rewarded likelier than the rest; look at the server's log.`);
  } finally {
    terminal.status("");
  }
}

const learns = ({ rewarded, others }: ServerCheck): boolean => rewarded > others;

/** The report as people read it. */
export function checkLines(url: string, report: ServerCheck): readonly string[] {
  const { offered, traits, seconds, distance, rewarded, others, gradientNorm } = report;
  const clips = traits.clips === null ? "not to be seen" : traits.clips ? "yes" : "no";
  const rows = [
    ["losses are reduced by", traits.reduction === "sum" ? "their sum" : "their mean, which is undone"],
    ["gradients are clipped", clips],
    ["requests keep their order", traits.ordered ? "yes: gradients and steps are sent together" : "not promised: a step waits for its gradients"],
    ["requests sent again are done once", traits.deduplicates ? "yes" : "no: where it is in doubt, a run stops and is continued"],
    ["gradient norm", Number.isNaN(gradientNorm) ? "not told" : gradientNorm.toPrecision(3)],
    ["sampler and trainer differ by", `${distance.toPrecision(2)} nats at most`],
    ["one step moved", `rewarded completions by ${rewarded.toPrecision(2)} nats a token, the others by ${others.toPrecision(2)}`],
    ...Object.entries(seconds).map(([part, time]) => [`seconds to ${part}`, time.toFixed(2)]),
  ];
  return [`${offered.name} at ${url}:`, ...table(rows), "", learns(report) ? "it can be trained on" : "it did NOT learn what was rewarded"];
}
