import { describe, expect, it } from "vitest";
import { createFakeClock } from "../../test/fake-connection.ts";
import { ServerError } from "../errors.ts";
import { createRandom } from "../util/random.ts";
import { operate, query } from "./client.ts";
import type { Connection } from "./http.ts";
import { createLimit } from "./limit.ts";
import { endpoints } from "./wire.ts";

interface Sent {
  readonly path: string;
  readonly body: Record<string, unknown> | undefined;
  readonly at: number;
}

/** A connection that gets these answers one after the other; an Error is a connection that breaks, and `HELD` a minute without an answer. */
function scripted(answers: readonly (Response | Error)[]): { readonly connection: Connection; readonly sent: Sent[] } {
  const sent: Sent[] = [];
  const clock = createFakeClock();
  const answering: typeof fetch = (url, init) => {
    sent.push({ path: new URL(url).pathname.replace("/api/v1", ""), body: init?.body === undefined ? undefined : (JSON.parse(init.body as string) as Record<string, unknown>), at: clock.now() });
    const answer = answers[sent.length - 1] ?? new Error("nothing more is scripted");
    if (answer === HELD) return clock.sleep(60, init!.signal!).then(() => Promise.reject(answer));
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { sent, connection: { url: "http://server", key: "secret", fetch: answering, clock, random: createRandom(1), signal: new AbortController().signal, patience: 60, resultTimeout: 1000 } };
}

/** What `fetch` throws when its AbortSignal.timeout has passed. */
const HELD = new DOMException("The operation was aborted due to timeout", "TimeoutError");
const json = (body: unknown, status = 200, headers: Record<string, string> = {}) => Response.json(body, { status, headers });
const pending = () => json({ type: "try_again", request_id: "7", queue_state: "active" });
const SAVE = { model_id: "m", path: "state-1", seq_id: 4 };

describe("an operation", () => {
  it("is sent once and polled until its result is there", async () => {
    const { connection, sent } = scripted([json({ request_id: "7" }), pending(), json({ detail: "Timeout" }, 408), json({ path: "tinker://m/weights/state-1" })]);
    expect(await operate(connection, endpoints.saveWeights, SAVE)).toEqual({ path: "tinker://m/weights/state-1" });
    expect(sent.map(({ path }) => path)).toEqual(["/save_weights", "/retrieve_future", "/retrieve_future", "/retrieve_future"]);
    expect(sent[0]!.body).toEqual(SAVE);
    expect(sent[1]!.body).toEqual({ request_id: "7" });
  });

  it("may take any time while the server holds the polls", async () => {
    const { connection, sent } = scripted([json({ request_id: "7" }), ...new Array<Error>(10).fill(HELD), new Error("reset"), json({ path: "p" })]);
    expect(await operate(connection, endpoints.saveWeights, SAVE)).toEqual({ path: "p" });
    // Ten times as long as the patience with a connection that fails.
    expect(sent.at(-1)!.at).toBeGreaterThan(600);
  });

  it("is given up when there is no result in the time for it, whether polls are answered or held", async () => {
    for (const polls of [new Array(30_000).fill(0).map(pending), new Array<Error>(30).fill(HELD)]) {
      const { connection, sent } = scripted([json({ request_id: "7" }), ...polls]);
      const failure: unknown = await operate({ ...connection, resultTimeout: 200 }, endpoints.saveWeights, SAVE).catch((error: unknown) => error);
      expect((failure as ServerError).message).toBe(
        "the training server's POST http://server/api/v1/save_weights got no answer: no result within 200 s; set `engine.result-timeout` higher if it needs longer, and continue the run from its last checkpoint. Check `engine.url` and that the server runs.",
      );
      expect((failure as ServerError).failure).toMatchObject({ path: "/save_weights", status: null, retryable: true, inDoubt: true });
      expect(sent.at(-1)!.at).toBeGreaterThan(100);
      expect(sent.at(-1)!.at).toBeLessThanOrEqual(200);
    }
  });

  it("is sent again with the same body after a lost or broken answer, later each time", async () => {
    const broken = new Response('{"request_', { status: 200 });
    const { connection, sent } = scripted([new Error("reset"), broken, json({}, 503), json({ request_id: "7" }), json({ path: "p" })]);
    await operate(connection, endpoints.saveWeights, SAVE);
    expect(sent.slice(0, 4).map(({ body }) => body)).toEqual([SAVE, SAVE, SAVE, SAVE]);
    const waits = [1, 2, 3].map((index) => sent[index]!.at - sent[index - 1]!.at);
    // Half a second, doubled each time, less up to a quarter.
    waits.forEach((wait, index) => {
      expect(wait).toBeGreaterThanOrEqual(0.75 * 0.5 * 2 ** index);
      expect(wait).toBeLessThanOrEqual(0.5 * 2 ** index);
    });
  });

  it("waits as long as an overloaded server asks", async () => {
    const { connection, sent } = scripted([json({ detail: "slow down" }, 429, { "retry-after": "17" }), json({ request_id: "7" }), json({ path: "p" })]);
    await operate(connection, endpoints.saveWeights, SAVE);
    expect(sent[1]!.at).toBe(17);
  });

  it("waits also where an overloaded server says that it need not", async () => {
    const { connection, sent } = scripted(new Array(200).fill(0).map(() => json({ detail: "slow down" }, 429, { "retry-after": "0" })));
    await expect(operate(connection, endpoints.saveWeights, SAVE)).rejects.toThrow("slow down");
    expect(sent.length).toBeLessThan(20);
  });

  it("takes another name when its own is taken, and is asked for anew when the server lost its result", async () => {
    const { connection, sent } = scripted([json({ detail: "exists" }, 409), json({ request_id: "7" }), json({ detail: "gone" }, 410), json({ request_id: "8" }), json({ path: "p" })]);
    await operate(connection, endpoints.saveWeights, (conflicts) => ({ ...SAVE, path: `state-${1 + conflicts}` }));
    expect(sent.map(({ body }) => body?.["path"] ?? body?.["request_id"])).toEqual(["state-1", "state-2", "7", "state-2", "8"]);
  });

  it.each([
    ["is refused", [json({ detail: "rank must be positive" }, 422)], "the training server's POST http://server/api/v1/save_weights was answered with status 422: rank must be positive."],
    ["fails, by a status", [json({ request_id: "7" }), json({ detail: "Model m not loaded" }, 400)], "the training server's POST http://server/api/v1/save_weights was answered with status 400: Model m not loaded."],
    ["fails, by its result", [json({ request_id: "7" }), json({ error: "out of memory", category: "Server" })], "the training server's POST http://server/api/v1/save_weights was answered with status 200: out of memory."],
    ["has another shape", [json({ request_id: "7" }), json({ route: 1 })], "an answer whose path is not as expected"],
    ["is forbidden", [json({ detail: "secret is no key" }, 403)], "[key] is no key. Set the environment variable TINKER_API_KEY to a key of this server."],
  ])("that %s says so at once", async (_, answers, message) => {
    const { connection, sent } = scripted(answers);
    const failure: unknown = await operate(connection, endpoints.saveWeights, SAVE).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ServerError);
    expect((failure as ServerError).message).toContain(message);
    expect((failure as ServerError).failure).toMatchObject({ method: "POST", path: "/save_weights", retryable: false });
    expect(sent.length).toBe(answers.length);
  });
});

describe("a request", () => {
  it("is given up when the patience is at an end, and says whether another try can help", async () => {
    const { connection, sent } = scripted(new Array(100).fill(0).map(() => json({ detail: "starting" }, 503)));
    const failure: unknown = await query(connection, endpoints.serverCapabilities).catch((error: unknown) => error);
    expect((failure as ServerError).failure).toEqual({ method: "GET", path: "/get_server_capabilities", status: 503, detail: "starting", retryable: true, inDoubt: false });
    expect(sent.at(-1)!.at).toBeGreaterThan(40);
    expect(sent.at(-1)!.at).toBeLessThanOrEqual(60);
  });

  it("is not repeated for ever when the server did not foresee it", async () => {
    const { connection, sent } = scripted(new Array(100).fill(0).map(() => new Response("Internal Server Error", { status: 500 })));
    await expect(query(connection, endpoints.serverCapabilities)).rejects.toThrow("was answered with status 500: Internal Server Error.");
    expect(sent.length).toBe(5);
  });
});

describe("a limit", () => {
  it("runs so many tasks at once, and the others in their order", async () => {
    const limit = createLimit(2);
    let running = 0;
    let most = 0;
    const order: number[] = [];
    await Promise.all(
      [0, 1, 2, 3, 4].map((task) =>
        limit(async () => {
          most = Math.max(most, ++running);
          order.push(task);
          await new Promise((resolve) => setImmediate(resolve));
          running -= 1;
        }),
      ),
    );
    expect(most).toBe(2);
    expect(order).toEqual([0, 1, 2, 3, 4]);
    await expect(limit(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await limit(() => Promise.resolve(5))).toBe(5);
  });
});
