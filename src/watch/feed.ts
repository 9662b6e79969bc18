import { setTimeout } from "node:timers/promises";
import { RUNS_EVENT } from "./protocol.ts";
import type { RunOverview } from "./protocol.ts";
import type { Runs } from "./runs.ts";

/** Milliseconds between two looks at the files: what is written reaches a client in less than twice as long. */
const POLL = 100;
/** Milliseconds after which a silent connection is shown to be alive. */
const HEARTBEAT = 15_000;

/** Tells those who follow of the runs: of all at first, then of those that changed or are new. */
export interface Feed {
  /** Sends until the client goes, of which `onEnd` is told, or the feed is closed. */
  readonly follow: (send: (message: string) => void, onEnd: (end: () => void) => void) => Promise<void>;
  /** Ends every connection. */
  readonly close: () => void;
}

/** A feed of some runs. Nothing is looked at while nobody follows. `report` is told of failures that are bugs. */
export function createFeed(runs: Runs, report: (error: unknown) => void): Feed {
  const followers = new Map<(message: string) => void, () => void>();
  let told = new Map<string, string>();
  let polling = false;
  const poll = async (): Promise<void> => {
    let silentSince = performance.now();
    while (followers.size > 0) {
      await setTimeout(POLL);
      await runs.glance();
      const changed = news(runs.list(), told);
      const late = performance.now() - silentSince > HEARTBEAT;
      if (changed.length === 0 && !late) continue;
      silentSince = performance.now();
      for (const send of followers.keys()) send(changed.length === 0 ? ": still here\n\n" : runsEvent(changed));
    }
  };
  const startPolling = (): void => {
    if (polling) return;
    polling = true;
    poll()
      .catch(report)
      .finally(() => (polling = false));
  };
  return {
    follow: (send, onEnd) =>
      new Promise((resolve) => {
        const end = (): void => {
          followers.delete(send);
          resolve();
        };
        onEnd(end);
        const all = runs.list();
        // The first to follow begins with what stands; the others are told what changes from here on with them.
        if (followers.size === 0) told = new Map(all.map((run) => [run.id, JSON.stringify(run)]));
        followers.set(send, end);
        send(runsEvent(all));
        startPolling();
      }),
    close: () => {
      for (const end of followers.values()) end();
    },
  };
}

/** The runs that are not as they were told last, which they then are. */
function news(all: readonly RunOverview[], told: Map<string, string>): readonly RunOverview[] {
  return all.filter((run) => {
    const text = JSON.stringify(run);
    if (told.get(run.id) === text) return false;
    told.set(run.id, text);
    return true;
  });
}

function runsEvent(runs: readonly RunOverview[]): string {
  return `event: ${RUNS_EVENT}\ndata: ${JSON.stringify(runs)}\n\n`;
}
