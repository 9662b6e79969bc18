/**
 * Records what SkyRL answers to the client of this project, for test/tinker-recorded.test.ts:
 *
 *   npx tsx scripts/record-skyrl.ts
 *
 * writes test/recorded/skyrl.json. SkyRL, which .ci/run installs, serves a tiny model of random weights on this machine.
 * In the record ids are numbered in their order, and the model has a name instead of its path. A second one from the
 * same machine differs only in what is drawn without a seed: the token that comes with the logprobs of a prompt.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRecorder, readRecord, recordText } from "../test/recorded.ts";
import { converse } from "../test/skyrl-conversation.ts";
import { startSkyrl, tinyForSkyrl } from "../test/skyrl-server.ts";

const MODEL_NAME = "tiny-qwen3";
const target = fileURLToPath(new URL("../test/recorded/skyrl.json", import.meta.url));

const model = await tinyForSkyrl();
const folder = await mkdtemp(join(tmpdir(), "selftrain-record-"));
try {
  const server = await startSkyrl({ model, state: join(folder, "state") });
  try {
    const recorder = createRecorder();
    await converse({ url: server.url, folder: model, fetch: recorder.fetch });
    const text = numbered(recordText(recorder.exchanges()).replaceAll(model, MODEL_NAME));
    if (text.includes(tmpdir())) throw new Error("the record has a path of this machine");
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
    console.log(`${target}: ${readRecord(text).length} exchanges, ${text.length} bytes`);
  } finally {
    await server.kill();
  }
} finally {
  await Promise.all([model, folder].map((path) => rm(path, { recursive: true })));
}

/** Random ids, `model_0a1b2c3d` say, as `model_1`, in the order in which they appear. */
function numbered(text: string): string {
  const found = new Map<string, string>();
  const counts = new Map<string, number>();
  return text.replace(/\b(session|sampling|model)_[0-9a-f]{8}\b/g, (id, kind: string) => {
    if (!found.has(id)) {
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      found.set(id, `${kind}_${counts.get(kind)!}`);
    }
    return found.get(id)!;
  });
}
