import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataError } from "../errors.ts";
import { assertDisjoint, loadLabelledProblems, loadProblems } from "./problems.ts";

const fields = { id: "id", prompt: "problem", answer: "answer" };
const options = { fields, limit: 0 };
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
  const error: unknown = await load(await fileOf(text), { fields, limit }).then(() => undefined, (reason: unknown) => reason);
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
    const named = { fields: { id: "key", prompt: "question", answer: "gold" }, limit: 1 };
    expect(await loadLabelledProblems(file, named)).toEqual([{ id: "a", prompt: "1+1=", answer: "2", source: file }]);
  });

  it("gives a row without an id the same one wherever it stands", async () => {
    const [first] = await loadProblems(await fileOf('{"problem": "1+1="}\n{"problem": "2+2="}\n'), options);
    const [, second] = await loadProblems(await fileOf('{"problem": "2+2="}\n{"problem": "1+1="}\n'), options);
    expect(first!.id).toBe(second!.id);
    // printf '1+1=' | sha256sum
    expect(first!.id).toBe("477d64453f163442");
  });

  it.each([
    ["", "data.jsonl is empty; expected one JSON object per line."],
    [" \n\n", "data.jsonl is empty; expected one JSON object per line."],
    ['{"problem": "a"}\n[1]\n', "data.jsonl, line 2 is not a JSON object; expected fields and values in braces."],
    ['{"id": "a", "question": "b"}\n', "data.jsonl, line 1 has no question in the field `problem` (`fields.prompt` names the field); it has `id`, `question`."],
    ['{"problem": "a"}\n{"problem": "  "}\n', "data.jsonl, line 2 has no question in the field `problem` (`fields.prompt` names the field); it has `problem`."],
    ['{"id": 1, "problem": "a"}\n\n{"id": "1", "problem": "b"}\n', "data.jsonl, lines 1 and 3 have the same id `1` (without an id, the same question); ids must be distinct."],
  ])("refuses %j", async (text, expected) => expect(await refusal(text)).toBe(expected));

  it("names the line that is not JSON", async () => {
    expect(await refusal('{"problem": "a"}\n{"problem": \n')).toMatch(/^data\.jsonl, line 2 is not valid JSON: .+\.$/);
  });

  it("refuses a file that is missing or shorter than asked", async () => {
    await expect(loadProblems(join(folder, "none.jsonl"), options)).rejects.toThrow(`cannot read ${folder}/none.jsonl: no such file or directory (ENOENT).`);
    await expect(loadProblems(folder, options)).rejects.toThrow(`cannot read ${folder}: illegal operation on a directory (EISDIR).`);
    expect(await refusal('{"problem": "a"}\n', loadProblems, 2)).toBe("data.jsonl holds fewer rows (1) than were asked for (2).");
  });
});

describe("loadLabelledProblems", () => {
  it("refuses a row without an answer", async () => {
    expect(await refusal('{"problem": "a", "answer": "1"}\n{"problem": "b"}\n', loadLabelledProblems)).toBe(
      "data.jsonl, line 2 has no answer in the field `answer`; evaluation and the ground-truth reward need one (`fields.answer` names the field).",
    );
  });
});

describe("assertDisjoint", () => {
  const problem = (id: string, source: string) => ({ id, prompt: id, source });
  it("accepts two sets without a common id", () => {
    expect(() => assertDisjoint([problem("a", "x")], [problem("b", "y")])).not.toThrow();
  });
  it("refuses a held-out problem that is trained on", () => {
    expect(() => assertDisjoint([problem("a", "x"), problem("b", "x")], [problem("b", "y")])).toThrow(
      "the held-out problem `b` of y is also a training problem (x); remove it from one of them.",
    );
  });
});
