import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { presets } from "./presets.ts";
import type { Preset } from "./presets.ts";
import { loadLabelledProblems, loadProblems } from "./problems.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const fields = { id: "id", prompt: "problem", answer: "answer" };
let dataDir = "";
beforeAll(async () => (dataDir = await mkdtemp(join(tmpdir(), "selftrain-sources-"))));
afterAll(() => rm(dataDir, { recursive: true }));

describe("a preset in a data folder", () => {
  const load = (source: string, role: "train" | "held-out" = "held-out", warn = () => undefined) => loadLabelledProblems(source, { fields, limit: 0, role, dataDir, warn });

  it("is read by the fields of the hub or by id, problem and answer", async () => {
    await writeFile(join(dataDir, "aime1983-2023.csv"), "ID,Year,Question,Answer\n2023-I-1,2023,1+1=,2\n2024-I-1,2024,2+2=,4\n");
    // The hub's data set goes to 2024, the preset to 2023.
    expect(await load("aime-1983-2023", "train")).toEqual([{ id: "2023-I-1", prompt: "1+1=", answer: "2", source: "aime-1983-2023" }]);
    await writeFile(join(dataDir, "minerva.jsonl"), '{"id": "a", "problem": "3+3=", "answer": "6"}\n{"question": "4+4=", "answer": "8"}\n');
    expect((await load("minerva")).map(({ prompt, answer }) => [prompt, answer])).toEqual([["3+3=", "6"], ["4+4=", "8"]]);
  });

  it("has ids of its own where the data set only numbers its rows", async () => {
    await writeFile(join(dataDir, "aime2025.jsonl"), '{"id": "0", "problem": "5+5=", "answer": "10"}\n{"id": "2025-II-1", "problem": "6+6=", "answer": "12"}\n');
    expect((await load("aime25")).map(({ id }) => id)).toEqual(["aime2025#0", "2025-II-1"]);
  });

  it("gives its questions the template that it has, if it has one", async () => {
    await writeFile(join(dataDir, "amc.jsonl"), '{"problem": "7+7=", "answer": "14"}\n');
    const known = presets as Map<string, Preset>;
    known.set("own", { ...known.get("amc23")!, name: "own", template: "Q: {problem}" });
    expect(await load("own")).toMatchObject([{ prompt: "7+7=", template: "Q: {problem}" }]);
    known.delete("own");
    expect((await load("amc23"))[0]).not.toHaveProperty("template");
  });

  it("takes the split of its role, or the one that is named", async () => {
    await writeFile(join(dataDir, "gsm8k-train.jsonl"), '{"problem": "train", "answer": "1"}\n');
    await writeFile(join(dataDir, "gsm8k-test.jsonl"), '{"problem": "test", "answer": "so 2\\n#### 2"}\n');
    const promptOf = async (...parameters: Parameters<typeof load>) => (await load(...parameters))[0]!.prompt;
    expect([await promptOf("gsm8k", "train"), await promptOf("gsm8k", "held-out")]).toEqual(["train", "test"]);
    expect([await promptOf("gsm8k/test", "train"), await promptOf("gsm8k/train", "held-out")]).toEqual(["test", "train"]);
    expect((await load("gsm8k"))[0]!.answer).toBe("2");
  });

  it.each([
    ["math-12k", "the preset `math-12k` is not in DIR: math-12k-test.jsonl (or .parquet, .csv) is missing; put it there, or leave `data-dir` out to fetch hiyouga/math12k from the hub."],
    ["dapo/test", "the preset `dapo` has no split `test`; there is `dapo/train`"],
    ["math50", "`math50` is no source of questions (a preset, a .jsonl, .parquet, .csv file, hub:OWNER/NAME or task:FAMILY/LEVEL); did you mean the preset `math500`?"],
    ["gsm8k/none.jsonl", "cannot read gsm8k/none.jsonl: no such file or directory (ENOENT)."],
    ["hub:gsm8k", "`hub:gsm8k` names no data set of the hub; expected hub:OWNER/NAME, hub:OWNER/NAME:SPLIT or hub:OWNER/NAME/CONFIG:SPLIT"],
  ])("refuses %s", async (source, message) => {
    await expect(load(source)).rejects.toThrow(message.replace("DIR", dataDir));
  });
});

const shared = join(root, "../shared/data");
const present = existsSync(shared);

describe.skipIf(!present)(`the presets that ../shared/data has${present ? "" : " (skipped: there is no ../shared/data beside the repository)"}`, () => {
  // Rows counted with wc -l; the first answers read in the files.
  it.each([
    ["math500", 500, "\\left( 3, \\frac{\\pi}{2} \\right)", []],
    ["gsm8k/train", 7473, "72", []],
    ["gsm8k", 1319, "18", []],
    ["aime-1983-2023", 919, "60", []],
    ["aime24", 30, "204", []],
    ["aime25", 30, "70", []],
    ["amc23", 83, "142", [`${shared}/amc.jsonl: 83 rows, but \`amc23\` as published (math-ai/amc23) has 40.`]],
  ])("%s has %i problems", async (source, count, firstAnswer, expected) => {
    const warnings: string[] = [];
    const problems = await loadLabelledProblems(source, { fields, limit: 0, role: "held-out", dataDir: shared, warn: (message) => warnings.push(message) });
    expect(problems).toHaveLength(count);
    expect(problems[0]!.answer).toBe(firstAnswer);
    expect(new Set(problems.map(({ id }) => id)).size).toBe(count);
    expect(warnings).toEqual(expected);
  });

  it("math500 has subjects and levels, and training sees neither them nor answers", async () => {
    const options = { fields, limit: 1, role: "held-out", dataDir: shared } as const;
    expect((await loadLabelledProblems("math500", options))[0]).toMatchObject({ id: "test/precalculus/807.json", subject: "Precalculus", level: "2" });
    expect(Object.keys((await loadProblems("math500", options))[0]!).sort()).toEqual(["id", "prompt", "source"]);
  });
});

describe("docs/data.md", () => {
  it("has every preset as the code has it", async () => {
    const rows = [...presets.values()].flatMap(({ name, repository, licence, fields: { prompt, answer }, splits }) =>
      Object.entries(splits).map(([split, { file, config, split: published, rows: count }]) => {
        const from = `${config === null ? "" : `${config}, `}${published}`;
        return `| \`${name}\` | ${split} | ${repository} (${from}) | ${count ?? "not stated"} | \`${prompt}\`, \`${answer}\` | \`${file}\` | ${licence} |`;
      }),
    );
    const documented = (await readFile(join(root, "docs/data.md"), "utf8")).split("\n").filter((line) => /^\| `[^`]+` \| (train|test) \|/.test(line));
    expect(documented).toEqual(rows);
  });
});
