import { spawn } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { builtinModelFolder } from "../src/tasks/index.ts";
import { cached } from "./cache.ts";
import { writeTinyModel } from "./tiny-model.ts";

/** Whether a real training server can be had here, and is wanted: its tests take minutes. Says why not. */
export function skyrlWanted(): boolean {
  if (process.env["SELFTRAIN_SLOW_TESTS"] !== "1") {
    console.warn("skipped: the tests of a real training server take minutes; SELFTRAIN_SLOW_TESTS=1 runs them, as .ci/run does");
    return false;
  }
  return cached("skyrl-venv", ".ci/run").present;
}

/** The built-in model as SkyRL reads it, in a new folder below another. */
export async function builtinForSkyrl(folder: string): Promise<string> {
  const model = join(folder, "builtin");
  await cp(builtinModelFolder(), model, { recursive: true });
  await changeConfig(model, { dtype: "float32" });
  return model;
}

/** A Qwen3 of random weights, small enough that a step of descent is nearly linear, with the built-in model's tokenizer. */
export async function tinyForSkyrl(): Promise<string> {
  const model = await writeTinyModel({ architectures: ["Qwen3ForCausalLM"], vocab_size: 112 });
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) await cp(join(builtinModelFolder(), name), join(model, name));
  await changeConfig(model, { model_type: "qwen3", dtype: "float32" });
  return model;
}

async function changeConfig(model: string, changes: Readonly<Record<string, string>>): Promise<void> {
  const path = join(model, "config.json");
  const config = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  await writeFile(path, JSON.stringify({ ...config, ...changes }));
}

export interface SkyrlServer {
  readonly url: string;
  /** Ends it at once, with its engine. */
  readonly kill: () => Promise<void>;
}

/** Serves a model with SkyRL's JAX backend until it is killed; `port` 0 takes a free one. What it kept in `state` it has again. */
export async function startSkyrl({ model, state, port = 0 }: { readonly model: string; readonly state: string; readonly port?: number }): Promise<SkyrlServer> {
  await mkdir(state, { recursive: true });
  const chosen = port === 0 ? await freePort() : port;
  const { folder } = cached("skyrl-venv", ".ci/run");
  const script = fileURLToPath(new URL("../scripts/skyrl-server.py", import.meta.url));
  const server = spawn(join(folder, "bin/python"), [script, model, state, String(chosen)], { detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const end = new Promise<void>((resolve) => server.on("close", () => resolve()));
  const ended = () => server.exitCode !== null || server.signalCode !== null;
  const url = `http://127.0.0.1:${chosen}`;
  const kill = async (): Promise<void> => {
    if (!ended()) process.kill(-server.pid!, "SIGKILL");
    await end;
  };
  for (let waited = 0; ; waited++) {
    if (ended()) throw new Error(`the training server ended before it answered:\n${output}`);
    if (waited > 600) {
      await kill();
      throw new Error(`the training server does not answer:\n${output}`);
    }
    const healthy = await fetch(`${url}/api/v1/healthz`).then(({ ok }) => ok, () => false);
    if (healthy) return { url, kill };
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
