import { appendFile, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { encodeEvent } from "./event-file.ts";
import type { EventRecord } from "./event-file.ts";
import { explained, resumeAdvice } from "./explain.ts";
import type { EvaluationFigures, EvaluationMetrics, MetricsLine, StepMetrics, StepTiming } from "./metrics.ts";
import type { StepLog } from "./step-log.ts";

/** TensorBoard makes a group of what stands before the slash. */
const STEP_TAGS: Readonly<Record<Exclude<keyof StepMetrics, "kind" | "step" | "timing">, string>> = {
  pseudoReward: "train/pseudo-reward",
  trainPassAt1: "train/pass@1",
  labelAccuracy: "train/label-accuracy",
  majorityShareOfAll: "votes/majority-share-of-all",
  majorityShareOfAnswered: "votes/majority-share-of-answered",
  unanimousShare: "votes/unanimous-share",
  ballotShare: "votes/ballot-share",
  topAnswerShare: "votes/top-answer-share",
  flipRate: "votes/flip-rate",
  startAgreement: "votes/start-agreement",
  startSupport: "votes/start-support",
  groupsTied: "groups/tied",
  groupsTrained: "groups/trained",
  groupsUnlabelled: "groups/unlabelled",
  groupsWithoutSignal: "groups/without-signal",
  groupsLeftOut: "groups/left-out",
  kl: "kl/mean",
  answerTokenKl: "kl/answer-token",
  otherTokenKl: "kl/other-token",
  klCoefficient: "kl/coefficient",
  abstentionRate: "completions/abstention-rate",
  meanLength: "completions/mean-length",
  truncatedShare: "completions/truncated-share",
  entropy: "completions/entropy",
  tokens: "completions/tokens",
  loss: "update/loss",
  gradientNorm: "update/gradient-norm",
  clipFraction: "update/clip-fraction",
  skipped: "update/skipped",
};
const TIMING_TAGS: Readonly<Record<keyof StepTiming, string>> = {
  seconds: "time/step-seconds",
  sampleSeconds: "time/sample-seconds",
  voteSeconds: "time/vote-seconds",
  referenceSeconds: "time/reference-seconds",
  updateSeconds: "time/update-seconds",
  tokensPerSecond: "time/tokens-per-second",
  elapsed: "time/elapsed-seconds",
};
/** After `held-out/` or `validation/`. */
const EVALUATION_TAGS: Readonly<Record<keyof EvaluationFigures, string>> = {
  passAt1: "pass@1",
  standardError: "pass@1-standard-error",
  majAtK: "maj@k",
  majStandardError: "maj@k-standard-error",
  k: "k",
  problems: "problems",
  abstentionRate: "abstention-rate",
  meanLength: "mean-length",
};
const EVALUATION_TIMING_TAGS: Readonly<Record<keyof EvaluationMetrics["timing"], string>> = { seconds: "seconds", elapsed: "elapsed-seconds" };

/** The figures of a line of metrics.jsonl under the names that TensorBoard shows; those that are `null` are left out, and true is 1. */
export function scalarsOf(line: MetricsLine): readonly (readonly [tag: string, value: number])[] {
  if (line.kind === "step") return [...tagged(line, STEP_TAGS), ...tagged(line.timing, TIMING_TAGS)];
  const group = line.kind === "evaluation" ? "held-out" : "validation";
  return [...tagged(line, EVALUATION_TAGS), ...tagged(line.timing, EVALUATION_TIMING_TAGS)].map(([tag, value]) => [`${group}/${tag}`, value] as const);
}

function tagged<Key extends string>(figures: Readonly<Record<Key, number | boolean | null>>, tags: Readonly<Record<Key, string>>): readonly (readonly [string, number])[] {
  return (Object.entries(tags) as [Key, string][]).flatMap(([key, tag]) => {
    const value = figures[key];
    // Runs of earlier versions lack some figures.
    return typeof value === "number" || typeof value === "boolean" ? [[tag, Number(value)] as const] : [];
  });
}

/**
 * A log of metrics whose lines go to `tensorboard/` beside it as well, where TensorBoard sees each as soon as it is
 * appended. Every rewinding begins a new file, which tells TensorBoard to drop what the files before say of later steps,
 * and says anew what is kept of the last step, of which a kill may have left a line in the log alone.
 * Throws what the log throws, and RunDirectoryError when the disk refuses.
 */
export function withTensorBoard(log: StepLog<MetricsLine>, runPath: string, now: () => number = () => Date.now() / 1000): StepLog<MetricsLine> {
  const folder = join(runPath, "tensorboard");
  const writing = <T>(task: () => Promise<T>) => explained(`${folder} could not be written`, resumeAdvice(runPath), task);
  let file: string | null = null;
  const write = (line: MetricsLine) =>
    writing(async () => {
      file ??= await beginEventFile(folder, 0, now());
      await appendFile(file, encodeEvent(scalarEvent(line, now())));
    });
  return {
    ...log,
    append: async (line) => {
      await log.append(line);
      await write(line);
    },
    rewind: async (step) => {
      const lines = await log.rewind(step);
      file = await writing(() => beginEventFile(folder, step, now()));
      for (const line of lines.filter((kept) => kept.step === step)) await write(line);
      return lines;
    },
  };
}

/**
 * Writes the lines of a run's metrics as an event file in a folder of its own, and gives its path; an earlier file
 * there is void from then on. `begun`, in seconds since 1970, is when the run began. The wall time of a line follows
 * from its `elapsed` seconds, and so leaves out the time between an interruption and its resumption.
 */
export async function writeEventFile(folder: string, lines: readonly MetricsLine[], begun: number): Promise<string> {
  const file = await beginEventFile(folder, 0, begun);
  await appendFile(file, Buffer.concat(lines.map((line) => encodeEvent(scalarEvent(line, begun + line.timing.elapsed)))));
  return file;
}

function scalarEvent(line: MetricsLine, wallTime: number): EventRecord {
  return { wallTime, step: line.step, content: { kind: "scalars", scalars: scalarsOf(line) } };
}

/**
 * Begins an event file that voids what earlier files of the folder say of a step and those after it. TensorBoard reads
 * the files of a folder in the order of their names, so the time in the name is later than in all that are there.
 */
async function beginEventFile(folder: string, step: number, wallTime: number): Promise<string> {
  await mkdir(folder, { recursive: true });
  const times = (await readdir(folder)).map((name) => Number(/^events\.out\.tfevents\.(\d+)/.exec(name)?.[1] ?? 0));
  const file = join(folder, `events.out.tfevents.${Math.max(Math.floor(wallTime), 1 + Math.max(0, ...times))}.selftrain`);
  const head: readonly EventRecord[] = [{ wallTime, step: 0, content: { kind: "version" } }, { wallTime, step, content: { kind: "start" } }];
  await appendFile(file, Buffer.concat(head.map(encodeEvent)));
  return file;
}
