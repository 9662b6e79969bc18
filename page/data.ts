import type { EvaluationPoint, RunOverview, StepColumn } from "../src/watch/protocol.ts";
import { fetchColumns, fetchEvaluations } from "./api.ts";

/** What the charts know of a run; a new object whenever there is more, so that a chart sees by identity what changed. */
export interface RunData {
  readonly revision: number;
  readonly steps: number;
  /** Each `[steps]`, NaN where a step has no value. */
  readonly columns: ReadonlyMap<StepColumn, Float32Array>;
  readonly evaluations: readonly EvaluationPoint[];
  /** Those that early stopping went by, on problems of their own. */
  readonly validations: readonly EvaluationPoint[];
  /** How many evaluations of either kind the server had: when it has more, they are read again. */
  readonly read: number;
}

const EMPTY = (revision: number): RunData => ({ revision, steps: 0, columns: new Map(), evaluations: [], validations: [], read: 0 });

function joined(first: Float32Array | undefined, second: Float32Array): Float32Array {
  if (first === undefined || first.length === 0) return second;
  const both = new Float32Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

async function readOn(data: RunData, run: RunOverview, columns: readonly StepColumn[]): Promise<RunData> {
  const [more, points] = await Promise.all([
    run.step > data.steps ? fetchColumns(run.id, columns, data.steps) : null,
    run.evaluations === data.read ? null : fetchEvaluations(run.id),
  ]);
  return {
    revision: data.revision,
    steps: data.steps + (more?.[0]?.length ?? 0),
    columns: more ? new Map(columns.map((column, i) => [column, joined(data.columns.get(column), more[i]!)])) : data.columns,
    evaluations: points?.filter(({ kind }) => kind === "evaluation") ?? data.evaluations,
    validations: points?.filter(({ kind }) => kind === "validation") ?? data.validations,
    read: run.evaluations,
  };
}

/** Milliseconds that what has come in waits for what is on its way: 20 runs must not draw all charts 20 times. */
const PATIENCE = 100;

/**
 * Reads `columns` and evaluations of runs, from where the last reading ended; all of it again when a run's revision
 * is another. `onData` is told of the runs that have come in once no more is on its way, or after some time, and
 * `onError` a sentence when one doesn't come.
 */
export function createReader(
  columns: readonly StepColumn[],
  onData: (news: ReadonlyMap<string, RunData>) => void,
  onError: (sentence: string) => void,
): { readonly update: (run: RunOverview) => void } {
  const held = new Map<string, RunData>();
  const wanted = new Map<string, RunOverview>();
  const busy = new Set<string>();
  let news = new Map<string, RunData>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const told = news;
    news = new Map();
    if (told.size > 0) onData(told);
  };
  const isRead = (data: RunData | undefined, run: RunOverview): boolean =>
    data?.revision === run.revision && data.steps >= run.step && data.read === run.evaluations;

  async function read(id: string): Promise<void> {
    busy.add(id);
    try {
      for (let run = wanted.get(id); run !== undefined && !isRead(held.get(id), run); run = wanted.get(id)) {
        const before = held.get(id);
        const data = await readOn(before?.revision === run.revision ? before : EMPTY(run.revision), run, columns);
        if (data.steps < run.step && data.steps === before?.steps) break;
        // While the answer was on its way the run may have gone back: then it belongs to neither revision.
        if (wanted.get(id)?.revision !== run.revision) continue;
        held.set(id, data);
        news.set(id, data);
        timer ??= setTimeout(tell, PATIENCE);
      }
    } catch (error) {
      onError(error instanceof Error ? error.message : String(error));
    } finally {
      busy.delete(id);
      if (busy.size === 0) tell();
    }
  }

  return {
    update(run) {
      wanted.set(run.id, run);
      if (!busy.has(run.id) && !isRead(held.get(run.id), run)) void read(run.id);
    },
  };
}
