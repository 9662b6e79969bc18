import { join } from "node:path";
import type { Command } from "commander";
import type { Config } from "../config.ts";
import { configKeys, resolveConfig } from "../config/index.ts";
import { loadRenderer } from "../render/index.ts";
import { startServer } from "../serve/index.ts";
import type { Adapters } from "../serve/index.ts";
import { addConfigOptions, settingsOf } from "./config-options.ts";
import type { ConfigFlag } from "./config-options.ts";
import { hubFor } from "./download-progress.ts";
import { explainFailure } from "./failure.ts";
import { untilInterrupted } from "./interrupt.ts";
import { localModel } from "./model.ts";
import type { LocalModel } from "./model.ts";
import { createOutput, jsonOption } from "./output.ts";
import type { Output } from "./output.ts";
import { wholeNumber } from "./whole-number.ts";

interface ServeFlags {
  readonly host: string;
  readonly port: string;
  readonly key?: string;
  readonly state: string;
  readonly maxModels: string;
  readonly json?: boolean;
}

/** Keys of a run's config that a server takes. */
const FLAGS: readonly ConfigFlag[] = configKeys.filter(({ name }) => ["model", "engine.threads"].includes(name)).map((key) => ({ name: key.name, key }));

/** `selftrain serve [--model M] [--host H] [--port N] [--key K] [--state DIR]`. */
export function addServeCommand(program: Command): void {
  const command = program
    .command("serve")
    .description("Let clients of the Tinker training API (this project's, or the Python SDK) train and sample a model on this machine.")
    .usage("[--model M] [--host H] [--port N] [--key K] [--state DIR] [--json]")
    .option("--host <ADDRESS>", "address to listen on; any but this machine's own needs a key", "127.0.0.1")
    .option("--port <N>", "port to listen on; 0 takes one that is free", "8000")
    .option("--key <KEY>", "what clients must show, as X-API-Key (default: the variable SELFTRAIN_SERVE_KEY, which other users of the machine don't see; the Python SDK takes only keys that begin with tml-)")
    .option("--state <DIR>", "directory of the weights that clients save", join("runs", "served"))
    .option("--max-models <N>", "models in memory at once, those that only sample included; each holds the base model, or about five times that without LoRA", "4")
    .addOption(jsonOption());
  addConfigOptions(command, FLAGS, "Model and machine:").action((flags: ServeFlags) => {
    // The one required key of a run that a server has no use for.
    const settings = settingsOf(flags as unknown as Readonly<Record<string, unknown>>, FLAGS);
    const config = resolveConfig(new Map([...settings, ["train", { value: "none", from: "serve" }]]), "serve");
    return serve(config, flags, createOutput(flags.json === true));
  });
}

/** Serves until Ctrl-C or SIGTERM. */
async function serve(config: Config, { host, port, key = process.env["SELFTRAIN_SERVE_KEY"], state, maxModels }: ServeFlags, { terminal, result }: Output): Promise<void> {
  const local = await localModel(config.model, hubFor(terminal));
  const { stopTokens } = await loadRenderer(local.folder, { template: "", chat: "none" });
  const server = await startServer({
    model: { name: config.model, tokenizer: tokenizerOf(local), endTokens: stopTokens },
    createPolicy: policyOf(config, local),
    stateDirectory: state,
    host,
    port: wholeNumber("--port", port, 0, 65_535),
    key: key ?? null,
    limits: { maxModels: wholeNumber("--max-models", maxModels, 1, 1000) },
    report: (error) => void process.stderr.write(explainFailure(error).text),
  });
  const announce = (): void => {
    terminal.line(`serving ${config.model} at ${server.url}${key === undefined ? "" : " (with a key)"}; Ctrl-C ends it`);
    result({ url: server.url, model: config.model, state, key: key !== undefined });
  };
  await untilInterrupted(server, terminal, announce, "ending when what is being computed is done (Ctrl-C again ends at once) …");
}

/** Makes the engines of a server. Their native code is loaded only here: other commands start without it. */
function policyOf({ engine, model }: Config, { folder, name }: LocalModel) {
  return async (adapters: Adapters | null) => {
    const { createOnnxPolicy } = await import("../onnx/index.ts");
    return createOnnxPolicy({ model: folder, threads: engine.threads, lora: adapters && { ...adapters, base: model === "builtin" ? folder : name } });
  };
}

/** Where clients find the tokenizer: an id of the hub, or a folder, which helps those on this machine. */
function tokenizerOf({ name, folder }: LocalModel): string {
  return name === "builtin" ? folder : name.replace(/@[^@/]+$/, "");
}
