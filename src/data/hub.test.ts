import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFakeHub } from "../../test/fake-hub.ts";
import type { FakeHub } from "../../test/fake-hub.ts";
import { fetchSplit, filesOfSplit } from "./hub.ts";
import { loadLabelledProblems } from "./problems.ts";
import type { OpenedSource } from "./sources.ts";

/** Files of one data set, as a repository of the hub. */
const REPOSITORY = "openai/gsm8k";
const FILES: Readonly<Record<string, string>> = {
  "README.md": "# A data set",
  "main/train.jsonl": '{"question": "1+1=", "answer": "One and one.\\n#### 2"}\n',
  "main/test-00000-of-00002.jsonl": '{"question": "2+2=", "answer": "Two #### twos.\\n#### 1,004"}\n',
  "main/test-00001-of-00002.jsonl": '{"question": "3+3=", "answer": "#### 6"}\n',
  "socratic/test.jsonl": '{"question": "?", "answer": "#### 0"}\n',
};

const COMMIT = "c".repeat(40);

let hub: FakeHub;
beforeAll(async () => (hub = await startFakeHub({ [`datasets/${REPOSITORY}`]: { commit: COMMIT, files: FILES, large: ["main/train.jsonl"] } })));
afterAll(() => hub.close());

describe("fetchSplit", () => {
  const split = { repository: REPOSITORY, revision: "main", config: "main", split: "test" };

  it("gives the files of a split, and the commit that they are of", async () => {
    const { files, commit } = await fetchSplit(split, hub.access, "");
    expect(await Promise.all(files.map((file) => readFile(file, "utf8")))).toEqual([FILES["main/test-00000-of-00002.jsonl"], FILES["main/test-00001-of-00002.jsonl"]]);
    expect(commit).toBe(COMMIT);
  });

  it("lets a source be named by its commit, with the same ids", async () => {
    const opened: OpenedSource[] = [];
    const options = { fields: { id: "id", prompt: "question", answer: "answer" }, limit: 0, hub: hub.access, role: "held-out", opened: (source: OpenedSource) => opened.push(source) } as const;
    const sources = ["hub:openai/gsm8k/main:test", "hub:openai/gsm8k/main", "gsm8k", "gsm8k/train"];
    const loaded = [];
    for (const source of sources) loaded.push(await loadLabelledProblems(source, options));
    expect(opened.map(({ pinned }) => pinned)).toEqual([`hub:openai/gsm8k@${COMMIT}/main:test`, `hub:openai/gsm8k@${COMMIT}/main`, `gsm8k@${COMMIT}`, `gsm8k/train@${COMMIT}`]);
    for (const [index, { pinned }] of opened.slice().entries()) expect(await loadLabelledProblems(pinned, options)).toEqual(loaded[index]);
    expect(opened.slice(4).map(({ pinned }) => pinned)).toEqual(opened.slice(0, 4).map(({ pinned }) => pinned));
    await expect(loadLabelledProblems("gsm8k@v2", options)).rejects.toThrow("Invalid rev id: v2");
    await expect(loadLabelledProblems("gsm8k@main", { ...options, dataDir: "data" })).rejects.toThrow("`gsm8k@main` names a revision of the hub, but `data-dir` takes presets from data; leave one of them out");
  });

  it("gives presets their rows: fields, and the answer after the last mark", async () => {
    const warnings: string[] = [];
    const options = { fields: { id: "id", prompt: "problem", answer: "answer" }, limit: 0, hub: hub.access, warn: (message: string) => warnings.push(message) };
    const heldOut = await loadLabelledProblems("gsm8k", { ...options, role: "held-out" });
    expect(heldOut.map(({ prompt, answer, source }) => [prompt, answer, source])).toEqual([["2+2=", "1,004", "gsm8k"], ["3+3=", "6", "gsm8k"]]);
    expect(warnings).toEqual([expect.stringMatching(/: 2 rows, but `gsm8k` as published \(openai\/gsm8k\) has 1319\.$/)]);
    expect((await loadLabelledProblems("gsm8k", { ...options, role: "train" })).map(({ prompt }) => prompt)).toEqual(["1+1="]);
    const named = { ...options, fields: { id: "id", prompt: "question", answer: "answer" }, role: "train" } as const;
    expect((await loadLabelledProblems("hub:openai/gsm8k/socratic:test", named)).map(({ prompt }) => prompt)).toEqual(["?"]);
  });

  it("says what the hub said, and what to do without it", async () => {
    await expect(fetchSplit({ ...split, repository: "openai/gsm9k" }, hub.access, "use a file")).rejects.toThrow(
      /^the data set openai\/gsm9k could not be fetched from the hub \(Repository not found\. .*\); use a file\.$/,
    );
    const unreachable = { ...hub.access, fetch: () => Promise.reject(new TypeError("fetch failed", { cause: new Error("getaddrinfo ENOTFOUND") })) };
    await expect(loadLabelledProblems("aime24", { fields: { id: "id", prompt: "p", answer: "a" }, limit: 0, role: "held-out", hub: unreachable })).rejects.toThrow(
      "the data set HuggingFaceH4/aime_2024 could not be fetched from the hub (fetch failed: getaddrinfo ENOTFOUND); offline, put aime2024.jsonl (or .parquet, .csv) into a folder and name it with `data-dir`.",
    );
  });
});

describe("filesOfSplit", () => {
  const of = (paths: readonly string[], split: string, config: string | null = null) => filesOfSplit(paths, { repository: "o/n", config, split });

  it("takes files by the split in their name or folder, of one kind", () => {
    const paths = ["README.md", "data/train-00001-of-00002.parquet", "data/train-00000-of-00002.parquet", "data/test-00000-of-00001.parquet", "data/train.csv"];
    expect(of(paths, "train")).toEqual(["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"]);
    expect(of(["test/part.jsonl", "testing.jsonl"], "test")).toEqual(["test/part.jsonl"]);
    expect(of(["a/train.csv", "b/train.csv"], "train", "b")).toEqual(["b/train.csv"]);
  });

  it("takes the only file of a data set for its split train", () => {
    expect(of(["AIME_Dataset_1983_2024.csv", ".gitattributes"], "train")).toEqual(["AIME_Dataset_1983_2024.csv"]);
  });

  it("says what there is instead", () => {
    expect(() => of(["data/train.csv"], "test")).toThrow("the data set o/n has no files of the split `test`; it has data/train.csv.");
    expect(() => of(["data/train-00001-of-00003.parquet", "data/train-00002-of-00003.parquet"], "train")).toThrow(
      "the data set o/n has only 2 of the 3 files of its split `train`: data/train-00001-of-00003.parquet, data/train-00002-of-00003.parquet.",
    );
    expect(() => of(["model.bin"], "train", "main")).toThrow("the data set o/n has no files of the split `train` in main/; it has no .jsonl, .parquet, .csv files.");
  });
});
