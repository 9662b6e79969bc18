import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../src/tinker/clock.ts";
import { API_PREFIX } from "../src/tinker/wire.ts";
import type { FakeServer } from "./fake-training-server.ts";

/** What can go wrong with one request. */
export const FAULTS = ["delay", "reset before", "reset after", "429", "500", "500 after", "truncated", "duplicate"] as const;
export type Fault = (typeof FAULTS)[number];

/** A connection to a server, in the same process; `faultOf` says what goes wrong with a request, by its path. */
export function fetchFrom(server: FakeServer, faultOf: (path: string) => Fault | null = () => null): typeof fetch {
  return async (input, init) => {
    const { pathname } = new URL(input);
    const fault = faultOf(pathname.slice(API_PREFIX.length));
    const body: unknown = typeof init?.body === "string" ? JSON.parse(init.body) : undefined;
    const key = new Headers(init?.headers).get("x-api-key");
    const handle = () => server.handle(init?.method ?? "GET", pathname, structuredClone(body), key);
    if (fault === "reset before") throw new TypeError("fetch failed", { cause: new Error("read ECONNRESET") });
    if (fault === "429") return Response.json({ detail: "Too many requests" }, { status: 429, headers: { "retry-after": "1" } });
    if (fault === "500") return Response.json({ detail: "Internal Server Error" }, { status: 500 });
    if (fault === "delay") for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    const first = await handle();
    if (fault === "reset after") throw new TypeError("terminated", { cause: new Error("other side closed") });
    if (fault === "500 after") return Response.json({ detail: "Internal Server Error" }, { status: 500 });
    const answer = fault === "duplicate" ? await handle() : first;
    const text = JSON.stringify(answer.body);
    return new Response(fault === "truncated" ? text.slice(0, Math.ceil(text.length / 2)) : text, { status: answer.status, headers: { "content-type": "application/json" } });
  };
}

/** Serves on a free port of this machine until it is closed. */
export async function listen(server: FakeServer): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const http = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const key = request.headers["x-api-key"];
      void server.handle(request.method!, request.url!, text === "" ? undefined : JSON.parse(text), typeof key === "string" ? key : null).then(({ status, body }) => {
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      });
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}

/** A clock that passes as soon as somebody waits for it. */
export function createFakeClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    sleep: async (seconds, signal) => {
      now += seconds;
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
    },
    every: () => () => undefined,
  };
}
