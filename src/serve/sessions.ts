import { Refusal } from "./refusal.ts";
import { createRepetitions } from "./repetitions.ts";
import type { Repetitions } from "./repetitions.ts";

/** What one client does, for as long as it shows signs of life. */
export interface Session {
  readonly id: string;
  /** Its models and its sampling sessions, each by their numbers. */
  readonly models: Repetitions;
  readonly samplingSessions: Repetitions;
}

export interface Sessions {
  readonly create: (id: string) => Session;
  /** A session, whose client is alive as this shows. Throws Refusal (404). */
  readonly get: (id: string) => Session;
  readonly alive: (id: string) => boolean;
  /** Ends the sessions whose clients have shown no sign of life for so long, and tells their ids. */
  readonly expire: (seconds: number, busy: (id: string) => boolean) => readonly string[];
}

/** Sessions of clients; `clock` in seconds. */
export function createSessions(clock: () => number): Sessions {
  const sessions = new Map<string, { readonly session: Session; seen: number }>();
  return {
    create: (id) => {
      const session = { id, models: createRepetitions(), samplingSessions: createRepetitions() };
      sessions.set(id, { session, seen: clock() });
      return session;
    },
    get: (id) => {
      const found = sessions.get(id);
      if (!found) throw new Refusal(404, `there is no session ${id}: it never was, or it ended when its client was silent for too long; create a new one.`);
      found.seen = clock();
      return found.session;
    },
    alive: (id) => sessions.has(id),
    expire: (seconds, busy) => {
      const silent = [...sessions].filter(([id, { seen }]) => clock() - seen > seconds && !busy(id)).map(([id]) => id);
      for (const id of silent) sessions.delete(id);
      return silent;
    },
  };
}
