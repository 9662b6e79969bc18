import { ServerError } from "../errors.ts";
import type { ServerFailure } from "../errors.ts";
import { requestReason, systemCode } from "../util/system-error.ts";
import type { Random } from "../util/random.ts";
import type { Clock } from "./clock.ts";
import { API_PREFIX, errorBody } from "./wire.ts";

/** How a server is reached. */
export interface Connection {
  /** Without a slash at the end. */
  readonly url: string;
  /** Sent as `X-API-Key`; `null` sends none. */
  readonly key: string | null;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  /** Of the jitter between retries. */
  readonly random: Random;
  /** Ends every request and wait. */
  readonly signal: AbortSignal;
  /** Seconds for which a request that may yet succeed is tried again. */
  readonly patience: number;
  /** Seconds within which an operation that the server has taken on must have its result. */
  readonly resultTimeout: number;
}

export interface Request {
  readonly method: "GET" | "POST";
  /** Under `/api/v1`. */
  readonly path: string;
  readonly body?: unknown;
  /** Seconds to wait for the answer. */
  readonly timeout: number;
}

/** Statuses after which the same request may succeed: overload, timeouts, failures of the server or of what lies before it. */
const retryable = (status: number): boolean => [408, 425, 429].includes(status) || status >= 500;

/** One request and its answer, read as JSON. Throws ServerError, and the reason of an aborted signal. */
export async function exchange(connection: Connection, request: Request): Promise<unknown> {
  const { signal } = connection;
  const own = AbortSignal.timeout(Math.ceil(request.timeout * 1000));
  let response: Response;
  let text: string;
  try {
    response = await connection.fetch(`${connection.url}${API_PREFIX}${request.path}`, {
      method: request.method,
      headers: { accept: "application/json", "content-type": "application/json", ...(connection.key !== null && { "x-api-key": connection.key }) },
      ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
      signal: AbortSignal.any([signal, own]),
    });
    text = await response.text();
  } catch (error) {
    signal.throwIfAborted();
    const detail = own.aborted ? `no answer within ${request.timeout} s` : requestReason(error);
    throw serverError(connection, { method: request.method, path: request.path, status: null, detail, retryable: true, inDoubt: !isUnsent(error) }, error);
  }
  if (!response.ok) throw serverError(connection, refusal(request, response, text));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw serverError(connection, { method: request.method, path: request.path, status: response.status, detail: `an answer that is no JSON: ${(error as Error).message}`, retryable: true, inDoubt: true }, error);
  }
}

/** Whether a request was given up because its answer took longer than its `timeout`; the server may be well. */
export function timedOut({ cause }: ServerError): boolean {
  return cause instanceof DOMException && cause.name === "TimeoutError";
}

/** Whether nobody was there to take a request. */
function isUnsent(error: unknown): boolean {
  return error instanceof Error && ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH"].includes(systemCode(error.cause) ?? "");
}

function refusal({ method, path }: Request, { status, headers }: Response, text: string): ServerFailure {
  const seconds = Number(headers.get("retry-after") ?? NaN);
  return {
    method,
    path,
    status,
    detail: wordsOf(text),
    // A proxy, not the server, answers with an empty 400.
    retryable: retryable(status) || (status === 400 && text === ""),
    inDoubt: status >= 500 && status !== 503,
    ...(seconds >= 0 && { retryAfter: Math.min(seconds, MOST_WAITED) }),
  };
}

/** Seconds that a server may ask to wait. */
const MOST_WAITED = 60;
const MOST_WORDS = 500;

/** What the body of a failure says. */
function wordsOf(text: string): string {
  let detail: unknown = text;
  try {
    detail = errorBody.parse(JSON.parse(text)).detail;
  } catch {
    // A proxy's page, or another shape: as it is.
  }
  const words = (typeof detail === "string" ? detail : JSON.stringify(detail)).trim();
  return words === "" ? "no reason given" : words.length > MOST_WORDS ? `${words.slice(0, MOST_WORDS)} …` : words;
}

/** A failure as one sentence. It never has the key: the server's words are cut out where they repeat it. */
export function serverError({ url, key }: Pick<Connection, "url" | "key">, failure: ServerFailure, cause?: unknown): ServerError {
  const hidden = (text: string): string => (key === null || key === "" ? text : text.replaceAll(key, "[key]"));
  const detail = hidden(failure.detail);
  const { method, path, status } = failure;
  const answered = status === null ? "got no answer" : `was answered with status ${status}`;
  return new ServerError(`the training server's ${method} ${url}${API_PREFIX}${path} ${answered}: ${detail}${/[.!?…]$/.test(detail) ? "" : "."}${adviceOn(status)}`, { ...failure, detail }, { cause });
}

function adviceOn(status: number | null): string {
  if (status === null) return " Check `engine.url` and that the server runs.";
  if (status === 401 || status === 403) return " Set the environment variable TINKER_API_KEY to a key of this server.";
  return "";
}
