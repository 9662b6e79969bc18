import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { selftrain } from "../../test/e2e/command.ts";
import { loadTask } from "../tasks/index.ts";
import { countOf } from "./select.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "selftrain-select-"));
  const label = (id: string, share: number, passRate: number) => `${JSON.stringify({ id, problem: `${id}=`, label: "1", share, passRate })}\n`;
  await writeFile(join(folder, "labels.jsonl"), [label("c", 0.5, 0), label("a", 0.25, 0.25), label("d", 1, 0.5), label("b", 0.5, 0.5)].join(""));
  await writeFile(join(folder, "shares.jsonl"), '{"id": "a", "label": "1", "share": 0.5}\n');
  await writeFile(join(folder, "questions.jsonl"), ["a", "b", "d"].map((id) => `${JSON.stringify({ id, question: `${id}+0=`, answer: 3 })}\n`).join(""));
});
afterAll(() => rm(folder, { recursive: true }));

const run = (...parameters: readonly string[]) => selftrain(["select", ...parameters], { folder });
const written = async (...parameters: readonly string[]) => {
  const { code, stderr } = await run("labels.jsonl", "--out", "out.jsonl", ...parameters);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return (await readFile(join(folder, "out.jsonl"), "utf8")).trim().split("\n").map((line) => JSON.parse(line) as { readonly id: string });
};
const ids = async (...parameters: readonly string[]) => (await written(...parameters)).map(({ id }) => id).join("");

describe("select", () => {
  it("keeps the largest shares or pass rates, on a tie the first ids, easiest first", async () => {
    expect(await ids("--keep", "1/2")).toBe("db");
    expect(await ids("--keep", "3", "--by", "majority-share")).toBe("dbc");
    expect(await ids("--keep", "0.75", "--by", "pass-rate")).toBe("bda");
  });

  it("draws a random part by the seed", async () => {
    const drawn = await ids("--keep", "2", "--by", "random", "--seed", "4");
    expect(await ids("--keep", "2", "--by", "random", "--seed", "4")).toBe(drawn);
    expect(new Set(drawn).size).toBe(2);
  });

  it("writes questions that can be trained on, with text and answers of the data where it is named", async () => {
    expect(await written("--keep", "1")).toEqual([{ id: "d", problem: "d=" }]);
    const task = ["--data", "task:chain/5", "--problems", "4", "--seed", "2"];
    const { id } = loadTask("task:chain/5", { split: "train", problems: 4, seed: 2 })[0]!;
    await writeFile(join(folder, "task.jsonl"), `${JSON.stringify({ id, problem: "?", template: "{problem}!", label: null, share: 0 })}\n`);
    const taken = async (...flags: readonly string[]) => (await run("task.jsonl", "--keep", "1", "--out", "task-out.jsonl", ...flags), JSON.parse(await readFile(join(folder, "task-out.jsonl"), "utf8")) as object);
    expect(await taken()).toEqual({ id, problem: "?", template: "{problem}!" });
    expect(await taken(...task)).toEqual({ id, problem: id.slice("chain:".length), answer: expect.stringMatching(/^\d$/) as string, template: "{problem}" });
    expect(await written("--keep", "1", "--data", "questions.jsonl", "--fields.prompt", "question")).toEqual([{ id: "d", problem: "d+0=", answer: "3" }]);
  });

  it("prints a table for people, and one JSON object for programs", async () => {
    const { stdout, stderr } = await run("labels.jsonl", "--keep", "1/2", "--out", "out.jsonl", "--json");
    expect(JSON.parse(stdout)).toEqual({ problems: 4, kept: 2, meanShare: { all: 0.5625, kept: 0.75 }, meanPassRate: { all: 0.3125, kept: 0.5 } });
    expect(stderr).toBe("kept 2 of 4 questions by majority-share:\n      mean share  mean pass rate\nall   56.3 %      31.3 %\nkept  75.0 %      50.0 %\nThe questions are in out.jsonl\n");
  });

  it.each([
    ["a part that is none", ["labels.jsonl", "--keep", "5", "--out", "x.jsonl"], 2, "flag --keep: `5` is no part of 4 questions; expected a fraction such as 1/3 or 0.33, or a number of at most 4"],
    ["no part", ["labels.jsonl", "--out", "x.jsonl"], 2, "required flag `--keep <part>` not specified"],
    ["its own input", ["labels.jsonl", "--keep", "1", "--out", "./labels.jsonl"], 2, "--out ./labels.jsonl is the file that is read; name another"],
    ["pass rates that are not there", ["shares.jsonl", "--keep", "1", "--by", "pass-rate", "--out", "x.jsonl"], 1, "shares.jsonl: the row of `a` has no `passRate`; label questions whose answers are known, or select by majority-share."],
    ["questions that are not there", ["shares.jsonl", "--keep", "1", "--out", "x.jsonl"], 1, "shares.jsonl: the row of `a` has no `problem`, the text of the question; name the questions with --data."],
    [
      "other questions", ["labels.jsonl", "--keep", "1/1", "--data", "questions.jsonl", "--fields.prompt", "question", "--out", "x.jsonl"], 1,
      "the question `c` of labels.jsonl is not among those of --data; name the data that was labelled (with its --problems and --seed, if it is a task).",
    ],
  ])("refuses %s", async (_what, parameters, code, message) => {
    expect(await run(...parameters)).toEqual({ code, stdout: "", stderr: `selftrain: ${message}\n` });
  });
});

describe("countOf", () => {
  it("rounds fractions of the questions", () => {
    expect(["1/3", "0.33", "2/3", "1/1", "1.0", "1", "7"].map((keep) => countOf(keep, 10))).toEqual([3, 3, 7, 10, 10, 1, 7]);
    expect(countOf("1/3", 9)).toBe(3);
  });

  it.each(["0", "0.01", "11", "4/3", "1/0", "-1", "a third", ""])("refuses %j of 10", (keep) => {
    expect(() => countOf(keep, 10)).toThrow("is no part of 10 questions");
  });
});
