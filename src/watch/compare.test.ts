import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { AnswersLine } from "../run/index.ts";
import { compareRuns, configDifferences } from "./compare.ts";

let folders: string[];
beforeEach(async () => {
  folders = await Promise.all(["one", "two"].map((name) => mkdtemp(join(tmpdir(), `compare-${name}-`))));
});
afterEach(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

const config = [["evaluate-samples", "4"], ["reward", "majority"]] as const;

async function comparison(first: readonly AnswersLine[], second: readonly AnswersLine[]) {
  const sides = await Promise.all(
    [first, second].map(async (lines, index) => {
      const path = folders[index]!;
      if (lines.length > 0) await writeFile(join(path, "evaluations.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
      return { path, config };
    }),
  );
  return compareRuns(sides[0]!, sides[1]!);
}

const evaluation = (step: number, problems: AnswersLine["problems"]): AnswersLine => ({ kind: "evaluation", step, problems });

it("takes the second run minus the first, problem by problem, where both were evaluated", async () => {
  const first = [evaluation(0, [["a", 1, "3", true], ["b", 1, "9", false]]), evaluation(10, [["a", 1, "3", true], ["b", 0, null, false]])];
  const second = [evaluation(10, [["b", 2, "4", true], ["a", 3, "3", true]]), evaluation(20, [["a", 4, "3", true], ["b", 4, "4", true]])];
  const { differences, reason } = await comparison(first, second);
  expect(reason).toBeNull();
  // Both problems gain two of four samples: whichever are drawn, the difference is a half.
  expect(differences).toEqual([{ step: 10, problems: 2, passAt1: { difference: 0.5, low: 0.5, high: 0.5 }, majAtK: { difference: 0.5, low: 0, high: 1 } }]);
});

it("says why two runs can't be compared", async () => {
  const own = [evaluation(0, [["a", 1, "3", true]])];
  expect((await comparison(own, [])).reason).toBe("the second run has no evaluations.jsonl, so its answers to the single problems are not known");
  expect((await comparison(own, [evaluation(5, [["a", 1, "3", true]])])).reason).toBe("the runs were not evaluated at a common step");
  expect((await comparison(own, [evaluation(0, [["b", 1, "3", true]])])).reason).toBe("the runs were evaluated on different held-out problems");
});

it("puts configs side by side", () => {
  expect(configDifferences([["seed", "0"], ["old", "1"]], [["seed", "1"], ["new", "2"]])).toEqual([
    { key: "seed", first: "0", second: "1", differs: true },
    { key: "old", first: "1", second: null, differs: true },
    { key: "new", first: null, second: "2", differs: true },
  ]);
});
