import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { systemCode, systemReason } from "./system-error.ts";

it("gives the system's own words", async () => {
  const error: unknown = await readFile("/no/such/file").catch((caught: unknown) => caught);
  expect(systemReason(error)).toBe("no such file or directory (ENOENT)");
  expect(systemCode(error)).toBe("ENOENT");
});

it("knows an error by its message when it lost its code on the way from a worker", () => {
  expect(systemReason(new Error("ENOSPC: no space left on device, write"))).toBe("no space left on device (ENOSPC)");
});

it("is silent on other errors", () => {
  expect(systemReason(new TypeError("x is not a function"))).toBeNull();
  expect(systemReason("ENOSPC: a string")).toBeNull();
  expect(systemCode(new Error("none"))).toBeNull();
});
