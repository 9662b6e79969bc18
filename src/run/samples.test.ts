import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { StepReport } from "../types.ts";
import { createRunDirectory } from "./directory.ts";
import type { RunDirectory } from "./directory.ts";
import { describeEnvironment } from "./environment.ts";
import { recordSamples, rewindSamples } from "./samples.ts";

/** Token 9 is the text, 2 ends it. */
const decode = (tokens: readonly number[]): string => tokens.map((token) => (token === 9 ? "so \\boxed{½}\n" : "")).join("");

let folder: string;
let run: RunDirectory;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "samples-"));
  run = await createRunDirectory(join(folder, "run"), { configText: "", environment: await describeEnvironment([]) });
});
afterEach(async () => {
  await run.close();
  await rm(folder, { recursive: true });
});

/** Two samples: one says "½" and is the majority, one ended at once without an answer. */
function report(step: number): StepReport {
  const majority = { answer: "½", members: [1] };
  const ballot = { classes: [majority], samples: 2, abstentions: 1, majority, tied: false, shareOfAnswered: 1, shareOfAll: 0.5, margin: 0.5 };
  return {
    step,
    groups_P: [
      {
        problem: { id: "p1", prompt: "1/2 = ?", source: "test" },
        promptTokens: [5, 6],
        samples_G: [
          { tokens: [], logprobs: new Float32Array([]), stopReason: "length", text: "", answer: null, answerSpan: { start: 0, end: 0 } },
          { tokens: [9, 2], logprobs: new Float32Array([-0.1, -2.5]), stopReason: "stop", text: "so \\boxed{½}\n", answer: "½", answerSpan: { start: 0, end: 1 } },
        ],
        vote: ballot,
        ballot,
        reward: { label: "½", rewards_G: [0, 1] },
        kl_G_T: [new Float32Array(0), new Float32Array([0.25, 0])],
        advantages_G_T: [new Float32Array(0), new Float32Array([1, 1])],
        status: "trained",
      },
    ],
    update: null,
    seconds: { sample: 0, vote: 0, reference: 0, update: 0, total: 0 },
  };
}

it("records every completion, as another reader of Parquet sees it", async () => {
  await recordSamples(run, report(10), { decode, truth: new Map([["p1", "0.5"]]) });
  const bytes = await readFile(join(run.path, "samples", "step-000010.parquet"));
  const rows = await parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) });
  const common = { step: 10, problem: "p1", prompt: "1/2 = ?", pseudoLabel: "½", status: "trained", truth: "0.5" };
  expect(rows).toEqual([
    { ...common, sample: 0, text: "", answer: null, class: null, reward: 0, advantage: 0, kl: 0, stopReason: "length", tokens: [], logprobs: [], tokenEnds: [] },
    {
      ...common,
      sample: 1,
      text: "so \\boxed{½}\n",
      answer: "½",
      class: 0,
      reward: 1,
      advantage: 1,
      kl: 0.25,
      stopReason: "stop",
      tokens: [9, 2],
      logprobs: [Math.fround(-0.1), -2.5],
      tokenEnds: [13, 13],
    },
  ]);
});

it("rewinds to a step", async () => {
  for (const step of [10, 20, 30]) await recordSamples(run, report(step), { decode });
  await rewindSamples(run, 20);
  expect((await readdir(join(run.path, "samples"))).sort()).toEqual(["step-000010.parquet", "step-000020.parquet"]);
});
