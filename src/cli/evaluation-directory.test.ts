import { appendFile, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFakePolicy, fakeRenderer } from "../../test/fake-policy.ts";
import { exactGrader } from "../../test/train-fixture.ts";
import { RunDirectoryError } from "../errors.ts";
import { evaluate } from "../evaluate.ts";
import type { LabelledProblem } from "../types.ts";
import { openEvaluation } from "./evaluation-directory.ts";
import type { EvaluationRequest } from "./evaluation-directory.ts";

let folder = "";
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), "selftrain-evaluation-"))));
afterAll(() => rm(folder, { recursive: true }));

const problems = Array.from({ length: 7 }, (_, index): LabelledProblem => ({ id: `p${index}`, prompt: `${index}=`, source: "test", answer: String(index) }));
const request: EvaluationRequest = { settings: { model: "fake", samples: 4 }, problems, batchSize: 3, resume: false };
const completionsOf = (name: string) => readFile(join(folder, name, "completions.jsonl"), "utf8");

/** Evaluates into a directory in batches of 3; stops as if killed before batch `killedBefore` (from 0) is saved. */
async function run(name: string, { resume = false, killedBefore = Infinity } = {}) {
  const directory = await openEvaluation(join(folder, name), { ...request, resume });
  let batch = Math.ceil(directory.earlier.length / 3);
  try {
    const done = async (completions: Parameters<typeof directory.append>[0]) => {
      if (batch++ === killedBefore) throw new Error("killed");
      await directory.append(completions);
    };
    return await evaluate({
      policy: createFakePolicy(), renderer: fakeRenderer, grader: exactGrader, problems, samples: 4, temperature: 1, topP: 1, maxTokens: 4, seed: 3,
      batches: { size: 3, earlier: directory.earlier, done },
    });
  } finally {
    await directory.close();
  }
}

describe("openEvaluation", () => {
  it("lets a killed evaluation end as if it had not been, wherever it was", async () => {
    const whole = await run("whole");
    for (const killedBefore of [0, 1, 2]) {
      const name = `killed-${killedBefore}`;
      await expect(run(name, { killedBefore })).rejects.toThrow("killed");
      // Half a batch, half a line.
      await appendFile(join(folder, name, "completions.jsonl"), (await completionsOf("whole")).split("\n")[3 * killedBefore]!.slice(0, 40));
      expect(await run(name, { resume: true })).toEqual(whole);
      expect(await completionsOf(name)).toBe(await completionsOf("whole"));
    }
  });

  it("gives back an evaluation that is complete without sampling", async () => {
    const { earlier, close } = await openEvaluation(join(folder, "whole"), { ...request, resume: true });
    await close();
    expect(earlier.map(({ problem }) => problem)).toEqual(problems);
    expect(await run("whole", { resume: true, killedBefore: 0 })).toMatchObject({ problems: 7, k: 4 });
  });

  it("drops the lines of a batch that is not whole", async () => {
    await run("partial");
    const lines = (await completionsOf("partial")).split("\n");
    await writeFile(join(folder, "partial/completions.jsonl"), `${lines.slice(0, 5).join("\n")}\n`);
    const { earlier, close } = await openEvaluation(join(folder, "partial"), { ...request, resume: true });
    await close();
    expect(earlier.map(({ problem }) => problem.id)).toEqual(["p0", "p1", "p2"]);
  });

  it("writes rows that `selftrain vote` takes", async () => {
    const [first] = (await completionsOf("whole")).split("\n").map((line) => JSON.parse(line || "null") as Record<string, unknown>);
    expect(Object.keys(first!)).toEqual(["id", "problem", "answer", "completions", "tokens"]);
    expect(first).toMatchObject({ id: "p0", problem: "0=", answer: "0" });
  });

  it("refuses a directory that is there, of something else, or of another evaluation", async () => {
    const refusal = async (name: string, changes: Partial<EvaluationRequest>): Promise<string> => {
      const error: unknown = await openEvaluation(join(folder, name), { ...request, ...changes }).then(() => null, (reason: unknown) => reason);
      expect(error).toBeInstanceOf(RunDirectoryError);
      return (error as Error).message.replaceAll(folder, "DIR");
    };
    expect(await refusal("whole", {})).toBe("DIR/whole exists already and is not empty; continue that evaluation with --resume, or name another directory.");
    expect(await refusal("whole", { resume: true, settings: { model: "fake", samples: 8 } })).toBe(
      "DIR/whole/settings.json says that this was begun with `4` for `samples`, not `8`; continue it with the same settings, or name another place with --out.",
    );
    expect(await refusal(".", { resume: true })).toContain("is not the directory of an evaluation (it has no settings.json)");
    expect(await readdir(join(folder, "whole"))).not.toContain("lock");
  });
});
