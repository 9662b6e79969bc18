import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EvaluationMetrics, StepMetrics, VotesLine } from "../src/run/index.ts";
import { createRandom } from "../src/util/random.ts";

const PROBLEMS = 400;
const PROMPTS = 16;
const SHARES = 16;

export interface LongRun {
  readonly seed: number;
  readonly steps: number;
  /** Step from which on all majorities go over to one answer; none when absent. */
  readonly collapses?: number;
}

/** A run directory as a training of this many steps leaves it, but for samples and checkpoints, with made-up figures of real length. */
export async function writeLongRun(path: string, run: LongRun): Promise<void> {
  await mkdir(path, { recursive: true });
  await writeFile(join(path, "config.yaml"), `seed: ${run.seed}\nsteps: ${run.steps}\nstart-votes: 8\nreward: majority\nalgorithm: rloo\nmodel: builtin\n`);
  const [metrics, votes]: [string[], string[]] = [[], []];
  for (let step = 1; step <= run.steps; step++) {
    const lines = stepOf(run, step);
    votes.push(lines.votes);
    metrics.push(...(step % 50 === 1 ? [JSON.stringify(evaluationOf(run.seed, step - 1)), "\n"] : []), lines.metrics);
  }
  await writeFile(join(path, "votes.jsonl"), votes.join(""));
  await writeFile(join(path, "metrics.jsonl"), metrics.join(""));
}

/** Writes a step as a training does: its votes, then its metrics. */
export async function appendStep(path: string, run: LongRun, step: number): Promise<void> {
  const { metrics, votes } = stepOf(run, step);
  await appendFile(join(path, "votes.jsonl"), votes);
  await appendFile(join(path, "metrics.jsonl"), metrics);
}

/** The lines of a step, the same for the same step. */
function stepOf({ seed, collapses = Infinity }: LongRun, step: number): { readonly metrics: string; readonly votes: string } {
  const { uniform } = createRandom(seed * 1_000_003 + step);
  const places = Array.from({ length: PROMPTS }, (_, index) => (step * PROMPTS + index) % PROBLEMS);
  const idOf = (place: number): string => `chain:${place % 10}*${place % 7}+${place}-3+8*2=`;
  const votes: VotesLine = {
    kind: "votes",
    step,
    votes: places.map((place) => [idOf(place), step > collapses ? "7" : String(uniform() < 0.03 ? place % 9 : place), (8 + Math.floor(uniform() * 9)) / SHARES]),
    start: step * PROMPTS < PROBLEMS + PROMPTS ? places.map((place) => [idOf(place), String(place), 0.75]) : [],
  };
  const share = uniform();
  const counts = { groupsTied: 0, groupsTrained: 9, groupsUnlabelled: 0, groupsWithoutSignal: 7, groupsLeftOut: 0 };
  const shares = { pseudoReward: share, majorityShareOfAll: share, majorityShareOfAnswered: share, unanimousShare: uniform(), ballotShare: share, topAnswerShare: uniform(), labelAccuracy: uniform(), trainPassAt1: uniform(), flipRate: step < 30 ? null : uniform(), startSupport: null, startAgreement: uniform(), abstentionRate: 0, truncatedShare: 0 };
  const amounts = { kl: uniform(), answerTokenKl: uniform(), otherTokenKl: uniform(), klCoefficient: 0.001, meanLength: 10 + uniform(), entropy: uniform(), loss: uniform(), gradientNorm: uniform(), clipFraction: 0, skipped: false, tokens: 2803 };
  const timing = { seconds: 0.5, sampleSeconds: uniform(), voteSeconds: uniform() / 1e4, referenceSeconds: uniform(), updateSeconds: uniform(), tokensPerSecond: 4000 + uniform(), elapsed: step / 2 };
  const metrics: StepMetrics = { kind: "step", step, ...shares, ...counts, ...amounts, timing };
  return { metrics: `${JSON.stringify(metrics)}\n`, votes: `${JSON.stringify(votes)}\n` };
}

function evaluationOf(seed: number, step: number): EvaluationMetrics {
  const { uniform } = createRandom(seed * 7_000_003 + step);
  const passAt1 = uniform();
  return { kind: "evaluation", step, passAt1, standardError: 0.02, majAtK: Math.min(1, passAt1 + 0.1), majStandardError: 0.03, k: 8, abstentionRate: 0, meanLength: 11, problems: 80, timing: { seconds: 0.5, elapsed: step / 2 } };
}
