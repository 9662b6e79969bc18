import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataError } from "../errors.ts";
import { loadOfflineLabels, readLabelRows } from "./labels.ts";

let folder = "";
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), "selftrain-labels-"))));
afterAll(() => rm(folder, { recursive: true }));

async function write(...rows: readonly string[]): Promise<string> {
  const file = join(folder, "labels.jsonl");
  await writeFile(file, rows.map((row) => `${row}\n`).join(""));
  return file;
}
const problems = ["a", "b", "c"].map((id) => ({ id, prompt: `${id}?`, source: "test" }));

describe("loadOfflineLabels", () => {
  it("gives labels and shares by id, leaves out other problems, and lets problems be without a label", async () => {
    const file = await write('{"id": "a", "label": "7", "share": 0.75, "classes": []}', '{"id": "b", "label": null, "share": 0}', '{"id": "z", "label": "1", "share": 1}');
    expect([...(await loadOfflineLabels(file, problems))]).toEqual([["a", { label: "7", share: 0.75 }], ["b", { label: null, share: 0 }]]);
  });

  it("takes labels of any origin: no more than id and label, numbers too", async () => {
    const labels = await loadOfflineLabels(await write('{"id": 1, "label": 2.5}'), [{ id: "1", prompt: "?", source: "test" }]);
    expect([...labels]).toEqual([["1", { label: "2.5" }]]);
  });

  it("refuses a file that labels none of the problems", async () => {
    const file = await write('{"id": "a", "label": null}', '{"id": "z", "label": "1"}');
    await expect(loadOfflineLabels(file, problems)).rejects.toThrow(
      new DataError(`${file} has a label for none of the 3 training problems (the first has the id \`a\`); label the same questions, or name their file.`),
    );
  });

  it.each([
    ["a line that is not JSON", ['{"id": "a", "label": "1"}', '{"id": '], ", line 2 is not valid JSON: "],
    ["a row without an id", ['{"label": "1"}'], ", line 1: the field `id` is missing; expected text or a number."],
    ["a row without a label", ['{"id": "a"}'], ", line 1: the field `label` is missing; expected text, a number, or null where there is none."],
    ["a share above 1", ['{"id": "a", "label": "1", "share": 3}'], ", line 1: the field `share` is of another kind; expected a number from 0 to 1."],
    ["two rows with one id", ['{"id": "a", "label": "1"}', '{"id": "b", "label": "1"}', '{"id": "a", "label": "2"}'], ", lines 1 and 3 have the same id `a`; ids must be distinct."],
  ])("refuses %s", async (_what, rows, message) => {
    const refusal = readLabelRows(await write(...rows));
    await expect(refusal).rejects.toThrow(DataError);
    await expect(refusal).rejects.toThrow(message);
  });
});
