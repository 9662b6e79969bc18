import { setTimeout as wait } from "node:timers/promises";

/** Time, as a client sees it. */
export interface Clock {
  /** Seconds on a clock that never goes back. */
  readonly now: () => number;
  /** Rejects with the signal's reason when it is aborted first. */
  readonly sleep: (seconds: number, signal: AbortSignal) => Promise<void>;
  /** Calls the action every so often, until the returned function is called; does not keep the process alive. */
  readonly every: (seconds: number, action: () => void) => () => void;
}

export const systemClock: Clock = {
  now: () => performance.now() / 1000,
  sleep: (seconds, signal) => wait(seconds * 1000, undefined, { signal }),
  every: (seconds, action) => {
    const timer = setInterval(action, seconds * 1000).unref();
    return () => clearInterval(timer);
  },
};
