import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { endpoints, errorBody, submitted } from "../src/tinker/wire.ts";
import type { Endpoint, ResultOf } from "../src/tinker/wire.ts";
import { createRecorder, readRecord, replay } from "./recorded.ts";
import type { Exchange } from "./recorded.ts";
import { converse, SEQUENCES } from "./skyrl-conversation.ts";

/** What SkyRL answered, as scripts/record-skyrl.ts wrote it down. */
const record = readRecord(await readFile(new URL("recorded/skyrl.json", import.meta.url), "utf8"));
const byPath = new Map<string, Endpoint>(Object.values(endpoints).map((endpoint) => [endpoint.path, endpoint]));

const idIn = (body: unknown): unknown => (body as { readonly request_id?: unknown }).request_id;

/** What came of each operation at an endpoint, in the order in which they were begun: bodies as they came, unread by the client. */
function outcomes<E extends Endpoint>(endpoint: E): readonly ResultOf<E>[] {
  const begun = record.filter(({ path, status }) => path === endpoint.path && status === 200);
  return begun.map(({ response }) => record.find(({ path, request, status }) => path === "/retrieve_future" && status === 200 && idIn(request) === idIn(response))?.response as ResultOf<E>);
}

const float32 = (values: readonly number[]): number[] => Array.from(Float32Array.from(values));
const rounded = (rows: Iterable<Float32Array | readonly number[]>): number[][] => Array.from(rows, (row) => float32([...row]));

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "selftrain-recorded-"));
  await writeFile(join(folder, "config.json"), JSON.stringify({ vocab_size: 112, max_position_embeddings: 64 }));
});
afterAll(() => rm(folder, { recursive: true }));

describe("what a real server was asked and answered", () => {
  it("are requests and answers as wire.ts has them", () => {
    const operations = new Map(record.flatMap(({ path, response }) => (byPath.get(path)?.kind === "operation" ? [[idIn(response), byPath.get(path)!]] : [])));
    const schemaOf = ({ path, request, status }: Exchange): z.ZodType => {
      if (status >= 400) return errorBody;
      const endpoint = path === "/retrieve_future" ? operations.get(idIn(request))! : byPath.get(path)!;
      return endpoint.kind === "operation" && path !== "/retrieve_future" ? submitted : endpoint.result;
    };
    for (const one of record) {
      const endpoint = byPath.get(one.path)!;
      expect([one, schemaOf(one).safeParse(one.response).error]).toEqual([one, undefined]);
      if ("request" in endpoint) expect([one, endpoint.request.safeParse(one.request).error]).toEqual([one, undefined]);
      else expect(one.request).toBeNull();
    }
    // Nothing that the client ever asks is missing but what it has no use for.
    const asked = new Set(record.map(({ path }) => path));
    expect([...byPath.keys()].filter((path) => !asked.has(path))).toEqual(["/healthz", "/get_info"]);
  });

  it("tell nothing of the machine on which they were recorded", () => {
    expect(JSON.stringify(record)).not.toMatch(/\/(root|home|tmp|work|usr|var|Users)\b|127\.0\.0\.1|localhost|[A-Z]:\\\\/);
  });
});

describe("the client of a training server", () => {
  let said: Awaited<ReturnType<typeof converse>>;
  let left: readonly Exchange[] = [];
  const recorder = createRecorder();
  beforeAll(async () => {
    const server = await replay(record);
    try {
      said = await converse({ url: server.url, folder, fetch: recorder.fetch });
      left = server.left();
    } finally {
      await server.close();
    }
  });

  it("sends the recorded requests, each once and in their order", () => {
    // Of results that are waited for together, either may be asked for first.
    const ordered = (exchanges: readonly Exchange[]) => exchanges.filter(({ path }) => path !== "/retrieve_future");
    expect(ordered(recorder.exchanges())).toEqual(ordered(record));
    expect(left).toEqual([]);
  });

  it("finds out how the server trains", () => {
    expect(said.offered.name).toBe("tiny-qwen3");
    expect(said.traits).toEqual({ reduction: "mean", ordered: false, deduplicates: false, clips: false, takesAlpha: false, takesFurtherPrompts: false, skipsUnweighted: false });
  });

  it("reads the completions that the server sampled, before an update and after it", () => {
    const read = [...said.before, ...said.after].map((completions_G) => completions_G.map(({ tokens, logprobs, stopReason }) => ({ tokens, logprobs: float32([...logprobs]), stop_reason: stopReason })));
    const sent = outcomes(endpoints.sample).slice(0, 4);
    expect(read).toEqual(sent.map(({ sequences }) => sequences.map(({ logprobs, ...sequence }) => ({ ...sequence, logprobs: float32(logprobs!) }))));
  });

  it("reads the completions' part of what the server told of whole sequences", () => {
    const [reference, loaded] = outcomes(endpoints.forward).filter(({ loss_fn_outputs }) => loss_fn_outputs.length === SEQUENCES.length);
    for (const [read, sent] of [[said.reference, reference!], [said.loaded, loaded!]] as const) {
      expect(rounded(read)).toEqual(sent.loss_fn_outputs.map(({ logprobs }, row) => float32(logprobs.data).slice(-SEQUENCES[row]!.completion.length)));
    }
    expect(rounded(said.loaded)).not.toEqual(rounded(said.reference));
    const prompts = outcomes(endpoints.sample).slice(4);
    expect(rounded(said.prompts)).toEqual(prompts.map(({ prompt_logprobs }, row) => float32(prompt_logprobs as number[]).slice(-SEQUENCES[row]!.completion.length)));
  });

  it("finds the same logprobs by both ways of asking for those of the start", () => {
    said.prompts.forEach((logprobs, row) => logprobs.forEach((logprob, t) => expect(Math.abs(logprob - said.reference[row]![t]!)).toBeLessThan(1e-4)));
  });

  it("reports the update from the server's logprobs and its norm", () => {
    const outputs = outcomes(endpoints.forwardBackward).at(-1)!.loss_fn_outputs;
    // Importance sampling by hand: minus the sum of weight x advantage x ratio.
    const losses = said.rows.map(({ completion, logprobs, advantages, weights }, row) => {
      const now = outputs[row]!.logprobs.data.slice(-completion.length);
      return completion.reduce((total, _, t) => total - weights[t]! * advantages[t]! * Math.exp(now[t]! - logprobs[t]!), 0);
    });
    expect(said.report.loss).toBeCloseTo(losses.reduce((total, loss) => total + loss, 0), 6);
    expect(said.report).toMatchObject({ gradientNorm: outcomes(endpoints.optimStep).at(-1)!.metrics!["skyrl.ai/grad_norm"], skipped: false, clipFraction: 0, tokens: said.before.flat().flatMap(({ tokens }) => tokens).length });
  });

  it("keeps where the server saved, and repeats the server's words when it finds nothing there", () => {
    expect(said.saved.current).toBe("tinker://model_2/weights/state-1");
    expect(said.refusal).toBe("CheckpointError: The training server could not load tinker://model_2/weights/state-10, where it kept the state of this run: Checkpoint not found: model_2/state-10");
  });
});

describe("a client that asks anything else", () => {
  const without = (name: string) => (body: Record<string, unknown>) => Object.fromEntries(Object.entries(body).filter(([key]) => key !== name));
  it.each<[string, string, (body: Record<string, unknown>) => unknown]>([
    ["counts from another number", "/optim_step", (body) => ({ ...body, seq_id: Number(body["seq_id"]) + 1 })],
    ["leaves something out", "/forward", without("seq_id")],
    ["sends more", "/asample", (body) => ({ ...body, topk_prompt_logprobs: 0 })],
    ["names another session", "/save_weights_for_sampler", (body) => ({ ...body, model_id: "model_9" })],
  ])("and %s is not answered", async (_, at, change) => {
    const server = await replay(record);
    const changing: typeof fetch = (url, init) => fetch(url, new URL(url).pathname.endsWith(at) ? { ...init, body: JSON.stringify(change(JSON.parse(init!.body as string) as Record<string, unknown>)) } : init);
    try {
      await expect(converse({ url: server.url, folder, fetch: changing })).rejects.toThrow(`${at} was answered with status 422: not recorded`);
    } finally {
      await server.close();
    }
  });
});
