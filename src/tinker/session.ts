import { SelftrainError } from "../errors.ts";
import { call } from "./client.ts";
import { exchange } from "./http.ts";
import type { Connection } from "./http.ts";
import { endpoints } from "./wire.ts";

/** A session of a server, kept alive by heartbeats until it is closed. */
export interface Session {
  readonly id: string;
  readonly connection: Connection;
  /** Numbers of the session's models and of its sampling sessions. */
  readonly nextModel: () => number;
  readonly nextSampling: () => number;
  readonly close: () => void;
}

const HEARTBEAT = 10;
/** The version of the official client whose requests these are. */
const SDK_VERSION = "0.24.0";

/** Opens a session. Throws ServerError. */
export async function openSession(connection: Connection): Promise<Session> {
  const { session_id: id, error_message: problem } = await call(connection, endpoints.createSession, { tags: ["selftrain"], user_metadata: {}, sdk_version: SDK_VERSION });
  if (problem) throw new SelftrainError(`The training server ${connection.url} refused a session: ${problem}`);
  const beat = { method: "POST", path: endpoints.sessionHeartbeat.path, body: { session_id: id }, timeout: HEARTBEAT } as const;
  // A beat that is lost is followed by another; a server that stays away fails the work itself.
  const stop = connection.clock.every(HEARTBEAT, () => void exchange(connection, beat).catch(() => undefined));
  return { id, connection, nextModel: counter(0), nextSampling: counter(0), close: stop };
}

/** Counts up from a number. */
export function counter(start: number): () => number {
  let next = start;
  return () => next++;
}
