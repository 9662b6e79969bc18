import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { API_PREFIX } from "../src/tinker/wire.ts";

const exchange = z.strictObject({
  method: z.enum(["GET", "POST"]),
  /** Under `/api/v1`. */
  path: z.string(),
  /** `null` where none was sent. */
  request: z.unknown(),
  status: z.int(),
  response: z.unknown(),
});

/** A request and what a server answered, in JSON. */
export type Exchange = z.output<typeof exchange>;

/** Reads what `recordText` wrote. */
export function readRecord(text: string): readonly Exchange[] {
  return z.array(exchange).min(1).parse(JSON.parse(text));
}

/** One exchange a line. */
export function recordText(exchanges: readonly Exchange[]): string {
  return `[\n${exchanges.map((one) => JSON.stringify(one)).join(",\n")}\n]\n`;
}

export interface Recorder {
  readonly fetch: typeof fetch;
  /** What was answered, in the order in which it was sent. A request without an answer is left out: it was sent again. */
  readonly exchanges: () => readonly Exchange[];
}

/** A `fetch` that keeps what passes through it. */
export function createRecorder(): Recorder {
  const kept: (Exchange | null)[] = [];
  return {
    exchanges: () => kept.filter((one) => one !== null),
    fetch: async (input, init) => {
      const place = kept.push(null) - 1;
      const response = await fetch(input, init);
      const text = await response.text();
      kept[place] = {
        method: init?.method === "GET" ? "GET" : "POST",
        path: new URL(input).pathname.slice(API_PREFIX.length),
        request: parsed(init?.body as string | undefined),
        status: response.status,
        response: JSON.parse(text),
      };
      return new Response(text, response);
    },
  };
}

export interface Replay {
  readonly url: string;
  /** What of the record was not asked. */
  readonly left: () => readonly Exchange[];
  readonly close: () => Promise<void>;
}

/** Serves a record: the same request gets the answer that it got, the second time the second one. Any other is refused. */
export async function replay(record: readonly Exchange[]): Promise<Replay> {
  const left = [...record];
  const answer = (method: string, url: string, request: unknown): Pick<Exchange, "status" | "response"> => {
    const asked = { method, path: url.slice(API_PREFIX.length), request };
    const place = left.findIndex(({ method, path, request }) => isDeepStrictEqual({ method, path, request }, asked));
    return left.splice(place, place < 0 ? 0 : 1)[0] ?? { status: 422, response: { detail: `not recorded: ${JSON.stringify(asked)}` } };
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { status, response: body } = answer(request.method!, request.url!, parsed(Buffer.concat(chunks).toString()));
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    left: () => left,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function parsed(text: string | undefined): unknown {
  return text === undefined || text === "" ? null : JSON.parse(text);
}
