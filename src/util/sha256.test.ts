import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { sha256, sha256OfFile } from "./sha256.ts";

// FIPS 180-2, appendix B.1.
const OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

it("hashes a text and a file alike", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sha256-"));
  await writeFile(join(folder, "abc"), "abc");
  expect([sha256("abc"), await sha256OfFile(join(folder, "abc"))]).toEqual([OF_ABC, OF_ABC]);
  await rm(folder, { recursive: true });
});
