import { describe, expect, it } from "vitest";
import { UsageError } from "../errors.ts";
import { loadTask, splitOf } from "./load-task.ts";

const prompts = (spec: string, split: "train" | "held-out", problems: number, seed = 0) =>
  loadTask(spec, { split, problems, seed }).map(({ prompt }) => prompt);

describe("loadTask", () => {
  it("gives labelled problems with ids made of family and prompt", () => {
    const [problem] = loadTask("task:chain/5", { split: "train", problems: 1, seed: 4 });
    expect(problem!.prompt).toMatch(/^\d([-+*]\d){4}=$/);
    expect(problem).toEqual({
      id: `chain:${problem!.prompt}`,
      prompt: problem!.prompt,
      answer: problem!.answer,
      source: "task:chain/5",
      template: "{problem}",
    });
  });

  it("draws different problems, the same for the same seed", () => {
    const drawn = prompts("task:bits/2", "train", 500);
    expect(new Set(drawn).size).toBe(500);
    expect(prompts("bits/2", "train", 500)).toEqual(drawn);
    expect(prompts("task:bits/2", "train", 500, 1)).not.toEqual(drawn);
  });

  it("never holds out what another level, seed or size trains on", () => {
    const trained = new Set([...prompts("task:chain/3", "train", 7000, 1), ...prompts("task:chain/3-4", "train", 5000, 2)]);
    const heldOut = [...prompts("task:chain/3", "held-out", 1000, 3), ...prompts("task:chain/3-8", "held-out", 2000, 1)];
    expect(heldOut.filter((prompt) => trained.has(prompt))).toEqual([]);
  });

  /** Every prompt of bits/2. */
  const all = Array.from({ length: 16 * 3 * 16 }, (_, index) => {
    const word = (value: number) => value.toString(2).padStart(4, "0");
    return `${word(index >> 4 & 15)}${"&|^"[index >> 8]!}${word(index & 15)}=`;
  });
  const allHeldOut = all.filter((prompt) => splitOf(prompt) === "held-out");

  it("holds out about one problem in eight, and every problem is in one split", () => {
    expect(Math.abs(allHeldOut.length - 96)).toBeLessThan(4 * Math.sqrt(768 * (1 / 8) * (7 / 8)));
    expect(prompts("task:bits/2", "held-out", allHeldOut.length).sort()).toEqual([...allHeldOut].sort());
    expect(prompts("task:bits/2", "train", 768 - allHeldOut.length).length).toBe(768 - allHeldOut.length);
  });

  it("keeps its splits for ever: runs of other versions must not train on what is held out today", () => {
const sums = Array.from({ length: 40 }, (_, index) => `1+${Math.floor(index / 10)}*${index % 10}=`);
    const heldOut = ["1+0*0=", "1+0*1=", "1+1*8=", "1+2*7=", "1+3*7="];
    expect(sums.filter((prompt) => splitOf(prompt) === "held-out")).toEqual(heldOut);
    expect([splitOf("9-6+3-7*4="), splitOf("1011^0110&1101=")]).toEqual(["held-out", "train"]);
  });

  it("draws the levels of a range equally often", () => {
    const drawn = prompts("task:chain/4-6", "train", 3000);
    for (const operands of [4, 5, 6]) {
      const count = drawn.filter((prompt) => prompt.length === 2 * operands).length;
      expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(3000 * (1 / 3) * (2 / 3)));
    }
  });

  it.each(["task:chain", "task:chain/2", "task:chain/9", "task:chain/6-4", "task:sums/3", "chain/x", ""])("refuses %j by naming what exists", (spec) => {
    expect(() => loadTask(spec, { split: "train", problems: 1, seed: 0 })).toThrow(UsageError);
    expect(() => loadTask(spec, { split: "train", problems: 1, seed: 0 })).toThrow("chain/3 to chain/8, bits/2 to bits/6, arithmetic/1 to arithmetic/6, compare/1 to compare/6, count/3 to count/12, sequence/1 to sequence/9, knights/2 to knights/8");
  });

  it("refuses more problems than the split has", () => {
    const load = (split: "train" | "held-out", problems: number) => () => loadTask("task:bits/2", { split, problems, seed: 0 });
    expect(load("held-out", 200)).toThrow(`task:bits/2 has only ${allHeldOut.length} different held-out problems, not 200; ask for fewer or take a higher level`);
    expect(load("train", 769)).toThrow(`task:bits/2 has only ${768 - allHeldOut.length} different train problems, not 769`);
  });
});
