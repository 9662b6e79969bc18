import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ReproductionError } from "../errors.ts";
import { writeFileAtomically } from "../util/atomic-write.ts";
import { commandLine } from "./job.ts";
import type { Job } from "./job.ts";

export interface RunnerOptions {
  /** Folder of the reproduction, in which the jobs run. */
  readonly out: string;
  /** The program that is `selftrain`: its path, for Node. */
  readonly program: string;
  /** Of that program: results of another one are not taken for its own. */
  readonly version: string;
  /** Jobs that run at the same time. */
  readonly parallel: number;
  /** Asks for a stop: jobs that are running save their state. */
  readonly signal: AbortSignal;
  readonly started?: (job: Job) => void;
  /** Is told of every job that is complete, and whether an earlier process had completed it. */
  readonly completed?: (job: Job, earlier: boolean) => void;
}

/**
 * Runs jobs, several at a time, each after those that it reads; what is complete is not run again, and what was cut
 * off goes on where it was. Returns whether all are complete: `false` after a stop. Throws ReproductionError, once the
 * others that run have ended, when a job fails or the folder holds a result of another command.
 */
export async function runJobs(jobs: readonly Job[], options: RunnerOptions): Promise<boolean> {
  const { out, version, parallel, signal, started, completed } = options;
  await Promise.all(["runs", "logs", "done"].map((folder) => mkdir(join(out, folder), { recursive: true })));
  const done = new Set<string>();
  for (const job of jobs) {
    if (!(await isComplete(job, out, version))) continue;
    done.add(job.name);
    completed?.(job, true);
  }
  const waiting = jobs.filter(({ name }) => !done.has(name));
  const running = new Map<string, Promise<void>>();
  const failures: Error[] = [];
  const begin = (job: Job): void => {
    started?.(job);
    const task = runJob(job, options)
      .then((complete) => {
        if (!complete) return;
        done.add(job.name);
        completed?.(job, false);
      })
      .catch((error: unknown) => {
        failures.push(error instanceof Error ? error : new Error(String(error)));
      })
      .finally(() => running.delete(job.name));
    running.set(job.name, task);
  };
  for (;;) {
    const stopping = failures.length > 0 || signal.aborted;
    for (let next = nextReady(waiting, done); !stopping && next !== null && running.size < parallel; next = nextReady(waiting, done)) {
      waiting.splice(waiting.indexOf(next), 1);
      begin(next);
    }
    if (running.size === 0) break;
    await Promise.race(running.values());
  }
  if (failures[0] !== undefined) throw failures[0];
  return done.size === jobs.length;
}

function nextReady(waiting: readonly Job[], done: ReadonlySet<string>): Job | null {
  return waiting.find(({ after }) => after.every((name) => done.has(name))) ?? null;
}

/** What `done/NAME` says: the command, and the version of selftrain that ran it. */
function markOf(job: Job, version: string): string {
  return `${commandLine(job)} # selftrain ${version}`;
}

async function isComplete(job: Job, out: string, version: string): Promise<boolean> {
  const file = join(out, "done", job.name);
  if (!existsSync(file)) return false;
  const found = (await readFile(file, "utf8")).trim();
  const expected = markOf(job, version);
  if (found === expected) return true;
  throw new ReproductionError(`${join(out, "runs", job.name)} was made by another command or version (\`${found}\`, not \`${expected}\`); take another folder with --out, or delete ${file}, what it made, and what was made from that.`);
}

/** Whether the job came to its end; `false` when it was stopped, with its state saved. */
async function runJob(job: Job, { out, program, version, signal }: RunnerOptions): Promise<boolean> {
  const log = join(out, "logs", `${job.name}.log`);
  const handle = await open(log, "a");
  try {
    if (isStopped(signal)) return false;
    // Its own process group, so that a Ctrl-C of the terminal comes to it once: from here.
    const child = spawn(process.execPath, [program, ...wordsToContinue(job, out)], { cwd: out, stdio: ["ignore", handle.fd, handle.fd], detached: true });
    const stop = (): unknown => child.kill("SIGINT");
    signal.addEventListener("abort", stop);
    const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("exit", resolve));
    signal.removeEventListener("abort", stop);
    if (code === 130 || isStopped(signal)) return false;
    if (code !== 0) throw new ReproductionError(await describeFailure(job, code, log));
  } finally {
    await handle.close();
  }
  await writeFileAtomically(join(out, "done", job.name), `${markOf(job, version)}\n`);
  return true;
}

/** Asked anew each time: a stop can come while something is awaited. */
function isStopped(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** The words of a job, or those that continue it where it was cut off. */
function wordsToContinue({ name, words }: Job, out: string): readonly string[] {
  const result = join("runs", name);
  const has = (path: string): boolean => existsSync(join(out, path));
  switch (words[0]) {
    case "train":
    case "adapt":
      return has(join(result, "config.yaml")) ? [words[0], "--resume", result] : words;
    case "evaluate":
      return has(result) ? [...words, "--resume"] : words;
    case "label":
      return has(`${result}.jsonl`) || has(`${result}.settings.json`) ? [...words, "--resume"] : words;
    default:
      return words;
  }
}

async function describeFailure(job: Job, code: number | null, log: string): Promise<string> {
  const last = await lastLine(log);
  const advice = last.includes(" in use ") ? "it was begun by a process that is gone: wait until it has ended, or end it" : "the same command as before goes on from here";
  return `\`${commandLine(job)}\` failed (${code === null ? "killed" : `exit code ${code}`}): ${last} Its log is ${log}; ${advice}.`;
}

async function lastLine(log: string): Promise<string> {
  return (await readFile(log, "utf8")).trim().split("\n").at(-1) ?? "";
}
