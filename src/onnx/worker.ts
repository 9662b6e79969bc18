import { parentPort, workerData } from "node:worker_threads";
import { createEngine } from "./engine.ts";
import type { EngineOptions } from "./engine.ts";
import { describeFailure } from "./messages.ts";
import type { Call, Method, Reply } from "./messages.ts";

/** The thread of the embedded engine: answers calls of the port, one at a time, in their order. */
const port = parentPort!;
const reply = (message: Reply): void => port.postMessage(message);

try {
  const policy = await createEngine(workerData as EngineOptions);
  port.on("message", ({ id, method, parameters }: Call) => {
    // The port's types are checked on the caller's side; here a call is its name and arguments.
    const methods = policy as unknown as Record<Method, (...parameters: readonly unknown[]) => Promise<unknown>>;
    methods[method](...parameters).then(
      (result) => reply({ kind: "result", id, result }),
      (error: unknown) => reply({ kind: "failure", id, failure: describeFailure(error) }),
    );
  });
  reply({ kind: "ready", description: policy.description });
} catch (error) {
  reply({ kind: "unusable", failure: describeFailure(error) });
}
