import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { datumOf, servingFixture, textOf, TINY } from "../../test/served.ts";
import type { Fixture, Served } from "../../test/served.ts";
import { UsageError } from "../errors.ts";
import { endpoints } from "../tinker/wire.ts";
import type { ServeOptions } from "./index.ts";

let fixture: Fixture;
let server: Served;
let session = "";
let model = "";
beforeAll(async () => {
  fixture = await servingFixture();
  server = await fixture.start({ limits: { maxBodyBytes: 20_000 } });
  ({ session, model } = await server.model(2));
});
afterAll(() => fixture.close());

const empty = { tags: [], user_metadata: null, sdk_version: "test" };

it("says what it serves, and what it is", async () => {
  expect((await server.get("/healthz")).body).toEqual({ status: "ok" });
  expect(await server.get("/get_server_capabilities")).toEqual({
    status: 200,
    body: {
      supported_models: [{ model_name: TINY, max_context_length: 64, vocabulary_size: 29, parameters: expect.any(Number) as number }],
      features: { loss_reduction: "sum", ordered: true, grad_clip_norm: true, lora_alpha: true, further_prompts: true, skip_unweighted: true },
    },
  });
  expect(await server.call(endpoints.getInfo, { model_id: model })).toMatchObject({ model_id: model, model_data: { model_name: TINY, tokenizer_id: fixture.folder } });
});

describe("a request that cannot be carried out gets one sentence", () => {
  const datum = datumOf({ prompt: [3, 7], completion: [9], weights: [1] });
  const sampling = { sampling_session_id: "none", seq_id: 0, prompt: textOf([3]), sampling_params: { max_tokens: 2 } };
  const cases: readonly (readonly [title: string, path: string, body: () => unknown, status: number, detail: string])[] = [
    ["no JSON", "/create_session", () => "{", 400, "the body is not valid JSON."],
    ["a field is missing", "/create_session", () => ({ tags: [], user_metadata: null }), 422, "sdk_version is not as expected"],
    ["a field is of another kind", "/optim_step", () => ({ model_id: model, adam_params: { learning_rate: "0.1" } }), 422, "adam_params.learning_rate is not as expected"],
    ["a call is unknown", "/backward", () => ({}), 404, "POST /api/v1/backward is no call of this server."],
    ["a session is unknown", "/session_heartbeat", () => ({ session_id: "none" }), 404, "there is no session none"],
    ["a model is unknown", "/get_info", () => ({ model_id: "none" }), 404, "there is no model none"],
    ["a sampling session is unknown", "/asample", () => sampling, 404, "there is no sampling session none"],
    ["more than there is", "/asample", () => ({ ...sampling, topk_prompt_logprobs: 3 }), 422, "topk_prompt_logprobs is not as expected: this server gives no top-k logprobs of prompts"],
    ["a request is unknown", "/retrieve_future", () => ({ request_id: "999999" }), 404, "there is no request 999999."],
    ["another base model", "/create_model", () => ({ session_id: session, model_seq_id: 5, base_model: "other", lora_config: { rank: 2 } }), 400, "the base model `other` is not served here; expected `tiny`."],
    ["adapters of nothing", "/create_model", () => ({ session_id: session, model_seq_id: 5, base_model: TINY, lora_config: { rank: 2, train_attn: false, train_mlp: false } }), 400, "set train_attn or train_mlp"],
    ["another optimizer", "/create_model", () => ({ session_id: session, model_seq_id: 5, base_model: TINY, lora_config: { rank: 2 }, optimizer_config: { type: "dimuon" } }), 422, "the only optimizer of this server is adamw"],
    ["no weights to sample from", "/create_sampling_session", () => ({ session_id: session, sampling_session_seq_id: 0 }), 400, "neither a `base_model` nor a `model_path`"],
    ["two weights to sample from", "/create_sampling_session", () => ({ session_id: session, sampling_session_seq_id: 0, base_model: TINY, model_path: "tinker://m/sampler_weights/x" }), 400, "both a `base_model` and a `model_path`; give one of them."],
    ["a path outside of what is saved", "/create_sampling_session", () => ({ session_id: session, sampling_session_seq_id: 0, model_path: "tinker://../sampler_weights/x" }), 400, "expected tinker://MODEL/"],
    ["nothing is saved there", "/create_sampling_session", () => ({ session_id: session, sampling_session_seq_id: 0, model_path: "tinker://m/sampler_weights/x" }), 404, "there is nothing saved as tinker://m/sampler_weights/x."],
    ["a sampler without a name", "/save_weights_for_sampler", () => ({ model_id: model }), 400, "neither a `path` nor a `sampling_session_seq_id`"],
    ["the checkpoints of what is no model", "/weights_info", () => ({ tinker_path: "tinker://../weights/x" }), 400, "expected tinker://MODEL/weights|sampler_weights/NAME"],
    ["too much at once", "/forward", () => ({ model_id: model, forward_input: { loss_fn: "cross_entropy", data: new Array(300).fill(datum) } }), 413, "the body is larger than 20000 bytes"],
  ];
  it.each(cases)("%s", async (_title, path, body, status, detail) => {
    const answer = await server.post(path, body());
    expect(answer.status).toBe(status);
    expect((answer.body as { detail: string }).detail).toContain(detail);
  });

  it("another kind of body", async () => {
    expect(await server.post("/create_session", empty, { "content-type": "text/plain" })).toEqual({ status: 415, body: { detail: "the body's content type is text/plain; expected application/json." } });
  });

  const passes: readonly (readonly [title: string, change: (loss: { loss_fn: "cross_entropy" | "ppo"; data: typeof datum[]; loss_fn_config?: Record<string, number> }) => void, error: string])[] = [
    ["no targets", ({ data }) => delete data[0]!.loss_fn_inputs["target_tokens"], "data.0.loss_fn_inputs has no `target_tokens`, which cross_entropy needs."],
    ["an array that is not read", ({ data }) => (data[0]!.loss_fn_inputs["mask"] = data[0]!.loss_fn_inputs["weights"]!), "has `mask`, which cross_entropy does not read; expected target_tokens, weights."],
    ["no tokens", ({ data }) => (data[0]!.model_input = textOf([])), "data.0.model_input has no tokens."],
    ["a token that the model has not", ({ data }) => (data[0]!.model_input = textOf([29, 3])), "Token 29 is not in the model's vocabulary of 29."],
    ["a target that is no token", ({ data }) => (data[0]!.loss_fn_inputs["target_tokens"]!.data = [1, 2.5]), "Token 2.5 is not in the model's vocabulary of 29."],
    ["a setting that the loss has not", (loss) => (loss.loss_fn_config = { beta: 1 }), "loss_fn_config has `beta`, which cross_entropy does not read; expected nothing."],
    ["a loss without its arrays", (loss) => (loss.loss_fn = "ppo"), "data.0.loss_fn_inputs has no `logprobs`, which ppo needs."],
  ];
  it.each(passes)("%s", async (_title, change, error) => {
    const loss = { loss_fn: "cross_entropy" as const, data: [structuredClone(datum)] };
    change(loss);
    await expect(server.run(endpoints.forward, { model_id: model, forward_input: loss })).rejects.toThrow(`user: `);
    await expect(server.run(endpoints.forward, { model_id: model, forward_input: loss })).rejects.toThrow(error);
  });
});

it("lists no folder but those of models", async () => {
  expect(await server.get("/training_runs/..%2F..%2Fetc/checkpoints")).toEqual({ status: 400, body: { detail: "`../../etc` is no id of a model." } });
});

it("does not answer under a name of others without a key", async () => {
  const { port } = new URL(server.url);
  const status = await new Promise((resolve, reject) => {
    request({ port, path: "/api/v1/get_server_capabilities", headers: { host: "page.example" } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on("error", reject).end();
  });
  expect(status).toBe(403);
});

describe("a key", () => {
  it("is needed for an address that others can reach", async () => {
    await expect(fixture.start({ host: "0.0.0.0" })).rejects.toThrow(UsageError);
    await expect(fixture.start({ key: "" })).rejects.toThrow("the key is empty");
    await (await fixture.start({ host: "0.0.0.0", key: "tml-secret" })).close();
  });

  it("must be shown at every call but for the server's health", async () => {
    const closed = await fixture.start({ key: "tml-secret" });
    expect((await closed.get("/healthz")).status).toBe(200);
    for (const headers of [{}, { "x-api-key": "tml-secreT" }, { "x-api-key": "" }, { authorization: "Basic tml-secret" }]) {
      expect((await closed.get("/get_server_capabilities", { headers })).status).toBe(401);
      expect((await closed.post("/create_session", empty, headers as Record<string, string>)).status).toBe(401);
    }
    for (const headers of [{ "x-api-key": "tml-secret" }, { authorization: "Bearer tml-secret" }]) {
      expect((await closed.post("/create_session", empty, headers as Record<string, string>)).status).toBe(200);
    }
    await closed.close();
  });
});

describe("results", () => {
  it("can be fetched again, and are waited for only so long", async () => {
    const hasty = await fixture.start({ limits: { pollSeconds: 0.05 } });
    const { model: made } = await hasty.model(2);
    // Held back, since what comes before it does not come.
    const id = await hasty.begin(endpoints.optimStep, { model_id: made, seq_id: 2, adam_params: { learning_rate: 0, beta1: 0, beta2: 0, eps: 1, weight_decay: 0, grad_clip_norm: 0 } });
    expect(await hasty.post("/retrieve_future", { request_id: id })).toEqual({ status: 200, body: { type: "try_again", request_id: id, queue_state: "active" } });
    const forward = await hasty.begin(endpoints.forward, { model_id: made, forward_input: { loss_fn: "cross_entropy", data: [datumOf({ prompt: [3], completion: [4] })] } });
    expect(await hasty.result(endpoints.forward, forward)).toEqual(await hasty.result(endpoints.forward, forward));
    await hasty.close();
  });

  it("that wait are answered when the server ends", async () => {
    const ending = await fixture.start({ limits: { pollSeconds: 30 } });
    const { model: made } = await ending.model(2);
    const id = await ending.begin(endpoints.saveWeights, { model_id: made, seq_id: 5, path: "never" });
    const poll = ending.post("/retrieve_future", { request_id: id });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await ending.close();
    expect((await poll).body).toMatchObject({ type: "try_again" });
    await expect(ending.get("/healthz")).rejects.toThrow();
  });
});

describe("sessions", () => {
  it("end without a sign of their client, and their models with them", async () => {
    const impatient = await fixture.start({ limits: { sessionSeconds: 0.4, maxModels: 3 } });
    const [silent, alive] = [await impatient.model(2), await impatient.model(2)];
    const third = await impatient.call(endpoints.createSession, empty);
    const create = { session_id: third.session_id, model_seq_id: 0, base_model: TINY, lora_config: { rank: 2 } };
    // The base model's engine makes room for the last one that fits.
    await impatient.run(endpoints.createModel, create);
    await expect(impatient.run(endpoints.createModel, { ...create, model_seq_id: 1 })).rejects.toThrow("429 3 models are loaded, as many as this server holds; unload one first");
    for (let time = 0; time < 10; time++) {
      await impatient.call(endpoints.sessionHeartbeat, { session_id: alive.session });
      await impatient.call(endpoints.sessionHeartbeat, { session_id: third.session_id });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await expect(impatient.call(endpoints.getInfo, { model_id: silent.model })).rejects.toThrow("404");
    await expect(impatient.call(endpoints.sessionHeartbeat, { session_id: silent.session })).rejects.toThrow("404 there is no session");
    await impatient.call(endpoints.getInfo, { model_id: alive.model });
    await impatient.run(endpoints.createModel, { ...create, model_seq_id: 2 });
    await impatient.close();
  });

  it("that end when no more operations are taken leave their models a little later", async () => {
    const full = await fixture.start({ limits: { sessionSeconds: 0.2, maxUnfinished: 1, gapSeconds: 0.8 } });
    const [silent, busy] = [await full.model(2), await full.model(2)];
    // Waits for the first of its model, which does not come.
    const waiting = await full.begin(endpoints.saveWeights, { model_id: busy.model, seq_id: 2, path: "never" });
    await new Promise((resolve) => setTimeout(resolve, 500));
    await expect(full.call(endpoints.sessionHeartbeat, { session_id: silent.session })).rejects.toThrow("404 there is no session");
    await expect(full.result(endpoints.saveWeights, waiting)).rejects.toThrow("was not carried out");
    await new Promise((resolve) => setTimeout(resolve, 150));
    await expect(full.call(endpoints.getInfo, { model_id: silent.model })).rejects.toThrow("404 there is no model");
    await full.close();
  });

  it("do not get a model for which there is no future, and its room stays free", async () => {
    const narrow = await fixture.start({ limits: { maxUnfinished: 1, maxModels: 2, gapSeconds: 0.3 } });
    const { session: busy, model: first } = await narrow.model(2);
    // Waits for one that does not come.
    const held = await narrow.begin(endpoints.saveWeights, { model_id: first, seq_id: 2, path: "never" });
    const create = { session_id: busy, model_seq_id: 1, base_model: TINY, lora_config: { rank: 2 } };
    await expect(narrow.run(endpoints.createModel, create)).rejects.toThrow("429 1 operations are unfinished");
    await expect(narrow.call(endpoints.getInfo, { model_id: `${busy}:train:1` })).rejects.toThrow("there is no model");
    await expect(narrow.result(endpoints.saveWeights, held)).rejects.toThrow("was not carried out");
    expect((await narrow.run(endpoints.createModel, create)).model_id).toBe(`${busy}:train:1`);
    await narrow.close();
  });

  it("make a model once, and unload it", async () => {
    const { session_id } = await server.call(endpoints.createSession, empty);
    const request = { session_id, model_seq_id: 0, base_model: TINY, lora_config: { rank: 2, alpha: 4, seed: 4_000_000_000 } };
    expect(await server.begin(endpoints.createModel, request)).toBe(await server.begin(endpoints.createModel, request));
    const made = await server.run(endpoints.createModel, request);
    expect(made.lora_config).toEqual({ rank: 2, alpha: 4, seed: 4_000_000_000 });
    await expect(server.run(endpoints.createModel, { ...request, lora_config: { rank: 3 } })).rejects.toThrow("409");
    await server.run(endpoints.unloadModel, { model_id: made.model_id });
    await expect(server.call(endpoints.getInfo, { model_id: made.model_id })).rejects.toThrow("there is no model");
  });
});

it("unloads a model once when it is told to again while the machine is busy", async () => {
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const createPolicy: ServeOptions["createPolicy"] = async (adapters) => {
    const policy = await fixture.engine(adapters);
    return { ...policy, logprobs: (...parameters) => gate.then(() => policy.logprobs(...parameters)) };
  };
  const busy = await fixture.start({ createPolicy });
  const { model: made } = await busy.model(2);
  const forward = await busy.begin(endpoints.forward, { model_id: made, forward_input: { loss_fn: "cross_entropy", data: [datumOf({ prompt: [3], completion: [4] })] } });
  const first = await busy.begin(endpoints.unloadModel, { model_id: made });
  expect(await busy.begin(endpoints.unloadModel, { model_id: made })).toBe(first);
  open();
  await busy.result(endpoints.forward, forward);
  await busy.result(endpoints.unloadModel, first);
  await expect(busy.call(endpoints.getInfo, { model_id: made })).rejects.toThrow("there is no model");
  await busy.close();
});

it("answers what the Python SDK asks for beside", async () => {
  expect((await server.post("/client/config", { sdk_version: "0.24.1" })).body).toMatchObject({ pjwt_auth_enabled: false });
  expect((await server.post("/telemetry", { events: [] })).body).toEqual({ status: "accepted" });
  const { sampling_session_id } = await server.call(endpoints.createSamplingSession, { session_id: session, sampling_session_seq_id: 3, base_model: TINY });
  expect((await server.get(`/samplers/${sampling_session_id}`)).body).toEqual({ sampler_id: sampling_session_id, base_model: TINY });
});
