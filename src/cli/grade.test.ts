import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataError } from "../errors.ts";
import { gradingReport, judgeAll, readCases } from "./grade-cases.ts";
import type { GradingCase } from "./grade-cases.ts";
import { reportLines } from "./grade.ts";

const row = (gold: string, pred: string, equal: boolean, more: Partial<GradingCase> = {}): GradingCase => ({
  gold, pred, equal, bare: true, kind: "all", disputed: false, ...more,
});

/** A clock that moves on by one millisecond for every reading. */
function steadyClock(): () => number {
  let now = 0;
  return () => now++;
}

describe("grade", () => {
  const cases = [
    row("\\frac12", "0.5", true, { kind: "numbers" }),
    row("7", "8", false, { kind: "numbers" }),
    row("x=3", "3", true, { kind: "equations" }),
    row("2", "The answer is 2.", true, { kind: "texts", bare: false }),
    row("2", "I don't know.", true, { kind: "texts", bare: false }),
    row("5", "5.0", false, { kind: "numbers" }),
    row("(1,2)", "[1,2]", true, { disputed: true }),
  ];
  const verdicts = judgeAll(cases, steadyClock());
  const report = gradingReport(verdicts);

  it("counts right and wrong verdicts, and leaves disputed rows out", () => {
    expect(report).toMatchObject({ pairs: 7, scored: 6, accuracy: 4 / 6, recall: 3 / 4, falsePositives: 1, falseNegatives: 1 });
  });

  it("counts errors by kind", () => {
    expect(report.kinds).toEqual([
      { kind: "numbers", scored: 3, falsePositives: 1, falseNegatives: 0 },
      { kind: "equations", scored: 1, falsePositives: 0, falseNegatives: 0 },
      { kind: "texts", scored: 2, falsePositives: 0, falseNegatives: 1 },
    ]);
  });

  it("reports the rule that read an answer and the policies that decided", () => {
    expect(verdicts[3]).toMatchObject({ predAnswer: "2", rule: "answer", same: true });
    expect(verdicts[4]).toMatchObject({ predAnswer: null, rule: null, same: false });
    expect(report.policies).toEqual({ label: 1 });
  });

  it("times every pair", () => {
    expect(report.milliseconds).toEqual({ mean: 1, p50: 1, p99: 1, max: 1 });
  });

  it("takes the best time of three passes", () => {
    const readings = [0, 9, 10, 12, 20, 25].values();
    const [verdict] = judgeAll([row("1", "1", true)], () => readings.next().value!);
    expect(verdict?.milliseconds).toBe(2);
  });

  it("prints the figures", () => {
    expect(reportLines(report).at(-3)).toBe("7 pairs, 6 scored: accuracy 66.7 %, recall 75.0 %, 1 false positive, 1 false negative");
  });

  it("has no accuracy without scored rows", () => {
    expect(gradingReport([])).toMatchObject({ pairs: 0, accuracy: null, recall: null });
  });
});

describe("the cases of a file", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "grade-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const read = (...rows: readonly unknown[]) => {
    const file = join(folder, "cases.jsonl");
    writeFileSync(file, rows.map((each) => JSON.stringify(each)).join("\n"));
    return readCases(file);
  };

  it("have defaults for what is left out", async () => {
    expect(await read({ gold: "1", pred: "2", equal: false }, { gold: "1", pred: "1", equal: true, bare: true, kind: "hand", disputed: "order" })).toEqual([
      { gold: "1", pred: "2", equal: false, bare: false, kind: "all", disputed: false },
      { gold: "1", pred: "1", equal: true, bare: true, kind: "hand", disputed: true },
    ]);
  });

  it("name the line and field of a bad row", async () => {
    const bad = read({ gold: "1", pred: "2", equal: false }, { gold: "1", pred: "1", equal: "yes" });
    await expect(bad).rejects.toThrow(DataError);
    await expect(bad).rejects.toThrow(/line 2: the field `equal` is of another kind; expected true or false\.$/);
    await expect(read({ pred: "1", equal: true })).rejects.toThrow(/line 1: the field `gold` is missing; expected text\.$/);
  });
});
