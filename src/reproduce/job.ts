/** A command of selftrain that a figure needs, and whose result other figures may use as well. */
export interface Job {
  /** Of its result in `runs/`. */
  readonly name: string;
  /** What follows `selftrain`; paths are relative to the folder of the reproduction. */
  readonly words: readonly string[];
  /** Names of the jobs whose results it reads. */
  readonly after: readonly string[];
}

/** Config keys in kebab-case with their values. */
export type Changes = Readonly<Record<string, string | number | boolean>>;

/** Trains with what `base.yaml` says, but for some changes, into `runs/NAME`. */
export function trainJob(name: string, changes: Changes, after: readonly string[] = []): Job {
  return { name, words: ["train", "base.yaml", ...flagsOf(changes), "--out", `runs/${name}`], after };
}

/** `--key value` for every change. */
export function flagsOf(changes: Changes): readonly string[] {
  return Object.entries(changes).flatMap(([key, value]) => [`--${key}`, String(value)]);
}

/** The job as it is typed into a shell. */
export function commandLine({ words }: Job): string {
  return ["npx selftrain", ...words.map((word) => (/^[\w./:=+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))].join(" ");
}

/** All jobs of several figures, each once, every job after those that it reads. Throws RangeError for two jobs of one name, or one that is not there. */
export function mergeJobs(lists: readonly (readonly Job[])[]): readonly Job[] {
  const byName = new Map<string, Job>();
  for (const job of lists.flat()) {
    const known = byName.get(job.name);
    if (known !== undefined && commandLine(known) !== commandLine(job)) throw new RangeError(`two jobs are called ${job.name}: ${commandLine(known)} and ${commandLine(job)}`);
    byName.set(job.name, job);
  }
  const ordered = new Map<string, Job>();
  const place = (name: string, reader: string): void => {
    const job = byName.get(name);
    if (job === undefined) throw new RangeError(`${reader} reads ${name}, which no figure makes`);
    if (ordered.has(name)) return;
    for (const earlier of job.after) place(earlier, name);
    ordered.set(name, job);
  };
  for (const name of byName.keys()) place(name, name);
  return [...ordered.values()];
}
