import { loadTask } from "../tasks/index.ts";
import type { LabelledProblem } from "../types.ts";
import { trainJob } from "./job.ts";
import type { Changes, Job } from "./job.ts";
import { runName } from "./results.ts";
import type { Chosen } from "./results.ts";

/** Steps of a run, and between evaluations. */
export const STEPS = 80;
export const EVERY = 10;
/** Completions for each held-out question. */
export const SAMPLES = 8;
/** Of the tokens that the built-in model writes for the longest question. */
const MAX_TOKENS = 28;
const HELD_OUT = "data/held-out.jsonl";
/** Levels of `task:chain` that the held-out questions have. */
export const LEVELS = [3, 4, 5, 6] as const;

/** A task whose levels are climbed one after the other; on the last one the model was not pretrained. */
export interface Ladder {
  readonly task: "chain" | "bits";
  readonly levels: readonly number[];
  /** File of its held-out questions, of every level. */
  readonly file: string;
}

export const LADDERS: readonly Ladder[] = [
  { task: "chain", levels: [3, 4, 5, 6, 7], file: "data/ladder.jsonl" },
  { task: "bits", levels: [2, 3, 4, 5], file: "data/ladder-bits.jsonl" },
];
const PER_ANSWER = 2;
const BITS = 32;
/** One per cent of the 1,024 training questions. */
const VALIDATION = 10;
const LADDER_QUESTIONS = 40;

/**
 * The setting of all figures but where they say otherwise: half of the training questions are longer than the model
 * can do, so that its majority is wrong on them; held-out questions are of the lengths that it half knows. The
 * learning rate was found on pilots in which plain SRT rises first (LOG.md).
 */
export const BASE = `model: builtin
engine: { threads: 1 }
train: task:chain/3-8
train-problems: 1024
held-out: ${HELD_OUT}
template: "{problem}"
learning-rate: 5e-4
beta2: 0.95
weight-decay: 0
steps: ${STEPS}
prompts-per-step: 16
samples-per-prompt: 16
max-tokens: ${MAX_TOKENS}
start-votes: 16
evaluate-samples: ${SAMPLES}
evaluate-every: ${EVERY}
checkpoint-every: 20
record-samples-every: ${STEPS}
`;

/** A run of each seed: plain SRT in the setting, but for some changes. */
export function arm(name: string, seeds: readonly number[], changes: Changes = {}, after: (seed: number) => readonly string[] = () => []): readonly Job[] {
  return seeds.map((seed) => trainJob(runName(name, seed), { ...changes, seed }, after(seed)));
}

/** The arms that several figures share. */
export const plain = (seeds: readonly number[]): readonly Job[] => arm("plain", seeds);
export const groundTruth = (seeds: readonly number[]): readonly Job[] => arm("ground-truth", seeds, { reward: "ground-truth" });

/** The model as it was, on the held-out questions and in the same way. */
export const START: Job = {
  name: "start",
  words: ["evaluate", "--model", "builtin", "--engine.threads", "1", "--data", HELD_OUT, "--samples", "64", "--max-tokens", String(MAX_TOKENS), "--template", "{problem}", "--out", "runs/start"],
  after: [],
};

/** The votes of the model as it was on the training questions of a seed. */
export function labelJob(seed: number): Job {
  const name = runName("labels", seed);
  const words = ["label", "--model", "builtin", "--engine.threads", "1", "--data", "task:chain/3-8", "--problems", "1024", "--samples", "16", "--max-tokens", String(MAX_TOKENS), "--template", "{problem}", "--seed", String(seed), "--out", `runs/${name}.jsonl`];
  return { name, words, after: [] };
}

/** What a run of a ladder changes: trained on one level, measured on all of them at its start and its end. */
export function rung({ task, file }: Ladder, level: number, steps: number): Changes {
  return { train: `task:${task}/${level}`, "train-problems": 400, "held-out": file, "learning-rate": 3e-4, steps, "evaluate-every": steps, "evaluate-samples": 16, "start-votes": 0 };
}

/** Held-out questions by what they are for: the test proper, the ten that early stopping may see, and another family. */
export interface HeldOut {
  readonly test: Chosen;
  readonly validation: Chosen;
  readonly bits: Chosen;
  readonly level: (level: number) => Chosen;
}

/** Operands of a question: its level. */
const levelOf = (id: string): number => (id.match(id.startsWith("bits:") ? /[01]{4}/g : /\d/g) ?? []).length;

export function heldOut(): HeldOut {
  const { test, validation } = heldOutProblems();
  const ids = (problems: readonly LabelledProblem[]): Chosen => {
    const known = new Set(problems.map(({ id }) => id));
    return (id) => known.has(id);
  };
  const tested = ids(test);
  return { test: tested, validation: ids(validation), bits: (id) => id.startsWith("bits:"), level: (level) => (id) => tested(id) && levelOf(id) === level };
}

/** Of a ladder's questions, those of one level. */
export const onRung = (level: number): Chosen => (id) => levelOf(id) === level;

/**
 * The data files by name. Of the test questions each answer is true of equally many on each level, so that a model
 * that always says the same is right on a tenth of them. All are of the split that is never trained on.
 */
export function dataFiles(): Readonly<Record<string, string>> {
  const { test, validation, bits } = heldOutProblems();
  const ladders = LADDERS.map(({ task, levels, file }) => [file, rowsOf(levels.flatMap((level) => heldOutOf(`${task}/${level}`, LADDER_QUESTIONS)))] as const);
  return { [HELD_OUT]: rowsOf([...test, ...validation, ...bits]), ...Object.fromEntries(ladders) };
}

function heldOutProblems() {
  const test = LEVELS.flatMap((level) => balanced(heldOutOf(`chain/${level}`, 60 * PER_ANSWER)));
  const tested = new Set(test.map(({ id }) => id));
  const validation = heldOutOf("chain/3-8", 4 * VALIDATION).filter(({ id }) => !tested.has(id)).slice(0, VALIDATION);
  return { test, validation, bits: heldOutOf("bits/2-4", BITS) };
}

function heldOutOf(task: string, problems: number): readonly LabelledProblem[] {
  return loadTask(`task:${task}`, { split: "held-out", problems, seed: 0 });
}

/** The first problems of each answer. */
function balanced(problems: readonly LabelledProblem[]): readonly LabelledProblem[] {
  const counts = new Map<string, number>();
  return problems.filter(({ answer }) => {
    const count = (counts.get(answer) ?? 0) + 1;
    counts.set(answer, count);
    return count <= PER_ANSWER;
  });
}

function rowsOf(problems: readonly LabelledProblem[]): string {
  return problems.map(({ id, prompt, answer }) => `${JSON.stringify({ id, problem: prompt, answer })}\n`).join("");
}
