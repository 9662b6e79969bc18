import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EXTRACTION_RULES, extractAnswer } from "./extract.ts";
import { answerClasses, sameAnswer } from "./grader.ts";

const data = join(import.meta.dirname, "../../../shared/data");

interface Row {
  readonly gold: string;
  readonly pred: string;
  readonly equal?: boolean;
  readonly bare?: boolean;
  readonly disputed?: string;
}

function rows(name: string): Row[] {
  return readFileSync(join(data, name), "utf8").trim().split("\n").map((line) => JSON.parse(line) as Row);
}

const cases = existsSync(join(data, "answer-cases.jsonl"));
const attacks = existsSync(join(data, "answer-attacks.jsonl"));

describe("labelled cases", () => {
  it.skipIf(!cases)(`reach a recall of 98 % without a false positive${cases ? "" : " (skipped: ../shared/data/answer-cases.jsonl is not here)"}`, () => {
    const answerOf = (text: string, bare: boolean | undefined) => (bare ? text : extractAnswer(text, EXTRACTION_RULES)?.answer);
    let [positives, found] = [0, 0];
    const falsePositives: string[] = [];
    for (const { gold, pred, equal, bare, disputed } of rows("answer-cases.jsonl")) {
      if (disputed !== undefined) continue;
      const [left, right] = [answerOf(gold, bare), answerOf(pred, bare)];
      const same = left !== undefined && right !== undefined && sameAnswer(left, right);
      if (equal) [positives, found] = [positives + 1, found + Number(same)];
      else if (same) falsePositives.push(`${gold} and ${pred}`);
    }
    expect(falsePositives).toEqual([]);
    expect(found / positives).toBeGreaterThanOrEqual(0.98);
  });
});

/** Short texts that ask for a lot of work. */
const HOSTILE: readonly string[] = [
  "9^{9^{9^{9}}}", "(10^{10})!", "\\binom{1000000}{500000}", "\\sum_{k=1}^{10^9} k", "\\sum_{a=1}^{99}\\sum_{b=1}^{99}\\sum_{c=1}^{99} abc",
  "(".repeat(5000), "-".repeat(5000), "\\frac{".repeat(2000), "\\boxed{".repeat(3000), "\\text{$".repeat(1500), "|".repeat(4000), "$".repeat(4001),
  "1,".repeat(3000), "x^".repeat(3000), "\\sqrt{1+".repeat(500), "\\pm 1".repeat(500), "(1\\pm 1, ".repeat(200), "{{".repeat(2000), "\\cup".repeat(2000),
  "((((((((1,2),3),4),5),6),7),8),9)", "a b ".repeat(2000), "1 000".repeat(2000), "\\begin{pmatrix}".repeat(500), "answer is ".repeat(2000), "=".repeat(4000), "9".repeat(5000),
];

describe("hostile inputs", () => {
  // The bound is 250 ms on a free core; a busy machine gets some slack.
  const LIMIT = 1000;
  it.each(HOSTILE.map((text) => [text.slice(0, 24), text] as const))("%s…", (_, text) => {
    const start = performance.now();
    extractAnswer(text, EXTRACTION_RULES);
    sameAnswer(text, "1");
    sameAnswer(text, `${text} + 1`);
    answerClasses([text, "1", `${text}1`]);
    expect(performance.now() - start).toBeLessThan(LIMIT);
  });

  it.skipIf(!attacks)(`of ../shared/data are quick${attacks ? "" : " (skipped: answer-attacks.jsonl is not here)"}`, () => {
    for (const { gold, pred } of rows("answer-attacks.jsonl")) {
      const start = performance.now();
      sameAnswer(gold, pred);
      expect(performance.now() - start).toBeLessThan(LIMIT);
    }
  });
});
