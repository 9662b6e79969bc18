import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { LORA_TARGETS } from "../src/options.ts";
import { createTinkerPolicy } from "../src/tinker/index.ts";
import type { TinkerOptions } from "../src/tinker/index.ts";
import { createFakeClock, fetchFrom, listen } from "./fake-connection.ts";
import { createFakeServer } from "./fake-training-server.ts";
import type { FakeServer } from "./fake-training-server.ts";
import { policyConformance } from "./policy-conformance.ts";
import type { Deviation } from "./policy-conformance.ts";

const prompts = [[11, 12, 13], [14, 11], [12, 12, 15, 13]];
const deviations: readonly Deviation[] = [{ test: "can be exported as a model folder", reason: "the weights stay on the server" }];

let folder = "";
let http: Awaited<ReturnType<typeof listen>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "selftrain-limits-"));
  await writeFile(join(folder, "config.json"), JSON.stringify({ vocab_size: 16, max_position_embeddings: 64 }));
  http = await listen(createFakeServer({ tells: true }));
});
afterAll(async () => {
  await http.close();
  await rm(folder, { recursive: true });
});

function options(changes: Partial<TinkerOptions>): TinkerOptions {
  const lora = { rank: 8, alpha: 32, targets: LORA_TARGETS, seed: 3 };
  return { url: "http://127.0.0.1:1", key: null, baseModel: "", folder, lora, lossReduction: "auto", concurrency: 8, resultTimeout: 3600, warn: () => undefined, clock: createFakeClock(), ...changes };
}

async function inProcess(server: FakeServer) {
  return { policy: await createTinkerPolicy(options({ fetch: fetchFrom(server) })), prompts };
}

policyConformance("a server that says that it sums losses, over HTTP", async () => ({ policy: await createTinkerPolicy(options({ url: http.url })), prompts }), deviations);
for (const reduction of ["sum", "mean"] as const) {
  const server = createFakeServer({ reduction });
  policyConformance(`a server that is found to reduce losses by their ${reduction}`, () => inProcess(server), deviations);
}
