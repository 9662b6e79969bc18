import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseConfig } from "../../src/config/index.ts";
import { PAPER_TEMPLATE } from "../../src/options.ts";
import { builtinModelFolder } from "../../src/tasks/index.ts";
import { sha256OfFile } from "../../src/util/sha256.ts";
import { startFakeHub } from "../fake-hub.ts";
import type { FakeHub } from "../fake-hub.ts";
import { writeTinyModel } from "../tiny-model.ts";
import { root, selftrain } from "./command.ts";

const [MODEL, DATA] = ["a".repeat(40), "b".repeat(40)];

let folder = "";
let hub: FakeHub;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "selftrain-e2e-hub-"));
  const tiny = await writeTinyModel({ vocab_size: 112, max_position_embeddings: 512 });
  const model: Record<string, Buffer> = {};
  for (const name of await readdir(tiny)) model[name] = await readFile(join(tiny, name));
  for (const name of ["tokenizer.json", "tokenizer_config.json", "generation_config.json"]) model[name] = await readFile(join(builtinModelFolder(), name));
  await rm(tiny, { recursive: true });
  const rows = (start: number) => Array.from({ length: 4 }, (_, index) => `${JSON.stringify({ problem: `${start + index}+1=`, answer: String(start + index + 1) })}\n`).join("");
  hub = await startFakeHub({
    "someone/tiny": { commit: MODEL, files: model, large: ["model.safetensors"] },
    "datasets/someone/sums": { commit: DATA, files: { "train.jsonl": rows(1), "test.jsonl": rows(5) } },
  });
});
afterAll(async () => {
  await hub.close();
  await rm(folder, { recursive: true });
});

const run = (parameters: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  selftrain(parameters, { folder: root, environment: { HF_ENDPOINT: hub.access.hubUrl, HF_HOME: join(folder, "home"), HF_HUB_CACHE: "", HF_TOKEN: "hf_test", ...environment } });

const small = ["--engine.threads", "1", "--max-tokens", "8", "--prompts-per-step", "2", "--samples-per-prompt", "2", "--evaluate-samples", "1", "--train-problems", "0", "--held-out-problems", "0", "--template", ""];

it("trains a model of the hub on data of the hub, records which, and goes on from the cache alone", async () => {
  const path = join(folder, "run");
  const named = ["--model", "someone/tiny", "--train", "hub:someone/sums:train", "--held-out", "hub:someone/sums:test"];
  hub.faults.push({ cutAfter: 5 });
  const { code, stdout, stderr } = await run(["train", "examples/srt.yaml", ...named, ...small, "--steps", "1", "--out", path]);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^fetching someone\/tiny: .* MB/);
  const pinned = { model: `someone/tiny@${MODEL}`, train: `hub:someone/sums@${DATA}:train`, heldOut: `hub:someone/sums@${DATA}:test` };
  expect(parseConfig(await readFile(join(path, "config.yaml"), "utf8"), "config.yaml")).toMatchObject({ ...pinned, template: PAPER_TEMPLATE });

  const cache = join(folder, "home/hub");
  const file = async (...parts: readonly string[]) => ({ path: join(cache, ...parts), sha256: await sha256OfFile(join(cache, ...parts)) });
  const { inputs } = JSON.parse(await readFile(join(path, "environment.json"), "utf8")) as { inputs: unknown };
  expect(inputs).toEqual({
    model: { name: pinned.model, files: [await file("models--someone--tiny/snapshots", MODEL, "model.safetensors")] },
    data: [
      { name: pinned.train, files: [await file("datasets--someone--sums/snapshots", DATA, "train.jsonl")] },
      { name: pinned.heldOut, files: [await file("datasets--someone--sums/snapshots", DATA, "test.jsonl")] },
    ],
  });

  hub.requests.length = 0;
  const again = await run(["train", "--resume", path], { HF_HUB_OFFLINE: "1" });
  expect(again.code, again.stderr).toBe(0);
  expect(hub.requests).toEqual([]);
});

it("says in one sentence what the cache lacks offline", async () => {
  const { code, stderr } = await run(["evaluate", "--model", "builtin", "--data", "aime24"], { HF_HUB_OFFLINE: "1" });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `selftrain: the data set HuggingFaceH4/aime_2024 could not be fetched from the hub (HF_HUB_OFFLINE is set, and the cache ${folder}/home/hub has no \`main\` of it); offline, put aime2024.jsonl (or .parquet, .csv) into a folder and name it with \`data-dir\`.\n`,
  });
});
