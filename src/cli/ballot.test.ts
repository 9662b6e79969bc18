import { existsSync } from "node:fs";
import { readFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createGrader } from "../grading/index.ts";
import { ballotRow, castBallot, readCompletions, summarizeBallots } from "./ballot.ts";

const grader = createGrader();
const boxed = (...answers: readonly string[]) => answers.map((answer) => (answer === "" ? "I don't know." : `So it is \\boxed{${answer}}.`));

describe("castBallot", () => {
  it("votes, labels, rewards and checks the label", () => {
    const ballot = castBallot({ id: "a", completions: boxed("1/2", "3", "0.5", "", "3", "\\frac{1}{2}"), answer: "0.5" }, grader);
    expect(ballotRow(ballot)).toEqual({
      id: "a",
      samples: 6,
      answers: ["1/2", "3", "0.5", null, "3", "\\frac{1}{2}"],
      classes: [
        { answer: "1/2", count: 3, members: [0, 2, 5] },
        { answer: "3", count: 2, members: [1, 4] },
      ],
      majorityShare: 0.5,
      majorityShareOfAnswered: 0.6,
      margin: 1 / 6,
      tied: false,
      abstentions: 1,
      pseudoLabel: "1/2",
      rewards: [1, 0, 1, 0, 0, 1],
      labelCorrect: true,
    });
  });

  it("gives no label and no reward when all abstain", () => {
    const ballot = castBallot({ id: "a", completions: boxed("", ""), answer: "1" }, grader);
    expect(ballot).toMatchObject({ pseudoLabel: null, rewards: [0, 0], labelCorrect: null });
  });
});

describe("summarizeBallots", () => {
  it("means over problems, and counts only labels whose truth is known", () => {
    const rows = [
      { id: "right", completions: boxed("1", "1", "1", "2"), answer: "1" },
      { id: "wrong", completions: boxed("1", "2", "", "2"), answer: "1" },
      { id: "unknown", completions: boxed("1", "") },
      { id: "silent", completions: boxed("", ""), answer: "1" },
    ];
    const summary = summarizeBallots(rows.map((row) => castBallot(row, grader)));
    expect(summary).toEqual({ problems: 4, labelAccuracy: 0.5, meanMajorityShare: (0.75 + 0.5 + 0.5 + 0) / 4, abstentions: 4 });
  });

  it("has no label accuracy without answers", () => {
    expect(summarizeBallots([castBallot({ id: "a", completions: boxed("1") }, grader)]).labelAccuracy).toBeNull();
  });
});

describe("readCompletions", () => {
  let file = "";
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "selftrain-vote-"));
    file = join(folder, "rows.jsonl");
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("reads ids and answers that are numbers, and leaves other fields out", async () => {
    await writeFile(file, '{"id": 1, "completions": ["a"], "answer": 5, "level": 3}\n{"id": "b", "completions": ["a"], "answer": null}\n');
    expect(await readCompletions(file)).toEqual([{ id: "1", completions: ["a"], answer: "5" }, { id: "b", completions: ["a"] }]);
  });

  it.each([
    ['{"completions": ["a"]}', "line 1: the field `id` is missing; expected text or a number."],
    ['{"id": "a"}', "line 1: the field `completions` is missing; expected a list of at least one text."],
    ['{"id": "a", "completions": []}', "line 1: the field `completions` is of another kind; expected a list of at least one text."],
    ['{"id": "a", "completions": "a"}', "line 1: the field `completions` is of another kind; expected a list of at least one text."],
    ['{"id": "a", "completions": ["a"]}\n{"id": "a", "completions": ["b"]}', "lines 1 and 2 have the same id `a`; ids must be distinct."],
  ])("refuses %j", async (text, expected) => {
    await writeFile(file, text);
    await expect(readCompletions(file)).rejects.toThrow(`${file}, ${expected}`);
  });
});

describe("real completions of a strong model", () => {
  const rollouts = new URL("../../../shared/data/math-rollouts-50.jsonl", import.meta.url);
  const present = existsSync(rollouts);
  if (!present) console.warn(`skipped: ${rollouts.pathname} is not there`);

  it.skipIf(!present)("votes as the answers that its authors' parser extracted", async () => {
    const extracted = new Map(
      (await readFile(rollouts, "utf8")).trim().split("\n").map((line) => {
        const row = JSON.parse(line) as { id: string; extracted: string[] };
        return [row.id, row.extracted] as const;
      }),
    );
    const rows = await readCompletions(rollouts.pathname);
    expect(rows).toHaveLength(50);
    for (const row of rows) {
      const ballot = castBallot(row, grader);
      const theirs = extracted.get(row.id)!;
      expect(ballot.vote.abstentions, row.id).toBe(0);
      // Their parser drops `p.m.` from a time of day; all else is to the letter of the answer.
      const plain = ballot.pseudoLabel!.replace("\\text{ p.m.}", "");
      const paid = theirs.map((answer) => (grader.same(plain, answer) ? 1 : 0));
      expect(ballot.rewards, row.id).toEqual(paid);
      const majority = Math.max(...theirs.map((answer) => theirs.filter((other) => grader.same(answer, other)).length));
      expect(ballot.vote.majority!.members, row.id).toHaveLength(majority);
    }
  });
});
