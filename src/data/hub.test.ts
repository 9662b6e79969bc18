import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchSplit, filesOfSplit } from "./hub.ts";
import { loadLabelledProblems } from "./problems.ts";

/** Files of one data set, served as the hub serves them (huggingface.co/docs/hub/api). */
const REPOSITORY = "openai/gsm8k";
const FILES: Readonly<Record<string, string>> = {
  "README.md": "# A data set",
  "main/train.jsonl": '{"question": "1+1=", "answer": "One and one.\\n#### 2"}\n',
  "main/test-00000-of-00002.jsonl": '{"question": "2+2=", "answer": "Two #### twos.\\n#### 1,004"}\n',
  "main/test-00001-of-00002.jsonl": '{"question": "3+3=", "answer": "#### 6"}\n',
  "socratic/test.jsonl": '{"question": "?", "answer": "#### 0"}\n',
};

let server: Server;
let cacheDir = "";
const requests: string[] = [];
const hub = () => ({ hubUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cacheDir, accessToken: "hf_test" });

beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "selftrain-hub-"));
  const entries = Object.entries(FILES).map(([path, content]) => ({ type: "file", path, size: content.length, oid: Buffer.from(path).toString("hex") }));
  const lastCommit = { id: "c".repeat(40), title: "Data", date: "2026-01-01T00:00:00Z" };
  server = createServer((request, response) => {
    const path = decodeURIComponent(request.url!.replace(/\?.*/, ""));
    requests.push(`${request.method!} ${path} ${request.headers.authorization ?? ""}`);
    const json = (value: unknown) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
    if (path === `/api/datasets/${REPOSITORY}/tree/main`) return json(entries);
    if (path === `/api/datasets/${REPOSITORY}/paths-info/main`) {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => json(entries.filter((entry) => (JSON.parse(body) as { paths: string[] }).paths.includes(entry.path)).map((entry) => ({ ...entry, lastCommit }))));
      return;
    }
    const content = FILES[path.replace(`/datasets/${REPOSITORY}/resolve/main/`, "")];
    if (content === undefined) return response.writeHead(404, { "content-type": "application/json" }).end('{"error": "Repository not found"}');
    const [, first, last] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "") ?? [];
    const end = last === undefined || last === "" ? content.length - 1 : Number(last);
    const part = content.slice(Number(first ?? 0), end + 1);
    response.writeHead(first === undefined ? 200 : 206, { etag: '"x"', "content-range": `bytes ${first ?? 0}-${end}/${content.length}` }).end(part);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  server.close();
  await rm(cacheDir, { recursive: true });
});

describe("fetchSplit", () => {
  const split = { repository: REPOSITORY, config: "main", split: "test" };

  it("downloads the files of a split with the token, and takes them from the cache the next time", async () => {
    const files = await fetchSplit(split, hub(), "");
    expect(await Promise.all(files.map((file) => readFile(file, "utf8")))).toEqual([FILES["main/test-00000-of-00002.jsonl"], FILES["main/test-00001-of-00002.jsonl"]]);
    expect(requests.filter((request) => request.includes("/resolve/")).length).toBeGreaterThan(0);
    expect(requests.every((request) => request.endsWith("Bearer hf_test"))).toBe(true);
    requests.length = 0;
    expect(await fetchSplit(split, hub(), "")).toEqual(files);
    expect(requests.filter((request) => request.includes("/resolve/"))).toEqual([]);
  });

  it("gives presets their rows: fields, and the answer after the last mark", async () => {
    const warnings: string[] = [];
    const options = { fields: { id: "id", prompt: "problem", answer: "answer" }, limit: 0, hub: hub(), warn: (message: string) => warnings.push(message) };
    const heldOut = await loadLabelledProblems("gsm8k", { ...options, role: "held-out" });
    expect(heldOut.map(({ prompt, answer, source }) => [prompt, answer, source])).toEqual([["2+2=", "1,004", "gsm8k"], ["3+3=", "6", "gsm8k"]]);
    expect(warnings).toEqual([expect.stringMatching(/: 2 rows, but `gsm8k` as published \(openai\/gsm8k\) has 1319\.$/)]);
    expect((await loadLabelledProblems("gsm8k", { ...options, role: "train" })).map(({ prompt }) => prompt)).toEqual(["1+1="]);
    const named = { ...options, fields: { id: "id", prompt: "question", answer: "answer" }, role: "train" } as const;
    expect((await loadLabelledProblems("hub:openai/gsm8k/socratic:test", named)).map(({ prompt }) => prompt)).toEqual(["?"]);
  });

  it("says what the hub said, and what to do without it", async () => {
    await expect(fetchSplit({ ...split, repository: "openai/gsm9k" }, hub(), "use a file")).rejects.toThrow(
      /^the data set openai\/gsm9k could not be fetched from the hub \(Repository not found\. .*\); use a file\.$/,
    );
    const unreachable = { ...hub(), fetch: () => Promise.reject(new TypeError("fetch failed", { cause: new Error("getaddrinfo ENOTFOUND") })) };
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
    expect(() => of(["model.bin"], "train", "main")).toThrow("the data set o/n has no files of the split `train` in main/; it has no .jsonl, .parquet, .csv files.");
  });
});
