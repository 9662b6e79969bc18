import { describe, expect, it } from "vitest";
import { parseConfig } from "../config/index.ts";
import { splitOf } from "../tasks/index.ts";
import { BASE, dataFiles, heldOut, LADDERS, LEVELS, onRung } from "./setting.ts";

interface Row {
  readonly id: string;
  readonly problem: string;
  readonly answer: string;
}
const files = Object.fromEntries(Object.entries(dataFiles()).map(([name, text]) => [name, text.trim().split("\n").map((line) => JSON.parse(line) as Row)]));
const rows = files["data/held-out.jsonl"]!;
const { test, validation, bits, level } = heldOut();

describe("the held-out questions", () => {
  it("are all of the split that is never trained on, each once", () => {
    for (const list of Object.values(files)) {
      expect(list.every(({ problem }) => splitOf(problem) === "held-out")).toBe(true);
      expect(new Set(list.map(({ id }) => id)).size).toBe(list.length);
    }
  });

  it("test: on each level each of the ten answers is true of two", () => {
    for (const each of LEVELS) {
      const counts = new Map<string, number>();
      for (const { answer } of rows.filter(({ id }) => level(each)(id))) counts.set(answer, (counts.get(answer) ?? 0) + 1);
      expect([...counts.values()]).toEqual(Array.from({ length: 10 }, () => 2));
    }
  });

  it("are for one use each", () => {
    const uses = (id: string) => [test, validation, bits].filter((chosen) => chosen(id)).length;
    expect(rows.every(({ id }) => uses(id) === 1)).toBe(true);
    expect([test, validation, bits].map((chosen) => rows.filter(({ id }) => chosen(id)).length)).toEqual([80, 10, 32]);
  });

  it("of the ladders are equally many on each level", () => {
    for (const { file, levels } of LADDERS) {
      expect(levels.map((each) => files[file]!.filter(({ id }) => onRung(each)(id)).length)).toEqual(levels.map(() => 40));
      expect(files[file]).toHaveLength(40 * levels.length);
    }
  });
});

it("the setting is a config", () => {
  expect(parseConfig(BASE, "base.yaml")).toMatchObject({ steps: 80, reward: "majority", teacher: { kind: "none" } });
});
