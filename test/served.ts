import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEngine } from "../src/onnx/engine.ts";
import type { ServablePolicy } from "../src/policy.ts";
import { startServer } from "../src/serve/index.ts";
import type { Adapters, ServeOptions } from "../src/serve/index.ts";
import { API_PREFIX, endpoints, errorBody, failed, submitted, tryAgain } from "../src/tinker/wire.ts";
import type { Datum, Endpoint, RequestOf, ResultOf, Tensor } from "../src/tinker/wire.ts";
import type { TokenSequence } from "../src/types.ts";
import { writeTinyModel } from "./tiny-model.ts";

/** An answer of a server: its status, and its JSON. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

type Operation = Extract<Endpoint, { readonly kind: "operation" }>;
type Call = Extract<Endpoint, { readonly kind: "call" }>;

/** A server of the tiny model, spoken to by plain `fetch`. */
export interface Served {
  readonly url: string;
  readonly post: (path: string, body: unknown, headers?: Readonly<Record<string, string>>) => Promise<Answer>;
  readonly get: (path: string, init?: RequestInit) => Promise<Answer>;
  /** Makes a call. Throws the server's words when it is refused. */
  readonly call: <E extends Call>(endpoint: E, request: RequestOf<E>) => Promise<ResultOf<E>>;
  /** Begins an operation, and gives the id of its future. */
  readonly begin: <E extends Operation>(endpoint: E, request: RequestOf<E>) => Promise<string>;
  /** The result of an operation that was begun. Throws the server's words when it failed. */
  readonly result: <E extends Operation>(endpoint: E, requestId: string) => Promise<ResultOf<E>>;
  /** Both. */
  readonly run: <E extends Operation>(endpoint: E, request: RequestOf<E>) => Promise<ResultOf<E>>;
  /** A session with a model in it; rank 0 trains the whole model. */
  readonly model: (rank: number, seed?: number) => Promise<{ readonly session: string; readonly model: string }>;
  readonly close: () => Promise<void>;
}

export const TINY = "tiny";
export const END_TOKEN = 1;

export interface Fixture {
  /** The tiny model's folder. */
  readonly folder: string;
  /** Where servers save, and find what others saved. */
  readonly state: string;
  readonly start: (options?: Partial<ServeOptions>) => Promise<Served>;
  /** What a server's engine is, in this process. */
  readonly engine: (adapters: Adapters | null) => Promise<ServablePolicy>;
  readonly close: () => Promise<void>;
}

/** Servers of one tiny model with one directory for what is saved. */
export async function servingFixture(): Promise<Fixture> {
  const folder = await writeTinyModel();
  const state = await mkdtemp(join(tmpdir(), "selftrain-served-"));
  const open: { readonly close: () => Promise<unknown> }[] = [];
  const engine = (adapters: Adapters | null) => createEngine({ model: folder, threads: 1, lora: adapters && { ...adapters, base: TINY } });
  return {
    folder,
    state,
    engine: async (adapters) => {
      const created = await engine(adapters);
      open.push(created);
      return created;
    },
    start: async (options = {}) => {
      const { url, close } = await startServer({
        model: { name: TINY, tokenizer: folder, endTokens: [END_TOKEN] },
        createPolicy: engine,
        stateDirectory: state,
        host: "127.0.0.1",
        port: 0,
        key: null,
        report: (error) => {
          throw error;
        },
        ...options,
        limits: { pollSeconds: 5, maxModels: 32, ...options.limits },
      });
      const served = speak(url, close);
      open.push(served);
      return served;
    },
    close: async () => {
      await Promise.allSettled(open.map(({ close }) => close()));
      await Promise.all([folder, state].map((path) => rm(path, { recursive: true, force: true })));
    },
  };
}

function speak(url: string, close: () => Promise<void>): Served {
  const answered = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(url + API_PREFIX + path, init);
    const text = await response.text();
    return { status: response.status, body: text === "" ? null : (JSON.parse(text) as unknown) };
  };
  const post: Served["post"] = (path, body, headers = {}) =>
    answered(path, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: typeof body === "string" ? body : JSON.stringify(body) });
  const wanted = async (path: string, request: unknown): Promise<unknown> => {
    const { status, body } = await post(path, request);
    if (status !== 200) throw new Error(`${status} ${String(errorBody.parse(body).detail)}`);
    return body;
  };
  const call: Served["call"] = async (endpoint, request) => endpoint.result.parse(await wanted(endpoint.path, request)) as ResultOf<typeof endpoint>;
  const begin: Served["begin"] = async (endpoint, request) => submitted.parse(await wanted(endpoint.path, request)).request_id;
  const result: Served["result"] = async (endpoint, request_id) => {
    for (;;) {
      const body = await wanted(endpoints.retrieveFuture.path, { request_id });
      if (tryAgain.safeParse(body).success) continue;
      const { data: failure } = failed.safeParse(body);
      if (failure) throw new Error(`${failure.category}: ${failure.error}`);
      return endpoint.result.parse(body) as ResultOf<typeof endpoint>;
    }
  };
  const run: Served["run"] = async (endpoint, request) => result(endpoint, await begin(endpoint, request));
  return {
    url,
    post,
    get: (path, init = {}) => answered(path, init),
    call,
    begin,
    result,
    run,
    model: async (rank, seed = 0) => {
      const { session_id: session } = await call(endpoints.createSession, { tags: [], user_metadata: {}, sdk_version: "test" });
      const { model_id: model } = await run(endpoints.createModel, { session_id: session, model_seq_id: 0, base_model: TINY, lora_config: { rank, seed } });
      return { session, model };
    },
    close,
  };
}

/** A dense array as the wire has it. */
export function tensor(data: ArrayLike<number>, dtype: Tensor["dtype"] = "float32"): Tensor {
  return { data: Array.from(data), dtype, shape: [data.length] };
}

/** Tokens as the wire has them. */
export function textOf(tokens: readonly number[]): Datum["model_input"] {
  return { chunks: [{ type: "encoded_text", tokens: [...tokens] }] };
}

/** A row as a datum: arrays of the completion are zero on the prompt. */
export function datumOf({ prompt, completion, ...arrays }: TokenSequence & Readonly<Record<string, unknown>>): Datum {
  const tokens = [...prompt, ...completion];
  const zeros = prompt.slice(1).map(() => 0);
  const aligned = Object.entries(arrays).map(([name, values]) => [name, tensor([...zeros, ...Array.from(values as ArrayLike<number>)])] as const);
  return { model_input: textOf(tokens.slice(0, -1)), loss_fn_inputs: { target_tokens: tensor(tokens.slice(1), "int64"), ...Object.fromEntries(aligned) } };
}
