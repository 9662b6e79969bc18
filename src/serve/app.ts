import { createHash, timingSafeEqual } from "node:crypto";
import { Hono } from "hono";
import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import { CheckpointError, SelftrainError } from "../errors.ts";
import { API_PREFIX, endpoints } from "../tinker/wire.ts";
import { namesThisMachine } from "../util/loopback.ts";
import { formatPath, parsePath } from "./checkpoints.ts";
import { decodePass, encodeResult, PROTOBUF } from "./protobuf.ts";
import { Refusal } from "./refusal.ts";
import { createFromWeightsRequest, createModelRequest, fingerprintOf, sampleRequest } from "./requests.ts";
import type { Received } from "./requests.ts";
import type { Service } from "./service.ts";

export interface AppOptions {
  /** What clients must show, or `null` where anyone may come. */
  readonly key: string | null;
  readonly maxBodyBytes: number;
  /** How long `retrieve_future` holds a request. */
  readonly pollSeconds: number;
  /** Told of failures that no client can mend. */
  readonly report: (error: unknown) => void;
}

const createBase = () => new Hono().basePath(API_PREFIX);
type App = ReturnType<typeof createBase>;

/** The service over HTTP: JSON in and out; every failure is `{detail}`, one sentence, with a status of 400 or more. */
export function createApp(service: Service, options: AppOptions): App {
  const app = createBase();
  app.onError((error, context) => failureOf(error, context, options.report));
  app.notFound((context) => context.json({ detail: `${context.req.method} ${context.req.path} is no call of this server.` }, 404));
  app.get(endpoints.health.path, (context) => context.json({ status: "ok" }));
  app.use(options.key === null ? localOnly : authorized(options.key));
  app.use(limited(options.maxBodyBytes));
  app.get(endpoints.serverCapabilities.path, (context) => context.json(service.capabilities()));
  addCalls(app, service);
  addSdkCalls(app, service);
  addCheckpointCalls(app, service);
  app.post(endpoints.retrieveFuture.path, async (context) => {
    const { request_id } = await bodyOf(context, endpoints.retrieveFuture.request);
    const result = await service.retrieve(request_id, options.pollSeconds);
    if (result === null) return context.json({ type: "try_again", request_id, queue_state: "active" });
    const message = context.req.header("accept")?.includes(PROTOBUF) ? encodeResult(JSON.parse(result) as object) : null;
    if (message) return context.body(message, 200, { "content-type": PROTOBUF });
    return context.body(result, 200, { "content-type": "application/json" });
  });
  return app;
}

/** A call that takes a JSON body of some shape. */
function post<T extends z.ZodType>(app: App, { path, request }: { readonly path: string; readonly request: T }, answer: (request: Received<z.output<T>>) => object | Promise<object>): void {
  app.post(path, async (context) => context.json(await answer(await bodyOf(context, request))));
}

/** What the client of this project and others call. */
function addCalls(app: App, service: Service): void {
  const future = (request_id: string): object => ({ request_id });
  post(app, endpoints.createSession, () => service.createSession());
  post(app, endpoints.sessionHeartbeat, (request) => service.heartbeat(request));
  post(app, { path: endpoints.createModel.path, request: createModelRequest }, (request) => service.createModel(request));
  post(app, endpoints.getInfo, (request) => service.getInfo(request));
  post(app, endpoints.unloadModel, ({ model_id }) => ({ request_id: service.model(model_id).unload(), model_id }));
  post(app, endpoints.createSamplingSession, (request) => service.createSamplingSession(request));
  post(app, { path: endpoints.sample.path, request: sampleRequest }, (request) => {
    const id = service.samplingSession(request.sampling_session_id).sample(request);
    // Newer versions of the Python SDK name each sample.
    return { request_id: id, sample_sequence_ids: Array.from({ length: request.num_samples }, (_, sample) => `${id}-${sample}`) };
  });
  post(app, endpoints.forward, (request) => future(service.model(request.model_id).forward(request)));
  app.post(endpoints.forwardBackward.path, async (context) => context.json(future(await pass(context, service))));
  post(app, endpoints.optimStep, (request) => future(service.model(request.model_id).optimStep(request)));
  post(app, endpoints.saveWeights, (request) => future(service.model(request.model_id).saveWeights(request)));
  post(app, endpoints.saveWeightsForSampler, (request) => future(service.model(request.model_id).saveWeightsForSampler(request)));
  post(app, { path: endpoints.loadWeights.path, request: z.looseObject({}) }, (body) => {
    if ("session_id" in body) return service.createModelFrom(checked(body, createFromWeightsRequest, body.fingerprint));
    const request = checked(body, endpoints.loadWeights.request, body.fingerprint);
    return future(service.model(request.model_id).loadWeights(request));
  });
}

/** A pass, which comes as JSON or as a message; the message may ask for one without gradients. */
async function pass(context: Context, service: Service): Promise<string> {
  if (context.req.header("content-type") !== PROTOBUF) {
    const request = await bodyOf(context, endpoints.forwardBackward.request);
    return service.model(request.model_id).forwardBackward(request);
  }
  const body = new Uint8Array(await context.req.arrayBuffer());
  const { forward_only, ...message } = decodePass(body);
  const request = checked(message, endpoints.forwardBackward.request, fingerprintOf(context.req.path, body));
  const model = service.model(request.model_id);
  return forward_only ? model.forward({ ...request, forward_input: request.forward_backward_input }) : model.forwardBackward(request);
}

/** What the official Python SDK asks for beside. */
function addSdkCalls(app: App, service: Service): void {
  const anything = z.looseObject({});
  post(app, { path: "/client/config", request: anything }, () => ({ pjwt_auth_enabled: false, proto_write_fwdbwd: false, fwd_via_fwdbwd: false, use_pyqwest_transport: false }));
  post(app, { path: "/telemetry", request: anything }, () => ({ status: "accepted" }));
  post(app, { path: "/weights_info", request: z.object({ tinker_path: z.string() }) }, ({ tinker_path }) => service.weightsInfo(parsePath(tinker_path)));
  app.get("/samplers/:id", (context) => context.json(service.samplerInfo(context.req.param("id"))));
}

/** What was saved, for clients that tidy up. */
function addCheckpointCalls(app: App, { checkpoints }: Service): void {
  app.get("/training_runs/:model/checkpoints", async (context) => {
    const found = await checkpoints.list(context.req.param("model"));
    return context.json({
      checkpoints: found.map(({ bytes, time, ...path }) => ({
        checkpoint_id: `${path.kind}/${path.name}`,
        checkpoint_type: path.kind === "weights" ? "training" : "sampler",
        time,
        tinker_path: formatPath(path),
        size_bytes: bytes,
      })),
    });
  });
  app.delete("/training_runs/:model/checkpoints/:kind/:name", async (context) => {
    const { model, kind, name } = context.req.param();
    await checkpoints.remove(parsePath(`tinker://${model}/${kind}/${name}`));
    return context.body(null, 204);
  });
}

/** Reads a JSON body. Throws Refusal: 415 for another kind of body, 400 for no JSON, 422 for JSON of another shape. */
async function bodyOf<T extends z.ZodType>(context: Context, schema: T): Promise<Received<z.output<T>>> {
  // Pages of the web cannot send this type to another site unasked, so that they cannot drive a server of their visitor.
  const type = context.req.header("content-type") ?? "none";
  if (!/^application\/json\b/i.test(type)) throw new Refusal(415, `the body's content type is ${type}; expected application/json.`);
  let [text, json]: [string, unknown] = ["", null];
  try {
    text = await context.req.text();
    json = JSON.parse(text);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, "the body is not valid JSON.");
  }
  return checked(json, schema, fingerprintOf(context.req.path, text));
}

function checked<T extends z.ZodType>(value: unknown, schema: T, fingerprint: string): Received<z.output<T>> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ...(parsed.data as object), fingerprint } as Received<z.output<T>>;
  const [issue] = parsed.error.issues;
  throw new Refusal(422, `${issue!.path.join(".") || "the body"} is not as expected: ${issue!.message.replace(/\.$/, "")}.`);
}

/** Lets pass who asks for this machine by a name of its own: a page of the web can make its own name lead here. */
const localOnly: MiddlewareHandler = async (context, next) => {
  const host = context.req.header("host") ?? "";
  if (!namesThisMachine(host)) throw new Refusal(403, `this server was asked as \`${host}\`, but without a key it answers only as localhost or 127.0.0.1.`);
  await next();
};

/** Lets pass who shows the key, in `X-API-Key` or as a bearer token. */
function authorized(key: string): MiddlewareHandler {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  const expected = digest(key);
  return async (context, next) => {
    const shown = context.req.header("x-api-key") ?? /^Bearer (.+)$/i.exec(context.req.header("authorization") ?? "")?.[1];
    if (shown === undefined) throw new Refusal(401, "this server needs a key; send it in the header X-API-Key.");
    // Digests are compared, so that the time tells nothing of the key, nor of its length.
    if (!timingSafeEqual(digest(shown), expected)) throw new Refusal(401, "this is not the key of this server.");
    await next();
  };
}

function limited(maxSize: number): MiddlewareHandler {
  const onError = (): never => {
    throw new Refusal(413, `the body is larger than ${maxSize} bytes; send less data at once.`);
  };
  const counted = bodyLimit({ maxSize, onError });
  return (context, next) => {
    // Node reads no more than the length that is told; looking for a body would turn each request into a slow one.
    const length = context.req.header("content-length");
    if (length === undefined) return counted(context, next);
    return Number(length) > maxSize ? onError() : next();
  };
}

function failureOf(error: Error, context: Context, report: (error: unknown) => void): Response {
  if (error instanceof Refusal) return context.json({ detail: error.message }, error.status);
  if (error instanceof SelftrainError && !(error instanceof CheckpointError)) return context.json({ detail: error.message }, 400);
  if (error instanceof CheckpointError) return context.json({ detail: error.message }, 500);
  report(error);
  return context.json({ detail: "unexpected error of the server; its own output has the details." }, 500);
}
