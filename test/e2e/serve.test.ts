import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, expect, it } from "vitest";
import { selftrain } from "./command.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/selftrain-serve-`);
});
afterAll(() => rm(folder, { recursive: true }));

it("serves until Ctrl-C, and says where", async () => {
  const { code, stdout, stderr } = await selftrain(["serve", "--port", "0", "--json"], { folder, interruptAt: "Ctrl-C ends it", environment: { SELFTRAIN_SERVE_KEY: "tml-secret" } });
  expect([code, JSON.parse(stdout)]).toEqual([0, { url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string, model: "builtin", state: "runs/served", key: true }]);
  expect(stderr).toContain("(with a key)");
  expect(stderr + stdout).not.toContain("tml-secret");
});

it("refuses other machines without a key, and what is no port", async () => {
  for (const [parameters, sentence] of [
    [["--host", "0.0.0.0"], "--host 0.0.0.0 can be reached from other machines, so a key is needed: set SELFTRAIN_SERVE_KEY"],
    [["--port", "many"], "--port is `many`; expected a whole number from 0 to 65535"],
  ] as const) {
    const { code, stderr } = await selftrain(["serve", ...parameters], { folder });
    expect([code, stderr.startsWith("selftrain: ")]).toEqual([2, true]);
    expect(stderr).toContain(sentence);
  }
});
