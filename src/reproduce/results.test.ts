import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { curve, openResults, ratesAt } from "./results.ts";

let out: string;
const linesOf = (...lines: readonly object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join("");
const answered = (step: number, ...problems: readonly unknown[]) => ({ kind: "evaluation", step, problems });
beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), "results-"));
  for (const name of ["good", "bad"]) await mkdir(join(out, "runs", name), { recursive: true });
  await writeFile(join(out, "runs/good/metrics.jsonl"), linesOf({ kind: "evaluation", step: 0, k: 4 }, { kind: "step", step: 1 }, { kind: "evaluation", step: 1, k: 4 }));
  // The evaluation of step 1 was cut off and done again: the last line counts.
  await writeFile(join(out, "runs/good/evaluations.jsonl"), linesOf(answered(0, ["a", 1, "7", false], ["b", 4, "8", true]), answered(1, ["a", 0, null, false], ["b", 0, null, false]), answered(1, ["a", 3, "7", true], ["b", 4, "8", true])));
  await writeFile(join(out, "runs/bad/metrics.jsonl"), `${JSON.stringify({ kind: "step", step: 1 })}\n{"kind":"st\n`);
});
afterAll(() => rm(out, { recursive: true }));

describe("the results of a run", () => {
  it("are rates by question and curves by step", async () => {
    const run = await openResults(out).run("good");
    expect(ratesAt(run, 1, () => true)).toEqual([{ id: "a", rate: 3 / 4 }, { id: "b", rate: 1 }]);
    expect(ratesAt(run, 1, (id) => id === "a", "maj@k")).toEqual([{ id: "a", rate: 1 }]);
    expect(curve(run, (id) => id === "a")).toEqual([{ x: 0, y: 1 / 4 }, { x: 1, y: 3 / 4 }]);
  });

  it("that are damaged or gone are named, with what to do", async () => {
    await expect(openResults(out).run("bad")).rejects.toThrow("runs/bad/metrics.jsonl, line 2 is no JSON; delete the run");
    await expect(openResults(out).run("none")).rejects.toThrow("runs/none/metrics.jsonl cannot be read");
  });
});
