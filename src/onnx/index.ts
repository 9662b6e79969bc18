import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { PolicyError } from "../errors.ts";
import type { PolicyDescription, ServablePolicy } from "../policy.ts";
import type { EngineOptions } from "./engine.ts";
import { restoreFailure } from "./messages.ts";
import type { Call, Method, Reply } from "./messages.ts";

/**
 * A policy on the embedded engine, in a thread of its own, so that the caller's event loop stays free.
 * `threads: 0` uses every core. Throws ModelError when the model folder cannot be used.
 */
export async function createOnnxPolicy(options: EngineOptions): Promise<ServablePolicy> {
  const { threads } = options;
  const worker = startWorker({ ...options, threads: threads === 0 ? availableParallelism() : threads });
  const { description, call } = await connect(worker);
  let closed = false;
  const invoke = async <T>(method: Method, ...parameters: readonly unknown[]): Promise<T> => {
    if (closed) throw new PolicyError("The policy is closed.");
    return (await call(method, parameters)) as T;
  };
  return {
    description,
    sample: (request) => invoke("sample", request),
    logprobs: (sequences, weights) => invoke("logprobs", sequences, weights),
    update: (rows, options) => invoke("update", rows, options),
    snapshot: (name) => invoke("snapshot", name),
    average: (name, decay) => invoke("average", name, decay),
    values: (sequences) => invoke("values", sequences),
    saveState: (directory) => invoke("saveState", directory),
    loadState: (directory) => invoke("loadState", directory),
    exportModel: (directory) => invoke("exportModel", directory),
    forwardBackward: (rows, objective) => invoke("forwardBackward", rows, objective),
    optimizerStep: (options) => invoke("optimizerStep", options),
    dropGradient: () => invoke("dropGradient"),
    saveWeights: (directory, weights, optimizer) => invoke("saveWeights", directory, weights, optimizer),
    loadWeights: (directory, optimizer) => invoke("loadWeights", directory, optimizer),
    loadSnapshot: (name, directory) => invoke("loadSnapshot", name, directory),
    forget: (name) => invoke("forget", name),
    close: async () => {
      const last = invoke("close");
      closed = true;
      await last;
      await worker.terminate();
    },
  };
}

function startWorker(options: EngineOptions): Worker {
  if (!import.meta.url.endsWith(".ts")) return new Worker(new URL("./worker.js", import.meta.url), { workerData: options });
  // Run from its TypeScript source (tests, tsx), the thread must first install the loader.
  const loader = import.meta.resolve("tsx/esm/api");
  const file = new URL("./worker.ts", import.meta.url).href;
  const start = `import(${JSON.stringify(loader)}).then(({ register }) => { register(); return import(${JSON.stringify(file)}); })`;
  return new Worker(start, { eval: true, workerData: options });
}

interface Connection {
  readonly description: PolicyDescription;
  readonly call: (method: Method, parameters: readonly unknown[]) => Promise<unknown>;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Waits until the thread has loaded the model; afterwards a dead thread fails every open and later call. */
function connect(worker: Worker): Promise<Connection> {
  const waiting = new Map<number, Waiting>();
  let next = 0;
  let dead: Error | null = null;
  const call = (method: Method, parameters: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (dead) {
        reject(dead);
        return;
      }
      const id = next++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, method, parameters } satisfies Call);
    });
  return new Promise((resolve, reject) => {
    const die = (error: Error): void => {
      dead ??= error;
      for (const { reject: fail } of waiting.values()) fail(dead);
      waiting.clear();
      reject(dead);
    };
    const settle = (id: number, how: (caller: Waiting) => void): void => {
      const caller = waiting.get(id)!;
      waiting.delete(id);
      how(caller);
    };
    worker.on("message", (reply: Reply) => {
      if (reply.kind === "ready") resolve({ description: reply.description, call });
      else if (reply.kind === "unusable") die(restoreFailure(reply.failure));
      else if (reply.kind === "result") settle(reply.id, (caller) => caller.resolve(reply.result));
      else settle(reply.id, (caller) => caller.reject(restoreFailure(reply.failure)));
    });
    worker.on("error", die);
    worker.on("exit", (code) => die(new Error(`The engine's thread ended with code ${code}.`)));
  });
}
