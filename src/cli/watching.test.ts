import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { environment } from "../../test/train-fixture.ts";
import { createRunDirectory } from "../run/index.ts";
import * as server from "../watch/index.ts";
import { createOutput } from "./output.ts";
import type { Output } from "./output.ts";
import { watching } from "./watching.ts";

/** What a training is told while its run is served, and what people read. */
async function served(watch: boolean, during: (lines: readonly string[]) => Promise<void>): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "watching-"));
  const lines: string[] = [];
  const output: Output = { ...createOutput(true), terminal: { ...createOutput(true).terminal, line: (text) => void lines.push(text) } };
  try {
    await watching(watch, join(folder, "run"), output, async (opened) => {
      const run = await opened(await createRunDirectory(join(folder, "run"), { configText: "steps: 3\n", environment }));
      await during(lines);
      await run.close();
    });
  } finally {
    await rm(folder, { recursive: true });
  }
  return lines;
}

const addressIn = (lines: readonly string[]): string => /watch it live: (\S+)/.exec(lines.join("\n"))![1]!;

it("serves the run while it trains, and no longer", async () => {
  const lines = await served(true, async (sofar) => {
    const runs: unknown = await (await fetch(`${addressIn(sofar)}/api/runs`)).json();
    expect(runs).toMatchObject([{ name: "run", state: "running", steps: 3 }]);
  });
  await expect(fetch(addressIn(lines))).rejects.toThrow();
  expect(lines.at(-1)).toMatch(/^Look at it again with: npx selftrain watch .*run$/);
});

it("takes another port when its own is taken", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.once("error", () => resolve()).listen(6060, "127.0.0.1", resolve));
  const lines = await served(true, () => Promise.resolve());
  expect(addressIn(lines)).not.toMatch(/:6060$/);
  await new Promise((resolve) => taken.close(resolve));
});

it("lets the training go on when nothing can be served", async () => {
  const failing = vi.spyOn(server, "startWatchServer").mockRejectedValue(new Error("no more sockets"));
  let trained = false;
  const lines = await served(true, () => {
    trained = true;
    return Promise.resolve();
  });
  failing.mockRestore();
  expect(trained).toBe(true);
  expect(lines[0]).toContain("warning: the live page can't be served: no more sockets; the training goes on without it.");
});

it("serves nothing unasked", async () => {
  expect(await served(false, () => Promise.resolve())).toEqual([]);
});
