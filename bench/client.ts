/**
 * What the client of a training server takes for a step of the paper's size: 16 questions, 32 completions of 3,072
 * tokens each.
 *
 *   npm run bench:client
 *
 * The server is another process, which answers at once with numbers of the usual length.
 */
import { fork } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LORA_TARGETS } from "../src/options.ts";
import { CURRENT, REFERENCE } from "../src/policy.ts";
import { createTinkerPolicy } from "../src/tinker/index.ts";
import { API_PREFIX } from "../src/tinker/wire.ts";

const [PROMPTS, SAMPLES, TOKENS, PROMPT] = [16, 32, 3072, 128];

if (process.send) serve();
else await measure();

async function measure(): Promise<void> {
  const server = fork(import.meta.filename, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const port = await new Promise<number>((resolve) => server.once("message", (message) => resolve(message as number)));
  const folder = await mkdtemp(join(tmpdir(), "selftrain-bench-"));
  await writeFile(join(folder, "config.json"), JSON.stringify({ vocab_size: 152_000, max_position_embeddings: 4096 }));
  const bytes = { sent: 0, received: 0 };
  const counted: typeof fetch = async (url, init) => {
    bytes.sent += typeof init?.body === "string" ? init.body.length : 0;
    const response = await fetch(url, init);
    bytes.received += Number(response.headers.get("content-length"));
    return response;
  };
  const lora = { rank: 32, alpha: 32, targets: LORA_TARGETS, seed: 0 };
  const policy = await createTinkerPolicy({ url: `http://127.0.0.1:${port}`, key: null, baseModel: "", folder, lora, lossReduction: "auto", concurrency: 64, resultTimeout: 3600, warn: () => undefined, fetch: counted });
  const prompts = Array.from({ length: PROMPTS }, () => new Array<number>(PROMPT).fill(100_000));
  const timed = async <T>(part: string, task: () => Promise<T>): Promise<T> => {
    const [start, before] = [performance.now(), { ...bytes }];
    const result = await task();
    const megabytes = (count: number): string => (count / 1e6).toFixed(0).padStart(4);
    console.log(`${part.padEnd(10)} ${((performance.now() - start) / 1000).toFixed(1).padStart(5)} s  ${megabytes(bytes.sent - before.sent)} MB sent  ${megabytes(bytes.received - before.received)} MB received`);
    return result;
  };
  for (let step = 1; step <= 3; step++) {
    const completions = await timed("sample", () => policy.sample({ prompts, count: SAMPLES, weights: CURRENT, seed: step, temperature: 1, topP: 1, topK: 0, stopTokens: [2], maxTokens: TOKENS }));
    const rows = completions.flatMap((own, index) =>
      own.map(({ tokens, logprobs }, member) => ({ prompt: prompts[index]!, completion: tokens, logprobs, advantages: new Float32Array(tokens.length).fill((member % 3) / 3 - 0.3), weights: new Float32Array(tokens.length).fill(1 / 1e6) })),
    );
    await timed("reference", () => policy.logprobs(rows, REFERENCE));
    await timed("update", () => policy.update(rows, { loss: { kind: "ppo", clipLow: 0.2, clipHigh: 0.2 }, learningRate: 1e-6, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, maxGradientNorm: 1 }));
  }
  console.log(`peak memory of the client ${(process.resourceUsage().maxRSS / 1024 ** 2).toFixed(2)} GiB`);
  await policy.close();
  server.disconnect();
}

/** Answers every request at once, without a model. */
function serve(): void {
  const logprobs = Array.from({ length: TOKENS }, (_, t) => Math.fround(-Math.abs(Math.sin(t))));
  const sequence = { stop_reason: "length", tokens: new Array<number>(TOKENS).fill(100_000), logprobs };
  const sampled = JSON.stringify({ sequences: new Array(SAMPLES).fill(sequence) });
  const losses = (datums: number): string => JSON.stringify({ loss_fn_outputs: new Array(datums).fill({ logprobs: { data: [...new Array<number>(PROMPT - 1).fill(-1), ...logprobs], dtype: "float32" } }), metrics: {} });
  const results = new Map<string, string>();
  const features = { loss_reduction: "sum", ordered: true, grad_clip_norm: true, lora_alpha: true };
  const answers: Readonly<Record<string, (body: string) => string>> = {
    "/get_server_capabilities": () => JSON.stringify({ supported_models: [{ model_name: "none" }], features }),
    "/create_session": () => '{"session_id":"s"}',
    "/session_heartbeat": () => "{}",
    "/retrieve_future": (body) => results.get((JSON.parse(body) as { request_id: string }).request_id)!,
  };
  const outcomes: Readonly<Record<string, (body: string) => string>> = {
    "/create_model": () => '{"model_id":"m"}',
    "/asample": () => sampled,
    "/forward": (body) => losses(body.split('"model_input"').length - 1),
    "/forward_backward": (body) => losses(body.split('"model_input"').length - 1),
    "/save_weights_for_sampler": () => '{"sampling_session_id":"w"}',
  };
  const http = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const [path, body] = [request.url!.slice(API_PREFIX.length), Buffer.concat(parts).toString()];
      let text = answers[path]?.(body);
      if (text === undefined) {
        const id = String(results.size);
        results.set(id, outcomes[path]?.(body) ?? "{}");
        text = JSON.stringify({ request_id: id });
      }
      response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) }).end(text);
    });
  });
  http.listen(0, "127.0.0.1", () => process.send!((http.address() as AddressInfo).port));
  process.on("disconnect", () => process.exit());
}
