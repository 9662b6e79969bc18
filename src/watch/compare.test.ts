import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { evaluationMetrics } from "../run/index.ts";
import type { AnswersLine } from "../run/index.ts";
import { compareRuns } from "./compare.ts";
import { watchRun } from "./run.ts";

let folders: string[];
beforeEach(async () => {
  folders = await Promise.all(["one", "two"].map((name) => mkdtemp(join(tmpdir(), `compare-${name}-`))));
});
afterEach(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

const figures = { passAt1: 0, standardError: 0, majAtK: 0, majStandardError: 0, k: 4, abstentionRate: 0, meanLength: 1 };

async function comparison(first: readonly AnswersLine[], second: readonly AnswersLine[]) {
  const sides = await Promise.all(
    [first, second].map(async (lines, index) => {
      const path = folders[index]!;
      const written = (values: readonly object[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join("");
      await writeFile(join(path, "config.yaml"), `seed: ${index}\nreward: majority\n`);
      await writeFile(join(path, "metrics.jsonl"), written(lines.map(({ kind, step, problems }) => evaluationMetrics(step, { ...figures, problems: problems.length }, { seconds: 1, elapsed: 1 }, kind))));
      if (lines.length > 0) await writeFile(join(path, "evaluations.jsonl"), written(lines));
      const run = watchRun(path);
      await run.refresh();
      return run;
    }),
  );
  return compareRuns(sides[0]!, sides[1]!);
}

const evaluation = (step: number, problems: AnswersLine["problems"]): AnswersLine => ({ kind: "evaluation", step, problems });

it("takes the second run minus the first, problem by problem, where both were evaluated", async () => {
  const first = [evaluation(0, [["a", 1, "3", true], ["b", 1, "9", false]]), evaluation(10, [["a", 1, "3", true], ["b", 0, null, false]])];
  const second = [evaluation(10, [["b", 2, "4", true], ["a", 3, "3", true]]), evaluation(20, [["a", 4, "3", true], ["b", 4, "4", true]])];
  const { differences, reason, config } = await comparison(first, second);
  expect(reason).toBeNull();
  expect(config.filter(({ key }) => ["seed", "reward"].includes(key))).toEqual([
    { key: "seed", first: "0", second: "1", differs: true },
    { key: "reward", first: "majority", second: "majority", differs: false },
  ]);
  // Both problems gain two of four samples: whichever are drawn, the difference is a half.
  expect(differences).toEqual([{ step: 10, problems: 2, passAt1: { difference: 0.5, low: 0.5, high: 0.5 }, majAtK: { difference: 0.5, low: 0, high: 1 } }]);
});

it("says that a run is gone", async () => {
  const [gone, there] = folders.map(watchRun);
  await rm(folders[0]!, { recursive: true });
  expect((await compareRuns(gone!, there!)).reason).toBe(`${folders[0]!} is no longer there.`);
  await mkdir(folders[0]!);
});

it("says why two runs can't be compared", async () => {
  const own = [evaluation(0, [["a", 1, "3", true]])];
  expect((await comparison(own, [])).reason).toMatch(/compare-two-.* has no answers of evaluations/);
  expect((await comparison(own, [evaluation(5, [["a", 1, "3", true]])])).reason).toBe("The runs were not evaluated at the same steps.");
  expect((await comparison(own, [evaluation(0, [["b", 1, "3", true]])])).reason).toBe("The runs were not evaluated on the same held-out problems.");
});
