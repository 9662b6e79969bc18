import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataError } from "../errors.ts";
import { loadLabelledProblems, loadProblems } from "./problems.ts";

const fields = { id: "id", prompt: "problem", answer: "answer" };
const options = { fields, limit: 0, role: "train" } as const;
let folder = "";
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), "selftrain-data-"))));
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(text: string): Promise<string> {
  const file = join(folder, "data.jsonl");
  await writeFile(file, text);
  return file;
}

/** The sentence with which a file is refused, its folder left out. */
async function refusal(text: string, load: typeof loadProblems = loadProblems, limit = 0): Promise<string> {
  const error: unknown = await load(await fileOf(text), { ...options, limit }).then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).message.replaceAll(`${folder}/`, "");
}

describe("loadProblems", () => {
  it("reads rows, and leaves their answers behind", async () => {
    const file = await fileOf('{"id": 7, "problem": "1+1=", "answer": "2"}\r\n\n{"id": "b", "problem": "2+2="}\n');
    expect(await loadProblems(file, options)).toEqual([
      { id: "7", prompt: "1+1=", source: file },
      { id: "b", prompt: "2+2=", source: file },
    ]);
  });

  it("takes fields by name, and as many rows as asked", async () => {
    const file = await fileOf('{"key": "a", "question": "1+1=", "gold": 2}\n{"key": "b", "question": "2+2=", "gold": 4}\n');
    const named = { fields: { id: "key", prompt: "question", answer: "gold" }, limit: 1, role: "train" } as const;
    expect(await loadLabelledProblems(file, named)).toEqual([{ id: "a", prompt: "1+1=", answer: "2", source: file }]);
  });

  it("takes a row's own template, and nothing else that goes by this name", async () => {
    const file = await fileOf('{"id": "a", "problem": "1+1", "template": "{problem}="}\n{"id": "b", "problem": "2+2", "template": 7}\n{"id": "c", "problem": "3+3", "template": "sum"}\n');
    expect((await loadProblems(file, options)).map(({ template }) => template)).toEqual(["{problem}=", undefined, undefined]);
  });

  it("gives a row without an id the same one wherever it stands", async () => {
    const [first] = await loadProblems(await fileOf('{"problem": "1+1="}\n{"problem": "2+2="}\n'), options);
    const [, second] = await loadProblems(await fileOf('{"problem": "2+2="}\n{"problem": "1+1="}\n'), options);
    expect(first!.id).toBe(second!.id);
    // printf '1+1=' | sha256sum
    expect(first!.id).toBe("477d64453f163442");
  });

  it("numbers a question that comes again without an id", async () => {
    const problems = await loadProblems(await fileOf('{"problem": "1+1="}\n{"problem": "2+2="}\n{"problem": "1+1="}\n'), options);
    expect(problems.map(({ id }) => id)).toEqual(["477d64453f163442", expect.stringMatching(/^[0-9a-f]{16}$/), "477d64453f163442-2"]);
  });

  it.each([
    ["", "data.jsonl is empty; expected one JSON object per line."],
    [" \n\n", "data.jsonl is empty; expected one JSON object per line."],
    ['{"problem": "a"}\n[1]\n', "data.jsonl, line 2 is not a JSON object; expected fields and values in braces."],
    ['{"id": "a", "question": "b"}\n', "data.jsonl, line 1 has no question in the field `problem` (`fields.prompt` names the field); it has `id`, `question`."],
    ['{"problem": "a"}\n{"problem": "  "}\n', "data.jsonl, line 2 has no question in the field `problem` (`fields.prompt` names the field); it has `problem`."],
    ['{"id": 1, "problem": "a"}\n\n{"id": "1", "problem": "b"}\n', "data.jsonl, line 3 has the same id `1` as data.jsonl, line 1; ids must be distinct (`fields.id` names the field)."],
  ])("refuses %j", async (text, expected) => expect(await refusal(text)).toBe(expected));

  it("names the line that is not JSON", async () => {
    expect(await refusal('{"problem": "a"}\n{"problem": \n')).toMatch(/^data\.jsonl, line 2 is not valid JSON: .+\.$/);
  });

  it("refuses a file that is missing or shorter than asked", async () => {
    await expect(loadProblems(join(folder, "none.jsonl"), options)).rejects.toThrow(`cannot read ${folder}/none.jsonl: no such file or directory (ENOENT).`);
    await mkdir(join(folder, "folder.jsonl"));
    await expect(loadProblems(join(folder, "folder.jsonl"), options)).rejects.toThrow(`cannot read ${folder}/folder.jsonl: illegal operation on a directory (EISDIR).`);
    expect(await refusal('{"problem": "a"}\n', loadProblems, 2)).toBe("data.jsonl holds fewer rows (1) than were asked for (2).");
  });
});

describe("loadLabelledProblems", () => {
  it("refuses a row without an answer", async () => {
    expect(await refusal('{"problem": "a", "answer": "1"}\n{"problem": "b"}\n', loadLabelledProblems)).toBe(
      "data.jsonl, line 2 has no answer in the field `answer`; evaluation and the ground-truth reward need one (`fields.answer` names the field).",
    );
  });

  it("reads lists of answers, numbers, subjects and levels", async () => {
    const file = join(folder, "data.csv");
    await writeFile(file, "id,problem,answer,subject,level\na,1+1=,2,Algebra,3\nb,2+2=,4,,\n");
    expect(await loadLabelledProblems(file, options)).toEqual([
      { id: "a", prompt: "1+1=", answer: "2", subject: "Algebra", level: "3", source: file },
      { id: "b", prompt: "2+2=", answer: "4", source: file },
    ]);
    const [several] = await loadLabelledProblems(await fileOf('{"id": 1, "problem": "x^2=4", "answer": ["2", -2]}\n'), options);
    expect(several!.answer).toBe("2, -2");
    expect(await refusal('{"problem": "a", "answer": []}\n', loadLabelledProblems)).toContain("line 1 has no answer");
  });
});
