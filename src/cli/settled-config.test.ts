import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { configSchema } from "../config.ts";
import type { ConfigInput } from "../config.ts";
import { PAPER_TEMPLATE } from "../options.ts";
import { settledConfig } from "./settled-config.ts";
import type { Settlement } from "./settled-config.ts";

const settled = (input: Partial<ConfigInput>, meant: Partial<Settlement> = {}) =>
  settledConfig(configSchema.parse({ train: "task:chain/5", heldOut: "math500", ...input }), { model: "builtin", sources: [], problems: [], ...meant });

it("makes paths absolute, and leaves tasks, presets and data sets of the hub as they are", () => {
  const named = ["task:chain/5", "gsm8k", "gsm8k/train", "hub:openai/gsm8k:train"];
  const paths = ["train.jsonl", "data/train.csv", "data/train", "/data/train.parquet"];
  expect(settled({ train: [...named, ...paths] }).train).toEqual([...named, ...paths.map((path) => resolve(path))]);
  expect(settled({ train: [{ source: "train.jsonl", weight: 2 }, { source: "gsm8k" }] }).train).toEqual([{ source: resolve("train.jsonl"), weight: 2 }, { source: "gsm8k" }]);
  expect(settled({ train: "train.jsonl", heldOut: "test.jsonl", dataDir: "data" })).toMatchObject({ train: resolve("train.jsonl"), heldOut: resolve("test.jsonl"), dataDir: resolve("data") });
  expect(settled({ labels: "labels.jsonl" }).labels).toBe(resolve("labels.jsonl"));
  expect(settled({ heldOut: "" })).toMatchObject({ train: "task:chain/5", heldOut: "", labels: "", dataDir: "" });
});

it("names the threads that 0 stands for", () => {
  expect(settled({}).engine.threads).toBe(availableParallelism());
  expect(settled({ engine: { threads: 3 } }).engine.threads).toBe(3);
});

it("names model and data by their commits", () => {
  const sources = ["hub:a/b:test", "gsm8k"].map((source) => ({ source, pinned: `${source}, pinned`, files: [] }));
  const config = settled({ train: ["hub:a/b:test", { source: "gsm8k", weight: 2 }, "x.csv"], heldOut: "hub:a/b:test" }, { model: "c/d@commit", sources });
  expect(config).toMatchObject({ model: "c/d@commit", train: ["hub:a/b:test, pinned", { source: "gsm8k, pinned", weight: 2 }, resolve("x.csv")], heldOut: "hub:a/b:test, pinned" });
});

it("writes out the template where all questions have one", () => {
  const [plain, own] = [{ id: "a", prompt: "1+1=", source: "x" }, { id: "b", prompt: "2+2=", source: "y", template: "Q: {problem}" }];
  expect(settled({}, { problems: [plain] }).template).toBe(PAPER_TEMPLATE);
  expect(settled({}, { problems: [own] }).template).toBe("Q: {problem}");
  expect(settled({}, { problems: [plain, own] }).template).toBe("");
  expect(settled({ template: "{problem}!" }, { problems: [plain, own] }).template).toBe("{problem}!");
});
