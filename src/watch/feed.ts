import { setTimeout } from "node:timers/promises";
import { GONE_EVENT, RUNS_EVENT } from "./protocol.ts";
import type { RunOverview } from "./protocol.ts";
import type { Runs } from "./runs.ts";

/**
 * Milliseconds between two looks at the files, if they don't take longer: what is written reaches a client in little
 * more. Looking works on every file system, where notifications don't: those of a network tell of no other machine.
 */
const POLL = 60;
/** Milliseconds after which a silent connection is shown to be alive. */
const HEARTBEAT = 15_000;

/** Tells those who follow of the runs: of all at first, then of those that changed, are new or are gone. */
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
      await Promise.all([setTimeout(POLL), runs.glance(POLL)]);
      const messages = news(runs.list(), told);
      if (messages.length === 0 && performance.now() - silentSince > HEARTBEAT) messages.push(": still here\n\n");
      if (messages.length === 0) continue;
      silentSince = performance.now();
      for (const send of followers.keys()) for (const message of messages) send(message);
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
        send(event(RUNS_EVENT, all));
        startPolling();
      }),
    close: () => {
      for (const end of followers.values()) end();
    },
  };
}

/** What there is to tell since it was told last, which it then is. */
function news(all: readonly RunOverview[], told: Map<string, string>): string[] {
  const changed = all.filter((run) => {
    const text = JSON.stringify(run);
    if (told.get(run.id) === text) return false;
    told.set(run.id, text);
    return true;
  });
  const here = new Set(all.map(({ id }) => id));
  const gone = [...told.keys()].filter((id) => !here.has(id));
  for (const id of gone) told.delete(id);
  return [...(changed.length > 0 ? [event(RUNS_EVENT, changed)] : []), ...(gone.length > 0 ? [event(GONE_EVENT, gone)] : [])];
}

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
