import type {
  Comparison,
  EvaluationPoint,
  InspectedProblem,
  ProblemOverview,
  Recordings,
  Refusal,
  RunAbout,
  RunOverview,
  StepColumn,
} from "../src/watch/protocol.ts";

/** Must be the names in the protocol; the page takes types alone from there, so that nothing of the server is bundled. */
const RUNS_EVENT: typeof import("../src/watch/protocol.ts").RUNS_EVENT = "runs";
const GONE_EVENT: typeof import("../src/watch/protocol.ts").GONE_EVENT = "gone";

async function get(path: string, signal?: AbortSignal): Promise<Response> {
  const response = await fetch(path, { ...(signal && { signal }) });
  if (response.ok) return response;
  const refusal = (await response.json().catch(() => null)) as Refusal | null;
  throw new Error(refusal?.error ?? `The server answered ${response.status} to ${path}.`);
}

async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await get(path, signal)).json()) as T;
}

const ofRun = (id: string, what: string): string => `api/runs/${encodeURIComponent(id)}/${what}`;

/** All runs. Like all functions here: throws an Error with the server's sentence, or fetch's own where none answers. */
export const fetchRuns = (signal?: AbortSignal): Promise<RunOverview[]> => getJson("api/runs", signal);

/** All evaluations of a run so far, in order. */
export const fetchEvaluations = (id: string, signal?: AbortSignal): Promise<EvaluationPoint[]> =>
  getJson(ofRun(id, "evaluations"), signal);

/** Config, environment and path of a run. */
export const fetchAbout = (id: string, signal?: AbortSignal): Promise<RunAbout> => getJson(ofRun(id, "about"), signal);

/** The steps whose samples were recorded, ascending. */
export const fetchRecordings = (id: string, signal?: AbortSignal): Promise<Recordings> => getJson(ofRun(id, "recordings"), signal);

/** The problems of a recorded step, in the order of the step. */
export const fetchProblems = (id: string, step: number, signal?: AbortSignal): Promise<ProblemOverview[]> =>
  getJson(ofRun(id, `recordings/${step}`), signal);

/** One problem of a recorded step with all that was sampled. */
export const fetchProblem = (id: string, step: number, index: number, signal?: AbortSignal): Promise<InspectedProblem> =>
  getJson(ofRun(id, `recordings/${step}/${index}`), signal);

/** Configs and paired differences of two runs, second minus first. */
export const fetchComparison = (first: string, second: string, signal?: AbortSignal): Promise<Comparison> =>
  getJson(`api/compare?${new URLSearchParams({ first, second }).toString()}`, signal);

/** Columns of the steps after `from`: as many arrays as columns, each `[steps from + 1 on]`, NaN where a step has no value. */
export async function fetchColumns(id: string, columns: readonly StepColumn[], from: number, signal?: AbortSignal): Promise<Float32Array[]> {
  const response = await get(ofRun(id, `steps?columns=${columns.join(",")}&from=${from}`), signal);
  return splitColumns(await response.arrayBuffer(), columns.length);
}

/** Column after column of little-endian 32-bit floats as arrays `[steps]`. Throws when they are not of equal length. */
function splitColumns(bytes: ArrayBuffer, columns: number): Float32Array[] {
  const rows = bytes.byteLength / 4 / columns;
  if (!Number.isInteger(rows)) throw new Error(`The server sent ${bytes.byteLength} bytes, which are not ${columns} columns of equal length.`);
  // Every machine that runs a browser of today is little-endian.
  return Array.from({ length: columns }, (_, column) => new Float32Array(bytes, column * rows * 4, rows));
}

/**
 * Follows the runs until the returned function is called: `onRuns` takes those that changed or are new, `onGone`
 * the ids of those that are no longer there. The browser reconnects by itself, unless the server answered with an error; then this does, two seconds later. `onConnection`
 * is told whether the server answers; after each connection all runs are to be read again, as events may be lost.
 */
export function followRuns(onRuns: (changed: readonly RunOverview[]) => void, onGone: (ids: readonly string[]) => void, onConnection: (connected: boolean) => void): () => void {
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const connect = (): void => {
    source = new EventSource("api/events");
    source.addEventListener(RUNS_EVENT, (event: MessageEvent<string>) => onRuns(JSON.parse(event.data) as RunOverview[]));
    source.addEventListener(GONE_EVENT, (event: MessageEvent<string>) => onGone(JSON.parse(event.data) as string[]));
    source.addEventListener("open", () => onConnection(true));
    source.addEventListener("error", () => {
      onConnection(false);
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(connect, 2000);
    });
  };
  connect();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
