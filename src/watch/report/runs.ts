import { DataError, UsageError } from "../../errors.ts";
import { aboutOf } from "../about.ts";
import type { EvaluationPoint, RunAbout, RunOverview, StepColumn } from "../protocol.ts";
import { Refusal } from "../refusal.ts";
import type { WatchedRun } from "../run.ts";
import { createRuns } from "../runs.ts";

/** A run as it stands when the report is written. */
export interface ReportedRun {
  readonly name: string;
  readonly overview: RunOverview;
  /** On the held-out problems and, for early stopping, on those of the validation; by step. */
  readonly evaluations: Readonly<Record<EvaluationPoint["kind"], readonly EvaluationPoint[]>>;
  readonly column: (name: StepColumn) => Float32Array;
  readonly about: RunAbout;
  readonly watched: WatchedRun;
}

/** Reads the runs in some directories, in the order in which they are given. Throws UsageError where a directory holds none, DataError where an environment.json is damaged. */
export async function readRuns(directories: readonly string[]): Promise<readonly ReportedRun[]> {
  const order: string[] = [];
  for (const directory of directories) {
    const only = createRuns([directory], { clock: () => 0 });
    await only.refresh();
    if (only.list().length === 0) throw new UsageError(`${directory} holds no run: name run directories, or folders with runs in them`);
    order.push(...only.list().map(({ id }) => id));
  }
  const runs = createRuns(directories, { clock: () => 0 });
  await runs.refresh();
  return Promise.all(
    [...runs.list()].sort((first, second) => order.indexOf(first.id) - order.indexOf(second.id)).map(async (overview) => {
      const watched = runs.find(overview.id)!;
      return {
        name: overview.name,
        overview,
        evaluations: { evaluation: ofKind(watched, "evaluation"), validation: ofKind(watched, "validation") },
        column: (name: StepColumn) => watched.columns().after(name, 0).slice(),
        about: await readAbout(watched),
        watched,
      };
    }),
  );
}

const ofKind = (run: WatchedRun, sought: EvaluationPoint["kind"]): readonly EvaluationPoint[] => run.evaluations().filter(({ kind }) => kind === sought);

async function readAbout(run: WatchedRun): Promise<RunAbout> {
  try {
    return await aboutOf(run);
  } catch (error) {
    throw error instanceof Refusal ? new DataError(error.message, { cause: error }) : error;
  }
}
