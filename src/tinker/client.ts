import type { z } from "zod";
import { ServerError } from "../errors.ts";
import { exchange, timedOut, serverError } from "./http.ts";
import type { Connection, Request } from "./http.ts";
import { endpoints, failed, submitted, tryAgain } from "./wire.ts";
import type { Endpoint, RequestOf, ResultOf } from "./wire.ts";

type Immediate = Extract<Endpoint, { readonly kind: "call" }>;
type Query = Extract<Endpoint, { readonly kind: "query" }>;
export type Operation = Extract<Endpoint, { readonly kind: "operation" }>;

/** Seconds for a request that is answered at once, and for one poll of a result. */
const ANSWER_TIMEOUT = 60;
const POLL_TIMEOUT = 60;
/** A server that says so soon that there is no result yet is asked again after this many seconds. */
const SHORTEST_POLL = 0.05;
/** Tries of a request that is answered with 500: what a server did not foresee seldom mends itself. */
const MOST_UNFORESEEN = 5;
/** How often an operation whose result the server has lost is asked for anew, and how many names or numbers are tried when they are taken. */
const MOST_LOST = 3;
const MOST_CONFLICTS = 5;

/** Asks what is answered at once. Throws ServerError when the answer stays out, is a refusal, or has another shape. */
export async function query<E extends Query>(connection: Connection, endpoint: E): Promise<ResultOf<E>> {
  return (await patiently(connection, { method: "GET", path: endpoint.path, timeout: ANSWER_TIMEOUT }, endpoint.result as z.ZodType)) as ResultOf<E>;
}

/** Like `query`, with a body. */
export async function call<E extends Immediate>(connection: Connection, endpoint: E, body: RequestOf<E>): Promise<ResultOf<E>> {
  return (await patiently(connection, { method: "POST", path: endpoint.path, body, timeout: ANSWER_TIMEOUT }, endpoint.result as z.ZodType)) as ResultOf<E>;
}

/**
 * An operation and its result. Whatever fails on the way is tried again, with the same body, so that a server that
 * has it already does not do it twice; a body that depends on how often its names or numbers were taken gets
 * another one when they are. Throws ServerError when the operation failed, or `patience` or `resultTimeout` is at an end.
 */
export async function operate<E extends Operation>(connection: Connection, endpoint: E, body: RequestOf<E> | ((conflicts: number) => RequestOf<E>)): Promise<ResultOf<E>> {
  return (await submit(connection, endpoint, body)).result();
}

/** An operation that the server has taken on. */
export interface Submitted<Result> {
  readonly id: string;
  /** Waits for what comes of it. */
  readonly result: () => Promise<Result>;
}

/**
 * The first half of `operate`: later operations can be sent before this one has ended. With `once` it is not sent again
 * when the server may have taken it on already: for what must not be done twice, on servers that would.
 */
export async function submit<E extends Operation>(
  connection: Connection,
  endpoint: E,
  body: RequestOf<E> | ((conflicts: number) => RequestOf<E>),
  { once = false }: { readonly once?: boolean } = {},
): Promise<Submitted<ResultOf<E>>> {
  let conflicts = 0;
  const send = async (): Promise<string> => {
    for (;;) {
      try {
        const request: Request = { method: "POST", path: endpoint.path, body: typeof body === "function" ? body(conflicts) : body, timeout: Math.min(ANSWER_TIMEOUT, connection.resultTimeout) };
        return (await patiently(connection, request, submitted, once)).request_id;
      } catch (error) {
        if (typeof body !== "function" || statusOf(error) !== 409 || ++conflicts > MOST_CONFLICTS) throw error;
      }
    }
  };
  const first = await send();
  return {
    id: first,
    result: async () => {
      for (let id = first, lost = 0; ; id = await send()) {
        try {
          return readAnswer(connection, endpoint, await poll(connection, id, endpoint.path), endpoint.result as z.ZodType) as ResultOf<E>;
        } catch (error) {
          if (statusOf(error) !== 410 || once || ++lost > MOST_LOST) throw error;
        }
      }
    },
  };
}

async function patiently<T>(connection: Connection, request: Request, result: z.ZodType<T>, once = false): Promise<T> {
  const wait = createBackoff(connection);
  for (;;) {
    try {
      return readAnswer(connection, request, await exchange(connection, request), result);
    } catch (error) {
      if (once && error instanceof ServerError && error.failure.inDoubt) throw doubt(error);
      await wait(error);
    }
  }
}

function doubt({ message, failure }: ServerError): ServerError {
  return new ServerError(`${message} It may have done what was asked, and would do it again if it was asked again: continue the run from its last checkpoint.`, { ...failure, retryable: false });
}

/** Polls until the server has the result of an operation, or has had `resultTimeout` for it: it may take polls, and even answer them, for ever. */
async function poll(connection: Connection, id: string, path: string): Promise<unknown> {
  const { clock, signal, resultTimeout } = connection;
  const end = clock.now() + resultTimeout;
  let wait = createBackoff(connection);
  for (;;) {
    const started = clock.now();
    if (started >= end) throw overdue(connection, path);
    try {
      const request: Request = { method: "POST", path: endpoints.retrieveFuture.path, body: { request_id: id }, timeout: Math.min(POLL_TIMEOUT, end - started) };
      const answer = await exchange(connection, request);
      if (!tryAgain.safeParse(answer).success) {
        const failure = failed.safeParse(answer);
        if (!failure.success) return answer;
        const { error: detail, category } = failure.data;
        throw serverError(connection, { method: "POST", path, status: 200, detail, retryable: false, inDoubt: false, ...(category != null && { category }) });
      }
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      // 408 says no more than that there is no result yet, and neither does a server that holds a poll for longer than it is waited for.
      if (error.failure.status !== 408 && !timedOut(error)) {
        // The failure is the operation's.
        if (!error.failure.retryable) throw serverError(connection, { ...error.failure, path }, error);
        await wait(error);
        continue;
      }
    }
    wait = createBackoff(connection);
    if (clock.now() - started < SHORTEST_POLL) await clock.sleep(SHORTEST_POLL, signal);
  }
}

function overdue(connection: Connection, path: string): ServerError {
  const detail = `no result within ${connection.resultTimeout} s; set \`engine.result-timeout\` higher if it needs longer, and continue the run from its last checkpoint.`;
  return serverError(connection, { method: "POST", path, status: null, detail, retryable: true, inDoubt: true });
}

/**
 * Waits before another try, longer each time (0.5 s doubled up to 10 s, less up to a quarter by chance), or as long
 * as the server asks, if at all. Throws the error when another try is of no use, or the connection's patience is at an end.
 */
function createBackoff({ clock, random, signal, patience }: Connection): (error: unknown) => Promise<void> {
  const started = clock.now();
  let tries = 0;
  let unforeseen = 0;
  return async (error) => {
    if (!(error instanceof ServerError) || !error.failure.retryable) throw error;
    const { status, retryAfter } = error.failure;
    if (status === 500 && ++unforeseen >= MOST_UNFORESEEN) throw error;
    const delay = retryAfter || Math.min(0.5 * 2 ** tries, 10) * (0.75 + 0.25 * random.uniform());
    if (clock.now() + delay - started > patience) throw error;
    tries += 1;
    await clock.sleep(delay, signal);
  };
}

function readAnswer<T>(connection: Connection, { method, path }: Pick<Request, "method" | "path">, answer: unknown, result: z.ZodType<T>): T {
  const read = result.safeParse(answer);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw serverError(connection, { method, path, status: 200, detail: `an answer whose ${issue!.path.join(".") || "shape"} is not as expected (${issue!.message})`, retryable: false, inDoubt: true });
}

/** The status of a ServerError's answer; `null` for other errors and where none came. */
export function statusOf(error: unknown): number | null {
  return error instanceof ServerError ? error.failure.status : null;
}
