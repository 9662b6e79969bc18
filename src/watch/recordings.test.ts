import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createGrader } from "../grading/index.ts";
import { createRunDirectory, describeEnvironment, recordSamples, stepMetrics } from "../run/index.ts";
import type { RunDirectory } from "../run/index.ts";
import { vote } from "../srt/vote.ts";
import type { Group, StepReport } from "../types.ts";
import { createRecordingReader } from "./recordings.ts";
import { watchRun } from "./run.ts";
import type { WatchedRun } from "./run.ts";

const grader = createGrader();
let folder: string;
let run: RunDirectory;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "recordings-"));
  run = await createRunDirectory(join(folder, "run"), { configText: "", environment: await describeEnvironment([]) });
});
afterEach(async () => {
  await run.close();
  await rm(folder, { recursive: true });
});

async function watched(): Promise<WatchedRun> {
  const watching = watchRun(run.path);
  await watching.refresh();
  return watching;
}

const decode = (tokens: readonly number[]): string => String.fromCodePoint(...tokens);

/** A group whose samples say these answers in a box; `null` says none. */
function group(id: string, answers: readonly (string | null)[]): Group {
  const ballot = vote(answers, grader.classes);
  const texts = answers.map((answer) => (answer === null ? "?" : `so \\boxed{${answer}}`));
  const samples_G = texts.map((text, index) => {
    const tokens = Array.from(text, (character) => character.codePointAt(0)!);
    return { tokens, logprobs: new Float32Array(tokens.length).fill(-0.5), stopReason: "stop" as const, text, answer: answers[index]!, answerSpan: { start: 0, end: 0 } };
  });
  const zeros = samples_G.map(({ tokens }) => new Float32Array(tokens.length));
  const label = ballot.majority?.answer ?? null;
  return {
    problem: { id, prompt: `question ${id}`, source: "test" },
    promptTokens: [1],
    samples_G,
    vote: ballot,
    ballot,
    reward: label === null ? { label, rewards_G: answers.map(() => 0) } : { label, rewards_G: answers.map((answer) => (answer === label ? 1 : 0)) },
    kl_G_T: zeros,
    advantages_G_T: zeros,
    status: "trained",
  };
}

const report = (step: number, groups_P: readonly Group[]): StepReport => ({ step, groups_P, update: null, seconds: { sample: 0, vote: 0, reference: 0, update: 0, total: 0 } });

it("lists the problems of a step: what was voted, whether it is right, tied or another than last time", async () => {
  const votes = [
    [["a", "1/2", 1], ["b", "3", 1]],
    [["a", "0.5", 1], ["b", "4", 0.5], ["c", null, 0]],
  ] as const;
  for (const [index, line] of votes.entries()) {
    await run.votes.append({ kind: "votes", step: index + 1, votes: line, start: [] });
    await run.metrics.append(stepMetrics(report(index + 1, [group("a", ["1"])]), { elapsed: 0, klCoefficient: 0 }));
  }
  const truth = new Map([["a", "7"], ["b", "4"]]);
  await recordSamples(run, report(2, [group("a", ["0.5", "\\frac12", null, "8"]), group("b", ["4", "5"]), group("c", [null, null])]), { decode, truth });
  const watching = await watched();
  expect(watching.recordings()).toEqual([2]);
  const problems = await createRecordingReader().problems(watching, 2);
  expect(problems).toEqual([
    { index: 0, id: "a", prompt: "question a", pseudoLabel: "0.5", truth: "7", majorityCorrect: false, shareOfAll: 0.5, classes: 2, tied: false, flipped: false, samples: 4, abstentions: 1, status: "trained" },
    { index: 1, id: "b", prompt: "question b", pseudoLabel: "4", truth: "4", majorityCorrect: true, shareOfAll: 0.5, classes: 2, tied: true, flipped: true, samples: 2, abstentions: 0, status: "trained" },
    { index: 2, id: "c", prompt: "question c", pseudoLabel: null, truth: null, majorityCorrect: null, shareOfAll: 0, classes: 0, tied: false, flipped: null, samples: 2, abstentions: 2, status: "trained" },
  ]);
});

it("shows a problem's classes, why answers are one, and each completion with its answer and tokens in place", async () => {
  await recordSamples(run, report(1, [group("first", ["1"]), group("a", ["3", "3", "x=3", "5", null])]), { decode });
  const problem = await createRecordingReader().open(await watched(), 1, 1);
  expect(problem.groups.map(({ answer, count, correct }) => ({ answer, count, correct }))).toEqual([
    { answer: "3", count: 3, correct: null },
    { answer: "5", count: 1, correct: null },
  ]);
  expect(problem.groups[0]?.spellings).toEqual([
    { text: "3", count: 2, rule: "same text" },
    { text: "x=3", count: 1, rule: "A named value is its value." },
  ]);
  const { text, answerAt, tokenEnds, group: place } = problem.completions[3]!;
  expect([text, place, text.slice(answerAt!.start, answerAt!.end)]).toEqual(["so \\boxed{5}", 1, "5"]);
  expect(tokenEnds).toEqual(Array.from(text, (_, index) => index + 1));
  expect(problem.completions[4]).toMatchObject({ answer: null, group: null, answerAt: null });
  await expect(createRecordingReader().open(await watched(), 1, 2)).rejects.toThrow("Step 1 has 2 problems; there is none of number 2.");
});

it("lists ten thousand samples at once, and opens one problem of them", async () => {
  await recordSamples(run, report(1, Array.from({ length: 625 }, (_, index) => group(String(index), Array.from({ length: 16 }, (_, sample) => String(sample % 3))))), { decode });
  const reader = createRecordingReader();
  const watching = await watched();
  const started = performance.now();
  expect(await reader.problems(watching, 1)).toHaveLength(625);
  const listed = performance.now();
  expect((await reader.open(watching, 1, 624)).completions).toHaveLength(16);
  const opened = performance.now();
  console.log(`10,000 samples listed in ${Math.round(listed - started)} ms, one problem opened in ${Math.round(opened - listed)} ms`);
  expect(listed - started).toBeLessThan(3000);
  expect(opened - listed).toBeLessThan(1000);
});

it("names a recording that is gone or damaged, and reads it once it is there", async () => {
  const reader = createRecordingReader();
  const watching = await watched();
  const path = join(run.path, "samples", "step-000003.parquet");
  await expect(reader.problems(watching, 3)).rejects.toThrow("The samples of step 3 are not recorded");
  await writeFile(path, "not parquet");
  await expect(reader.problems(watching, 3)).rejects.toThrow("step-000003.parquet can't be read");
  await recordSamples(run, report(3, [group("a", ["1"])]), { decode });
  expect(await reader.problems(watching, 3)).toHaveLength(1);
});
