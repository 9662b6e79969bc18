import { Hono } from "hono";
import type { Context, MiddlewareHandler } from "hono";
import { streamSSE } from "hono/streaming";
import { namesThisMachine } from "../util/loopback.ts";
import { aboutOf } from "./about.ts";
import { encodeColumns } from "./columns.ts";
import { compareRuns } from "./compare.ts";
import type { Feed } from "./feed.ts";
import { pageFile } from "./page-files.ts";
import { STEP_COLUMNS } from "./protocol.ts";
import type { Recordings, StepColumn } from "./protocol.ts";
import { createRecordingReader } from "./recordings.ts";
import { Refusal } from "./refusal.ts";
import type { WatchedRun } from "./run.ts";
import type { Runs } from "./runs.ts";

export interface AppOptions {
  readonly runs: Runs;
  readonly feed: Feed;
  /** Folder of the built page; `null` where it is not built. */
  readonly page: string | null;
  /** Whether only who asks for this machine by a name of its own is answered. */
  readonly localOnly: boolean;
  /** Told of failures that are bugs. */
  readonly report: (error: unknown) => void;
}

/**
 * Nothing but what the page brings along is loaded or run, and nothing is sent elsewhere. Styles that scripts set on
 * elements need no `unsafe-inline`.
 */
const CONTENT_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Runs over HTTP: the endpoints of protocol.ts, which only read, and the page. Every failure is a `Refusal`, one sentence. */
export function createApp(options: AppOptions): Hono {
  const { runs, feed, page, localOnly, report } = options;
  const app = new Hono();
  app.onError((error, context) => failureOf(error, context, report));
  app.use(secured);
  if (localOnly) app.use(ownName);
  app.use("/api/*", async (context, next) => {
    await runs.glance();
    context.header("cache-control", "no-store");
    await next();
  });
  app.get("/api/runs", (context) => context.json(runs.list()));
  app.get("/api/events", (context) =>
    streamSSE(context, (stream) =>
      feed.follow((message) => void stream.write(message), (end) => stream.onAbort(end)),
    ),
  );
  addRunCalls(app, runs);
  app.get("/api/compare", async (context) => context.json(await compareRuns(runNamed(runs, context.req.query("first")), runNamed(runs, context.req.query("second")))));
  app.all("/api/*", (context) => {
    throw new Refusal(404, `${context.req.method} ${context.req.path} is no call of this server.`);
  });
  app.get("*", async (context) => {
    if (page === null) throw new Refusal(503, "The page is not built: run `npm run build` in the folder of selftrain, then start this again.");
    const file = await pageFile(page, context.req.path);
    if (file === null) throw new Refusal(404, `${context.req.path} is no file of the page.`);
    return context.body(file.bytes, 200, { "content-type": file.type, "cache-control": "no-cache" });
  });
  return app;
}

/** What there is to read of one run. */
function addRunCalls(app: Hono, runs: Runs): void {
  const recordings = createRecordingReader();
  const runOf = (context: Context): WatchedRun => runNamed(runs, context.req.param("id"));
  app.get("/api/runs/:id/steps", (context) => {
    const columns = columnsOf(context.req.query("columns") ?? "");
    const from = wholeNumber("from", context.req.query("from") ?? "0");
    const all = runOf(context).columns();
    return context.body(encodeColumns(columns.map((name) => all.after(name, from))), 200, { "content-type": "application/octet-stream" });
  });
  app.get("/api/runs/:id/evaluations", (context) => context.json(runOf(context).evaluations()));
  app.get("/api/runs/:id/about", async (context) => context.json(await aboutOf(runOf(context))));
  app.get("/api/runs/:id/recordings", (context) => context.json(runOf(context).recordings() satisfies Recordings));
  app.get("/api/runs/:id/recordings/:step", async (context) => context.json(await recordings.problems(runOf(context), wholeNumber("step", context.req.param("step")))));
  app.get("/api/runs/:id/recordings/:step/:index", async (context) => {
    const { step, index } = context.req.param();
    return context.json(await recordings.open(runOf(context), wholeNumber("step", step), wholeNumber("index", index)));
  });
}

/** Ids are compared with those of the known runs: none is ever part of a path. */
function runNamed(runs: Runs, id = ""): WatchedRun {
  const run = runs.find(id);
  if (run === undefined) throw new Refusal(404, "There is no run of this id here.");
  return run;
}

function columnsOf(text: string): readonly StepColumn[] {
  return text.split(",").map((name) => {
    const column = STEP_COLUMNS.find((known) => known === name);
    if (column === undefined) throw new Refusal(400, `\`columns\` names \`${name.slice(0, 40)}\`; expected some of ${STEP_COLUMNS.join(", ")}, with commas between them.`);
    return column;
  });
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Refusal(400, `\`${name}\` is \`${text.slice(0, 40)}\`; expected a whole number.`);
  return Number(text);
}

const secured: MiddlewareHandler = async (context, next) => {
  await next();
  context.header("content-security-policy", CONTENT_POLICY);
  context.header("x-content-type-options", "nosniff");
  context.header("referrer-policy", "no-referrer");
};

/** A page of the web can make its own name lead to this machine; its requests are then told by that name. */
const ownName: MiddlewareHandler = async (context, next) => {
  const host = context.req.header("host") ?? "";
  if (!namesThisMachine(host)) throw new Refusal(403, `This server was asked as \`${host.slice(0, 100)}\`, but answers only as localhost or 127.0.0.1.`);
  await next();
};

function failureOf(error: Error, context: Context, report: (error: unknown) => void): Response {
  if (error instanceof Refusal) return context.json({ error: error.message }, error.status);
  report(error);
  return context.json({ error: "Unexpected error of the server; its own output has the details." }, 500);
}
