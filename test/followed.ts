import { GONE_EVENT, RUNS_EVENT } from "../src/watch/protocol.ts";
import type { RunOverview } from "../src/watch/protocol.ts";

/** The events of a watch server, followed as a browser does. */
export interface Followed {
  /** Waits until an event says so of a run, and returns when it came. */
  readonly until: (says: (run: RunOverview) => boolean) => Promise<{ readonly at: number; readonly run: RunOverview }>;
  /** Waits until an event says that a run is gone. */
  readonly untilGone: (id: string) => Promise<void>;
  /** Those of runs so far. */
  readonly events: (readonly RunOverview[])[];
  readonly close: () => Promise<void>;
}

/** Follows the events of the server at an address, until `close`. */
export async function follow(url: string): Promise<Followed> {
  const controller = new AbortController();
  const { body } = await fetch(`${url}/api/events`, { signal: controller.signal });
  const events: (readonly RunOverview[])[] = [];
  const gone = new Set<string>();
  const waiting = new Set<() => void>();
  const reading = (async () => {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of body!) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
        text = text.slice(end + 2);
        if (name === RUNS_EVENT) events.push(JSON.parse(data!) as readonly RunOverview[]);
        if (name === GONE_EVENT) for (const id of JSON.parse(data!) as readonly string[]) gone.add(id);
        for (const told of waiting) told();
      }
    }
  })().catch(() => undefined);
  /** Waits until there is an answer, which is asked for after each event. */
  const wait = <T>(answer: () => T | undefined): Promise<T> =>
    new Promise((resolve) => {
      const told = (): void => {
        const found = answer();
        if (found === undefined) return;
        waiting.delete(told);
        resolve(found);
      };
      waiting.add(told);
      told();
    });
  return {
    events,
    until: (says) => {
      let seen = 0;
      return wait(() => {
        const run = events.slice(seen).flat().findLast(says);
        seen = events.length;
        return run && { at: performance.now(), run };
      });
    },
    untilGone: (id) => wait(() => gone.has(id) || undefined).then(() => undefined),
    close: async () => {
      controller.abort();
      await reading;
    },
  };
}
