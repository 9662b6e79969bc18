import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { LORA_TARGETS } from "../src/options.ts";
import { createTinkerPolicy } from "../src/tinker/index.ts";
import type { Policy } from "../src/policy.ts";
import { policyConformance } from "./policy-conformance.ts";
import type { Deviation } from "./policy-conformance.ts";
import { skyrlModel, skyrlWanted, startSkyrl } from "./skyrl-server.ts";
import type { SkyrlServer } from "./skyrl-server.ts";

const prompts = [[3, 7, 11, 2], [5, 8], [20, 21, 22, 23, 24, 25]];
const lora = { rank: 8, alpha: 32, targets: LORA_TARGETS, seed: 3 };

const deviations: readonly Deviation[] = [
  { test: "can be exported as a model folder", reason: "the weights stay on the server" },
  { test: "scale a gradient over the largest norm down to it", reason: "SkyRL's JAX backend does not clip gradients; the client says so" },
];

const wanted = skyrlWanted();

describe.skipIf(!wanted)("SkyRL's JAX backend", { timeout: 600_000 }, () => {
  let folder = "";
  let model = "";
  let server: SkyrlServer;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "selftrain-skyrl-"));
    model = await skyrlModel(folder);
    server = await startSkyrl({ model, state: join(folder, "state") });
  }, 300_000);
  afterAll(async () => {
    await server.kill();
    await rm(folder, { recursive: true });
  });

  const create = (): Promise<Policy> => createTinkerPolicy({ url: server.url, key: null, baseModel: "", folder: model, lora, lossReduction: "auto", concurrency: 64, warn: () => undefined });

  policyConformance("a policy on it", async () => ({ policy: await create(), prompts }), deviations);
});
