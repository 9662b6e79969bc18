import { SelftrainError } from "../errors.ts";
import { Refusal } from "./refusal.ts";

/** Operations that have begun, and their results until these were fetched. */
export interface Futures {
  /** Begins an operation of a session and returns its id. Throws Refusal (429) when too many are unfinished, and what the operation throws at once. */
  readonly start: (session: string, operation: () => Promise<object>) => string;
  /** The JSON of the result, or `null` when it is not there after so many seconds. Throws Refusal when the id is unknown or forgotten. */
  readonly retrieve: (id: string, seconds: number) => Promise<string | null>;
  readonly sessionOf: (id: string) => string | undefined;
  /** Whether a session has operations that are not finished. */
  readonly busy: (session: string) => boolean;
  /** Forgets the operations of a session. */
  readonly drop: (session: string) => void;
  /** Lets everyone who waits go at once, now and from now on. */
  readonly release: () => void;
}

export interface FuturesOptions {
  readonly maxUnfinished: number;
  /** Results that were fetched are kept for another fetch, the latest of them, up to so many bytes. */
  readonly fetchedBytes: number;
  /** Told of what no client can mend. */
  readonly report: (error: unknown) => void;
}

interface Future {
  readonly session: string;
  readonly settled: Promise<unknown>;
  body: string | null;
  fetched: boolean;
}

export function createFutures({ maxUnfinished, fetchedBytes, report }: FuturesOptions): Futures {
  const futures = new Map<string, Future>();
  const fetched: string[] = [];
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  let [count, unfinished, bytes] = [0, 0, 0];

  const fetch = (id: string, future: Future, body: string): string => {
    if (!future.fetched) {
      future.fetched = true;
      bytes += body.length;
      fetched.push(id);
    }
    while (bytes > fetchedBytes && fetched.length > 1) {
      const oldest = fetched.shift()!;
      bytes -= futures.get(oldest)?.body?.length ?? 0;
      futures.delete(oldest);
    }
    return body;
  };

  return {
    start: (session, operation) => {
      if (unfinished >= maxUnfinished) throw new Refusal(429, `${unfinished} operations are unfinished, as many as this server takes; fetch some results first.`);
      const running = operation();
      unfinished++;
      const id = String(++count);
      const settled = running
        .then(
          (result) => result,
          (error: unknown) => failure(error, report),
        )
        .then((result) => {
          future.body = JSON.stringify(result);
          unfinished--;
        });
      const future: Future = { session, settled, body: null, fetched: false };
      futures.set(id, future);
      return id;
    },
    retrieve: async (id, seconds) => {
      const future = futures.get(id);
      if (!future) {
        const known = /^[1-9]\d*$/.test(id) && Number(id) <= count;
        throw known ? new Refusal(410, `the result of request ${id} was fetched and is no longer kept.`) : new Refusal(404, `there is no request ${id}.`);
      }
      if (future.body === null) await first([future.settled, released], seconds);
      return future.body === null ? null : fetch(id, future, future.body);
    },
    sessionOf: (id) => futures.get(id)?.session,
    busy: (session) => [...futures.values()].some((future) => future.session === session && future.body === null),
    drop: (session) => {
      for (const [id, future] of futures) {
        if (future.session !== session) continue;
        if (future.fetched) bytes -= future.body!.length;
        futures.delete(id);
      }
    },
    release: () => release(),
  };
}

/** Waits until one of the promises is settled, or for so many seconds. */
async function first(promises: readonly Promise<unknown>[], seconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise((resolve) => (timer = setTimeout(resolve, seconds * 1000)));
  await Promise.race([...promises, timeUp]);
  clearTimeout(timer);
}

/** What an operation that failed gives as its result. */
function failure(error: unknown, report: (error: unknown) => void): object {
  if (error instanceof SelftrainError) return { error: error.message, category: "user" };
  report(error);
  return { error: "unexpected error of the server; its own output has the details.", category: "server" };
}
