import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { configSchema } from "../config.ts";
import { loadRunProblems } from "./problems.ts";

let folder = "";
let train = "";
let heldOut = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "selftrain-problems-"));
  train = join(folder, "train.jsonl");
  heldOut = join(folder, "held-out.jsonl");
  await writeFile(train, '{"id": "a", "problem": "1+1=", "answer": "2"}\n{"id": "b", "problem": "2+2=", "answer": "4"}\n');
  await writeFile(heldOut, '{"id": "c", "problem": "3+3=", "answer": "6"}\n');
});
afterAll(() => rm(folder, { recursive: true }));

describe("loadRunProblems", () => {
  it("keeps answers away from training, whatever the data holds", async () => {
    const files = await loadRunProblems(configSchema.parse({ train, heldOut }));
    expect(files.training).toEqual([{ id: "a", prompt: "1+1=", source: train }, { id: "b", prompt: "2+2=", source: train }]);
    expect(files.heldOut).toEqual([{ id: "c", prompt: "3+3=", answer: "6", source: heldOut }]);
    expect(files.labels).toBeNull();

    const task = await loadRunProblems(configSchema.parse({ train: "task:chain/5", trainProblems: 8, heldOut: "task:chain/5", heldOutProblems: 4 }));
    expect(task.training).toHaveLength(8);
    for (const problem of task.training) expect(Object.keys(problem).sort()).toEqual(["id", "prompt", "source"]);
    expect(task.heldOut).toHaveLength(4);
    expect(task.labels).toBeNull();
  });

  it("gives the ground-truth reward its labels, apart from the same problems", async () => {
    const problems = await loadRunProblems(configSchema.parse({ train, heldOut, reward: "ground-truth" }));
    expect(problems.training).toEqual((await loadRunProblems(configSchema.parse({ train, heldOut }))).training);
    expect(problems.labels).toEqual(new Map([["a", "2"], ["b", "4"]]));
  });

  it("wants answers where they are used", async () => {
    const bare = join(folder, "bare.jsonl");
    await writeFile(bare, '{"problem": "1+1="}\n');
    await expect(loadRunProblems(configSchema.parse({ train: bare, heldOut }))).resolves.toMatchObject({ training: [{ prompt: "1+1=" }] });
    await expect(loadRunProblems(configSchema.parse({ train: bare, heldOut, reward: "ground-truth" }))).rejects.toThrow("line 1 has no answer");
    await expect(loadRunProblems(configSchema.parse({ train, heldOut: bare }))).rejects.toThrow("line 1 has no answer");
  });
});
