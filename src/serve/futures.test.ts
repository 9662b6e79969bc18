import { expect, it, vi } from "vitest";
import { PolicyError } from "../errors.ts";
import { createFutures } from "./futures.ts";
import type { FuturesOptions } from "./futures.ts";

const futuresWith = (options: Partial<FuturesOptions> = {}) => createFutures({ maxUnfinished: 100, fetchedBytes: 1e6, report: () => undefined, ...options });

it("give results as they are, and failures by who can mend them", async () => {
  const report = vi.fn();
  const futures = futuresWith({ report });
  const bug = new Error("internal");
  const ids = [Promise.resolve({ loss: 1 }), Promise.reject(new PolicyError("too long.")), Promise.reject(bug)].map((result) => futures.start("s", () => result));
  const results = await Promise.all(ids.map((id) => futures.retrieve(id, 1)));
  expect(results.map((result) => JSON.parse(result!) as unknown)).toEqual([
    { loss: 1 },
    { error: "too long.", category: "user" },
    { error: "unexpected error of the server; its own output has the details.", category: "server" },
  ]);
  expect(report.mock.calls).toEqual([[bug]]);
});

it("keep what was not fetched, and of what was the latest", async () => {
  const futures = futuresWith({ fetchedBytes: 250 });
  const ids = Array.from({ length: 4 }, () => futures.start("s", () => Promise.resolve({ text: "x".repeat(90) })));
  const [waiting, ...fetched] = ids;
  for (const id of fetched) await futures.retrieve(id, 1);
  await expect(futures.retrieve(fetched[0]!, 1)).rejects.toThrow("was fetched and is no longer kept");
  expect(await futures.retrieve(fetched[2]!, 1)).toContain("xxx");
  expect(await futures.retrieve(waiting!, 1)).toContain("xxx");
  await expect(futures.retrieve("5", 1)).rejects.toThrow("there is no request 5");
  await expect(futures.retrieve("0x1", 1)).rejects.toThrow("there is no request 0x1");
});

it("are limited in number until they are finished, and forgotten with their session", async () => {
  const futures = futuresWith({ maxUnfinished: 2 });
  // What cannot begin is not counted.
  expect(() => futures.start("s", () => {
    throw new PolicyError("no room.");
  })).toThrow("no room.");
  let finish = (): void => undefined;
  const held = futures.start("s", () => new Promise((resolve) => (finish = () => resolve({ done: true }))));
  const other = futures.start("t", () => Promise.resolve({}));
  expect(() => futures.start("t", () => Promise.resolve({}))).toThrow("2 operations are unfinished, as many as this server takes");
  expect(await futures.retrieve(held, 0.01)).toBeNull();
  expect([futures.busy("s"), futures.sessionOf(held), futures.sessionOf(other)]).toEqual([true, "s", "t"]);
  finish();
  expect(await futures.retrieve(held, 1)).toBe('{"done":true}');
  expect(futures.busy("s")).toBe(false);
  futures.drop("s");
  await expect(futures.retrieve(held, 1)).rejects.toThrow("no longer kept");
});
