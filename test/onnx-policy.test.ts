import { afterAll, beforeAll } from "vitest";
import { rm } from "node:fs/promises";
import { createEngine } from "../src/onnx/engine.ts";
import { createOnnxPolicy } from "../src/onnx/index.ts";
import { LORA_TARGETS } from "../src/options.ts";
import { policyConformance } from "./policy-conformance.ts";
import { writeTinyModel } from "./tiny-model.ts";

const prompts = [[3, 7, 11, 2], [5, 1], [20, 21, 22, 23, 24, 25]];
let model = "";
beforeAll(async () => {
  model = await writeTinyModel();
});
afterAll(() => rm(model, { recursive: true }));

policyConformance("the embedded engine", async () => ({ policy: await createEngine({ model, threads: 2 }), prompts }));
// The thread hands every call on, those to a critic too.
policyConformance("the embedded engine with a critic, in its thread", async () => ({ policy: await createOnnxPolicy({ model, threads: 1, critic: true }), prompts }));

const lora = { rank: 4, alpha: 8, targets: LORA_TARGETS, seed: 3, base: "tiny" };
policyConformance("the embedded engine with adapters", async () => ({ policy: await createEngine({ model, threads: 2, lora }), prompts }));
