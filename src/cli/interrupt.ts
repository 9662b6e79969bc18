import { performance } from "node:perf_hooks";
import type { Terminal } from "./terminal.ts";

/** Ctrl-C, what a scheduler sends before it takes the machine away, and a terminal that is closed. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** What a run says at the first of them. */
const STOPPING = "stopping after this step, with the state saved (Ctrl-C again ends at once) …";
/** `npm start` passes on the Ctrl-C that the terminal has sent already: signals this close are one, in seconds. */
const SAME_SIGNAL = 0.5;

/**
 * Runs a task that can be stopped: the first Ctrl-C (or SIGTERM) aborts the signal, so that the task saves its state
 * and returns; a second one ends the process at once, by the signal itself. `clock` in seconds; `stopping` says what
 * happens now.
 */
export async function interruptible<T>(terminal: Terminal, clock: () => number, task: (signal: AbortSignal) => Promise<T>, stopping = STOPPING): Promise<T> {
  const controller = new AbortController();
  let first: number | null = null;
  const release = (): void => {
    for (const each of SIGNALS) process.off(each, onSignal);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = clock();
    if (first === null) {
      first = now;
      terminal.line(stopping);
      controller.abort();
    } else if (now - first > SAME_SIGNAL) {
      // Not process.exit, which takes down the engine's thread inside native code: that aborts with a core dump.
      release();
      process.kill(process.pid, signal);
    }
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    return await task(controller.signal);
  } finally {
    release();
  }
}

/** Lets a server run until Ctrl-C (or SIGTERM), then closes it. `announce` says where it is; `ending` is said when it ends. */
export async function untilInterrupted(server: { readonly close: () => Promise<void> }, terminal: Terminal, announce: () => void, ending: string): Promise<void> {
  const serving = async (signal: AbortSignal): Promise<void> => {
    announce();
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    await server.close();
  };
  await interruptible(terminal, () => performance.now() / 1000, serving, ending);
}
