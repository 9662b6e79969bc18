import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createTail } from "./tail.ts";
import type { Tail } from "./tail.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tail-"));
  path = join(folder, "lines.jsonl");
});
afterEach(() => rm(folder, { recursive: true }));

async function newIn(tail: Tail): Promise<unknown[]> {
  const taken: unknown[] = [];
  for (;;) {
    const values = await tail.next();
    if (values?.length === 0) return taken;
    taken.push(...values!);
  }
}

it("reads what a whole read does, wherever writing pauses", async () => {
  const line = fc.record({ step: fc.nat(), text: fc.string({ unit: "binary" }) });
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 12 }), fc.array(fc.nat(400), { maxLength: 8 }), async (lines, pauses) => {
      const bytes = Buffer.from(lines.map((each) => `${JSON.stringify(each)}\n`).join(""));
      await rm(path, { force: true });
      const tail = createTail(path);
      const taken: unknown[] = [];
      let at = 0;
      for (const length of [...pauses, bytes.length]) {
        await appendFile(path, bytes.subarray(at, at + length));
        at = Math.min(bytes.length, at + length);
        taken.push(...(await newIn(tail)));
        // Whole lines are there at once, a cut one not yet.
        expect(taken).toHaveLength(bytes.subarray(0, at).toString("latin1").split("\n").length - 1);
      }
      expect(taken).toEqual(JSON.parse(JSON.stringify(lines)));
    }),
    { numRuns: 60 },
  );
});

it("reads lines longer than what is read at once", async () => {
  const long = "x".repeat(2.5 * 2 ** 20);
  await writeFile(path, `${JSON.stringify(long)}\n1\n`);
  expect(await newIn(createTail(path))).toEqual([long, 1]);
});

it("hands out a part at a time, however long the file is", async () => {
  const line = `${JSON.stringify("x".repeat(1000))}\n`;
  await writeFile(path, line.repeat(3000));
  const tail = createTail(path);
  const parts: number[] = [];
  for (let values = await tail.next(); values!.length > 0; values = await tail.next()) parts.push(values!.length);
  expect(parts.reduce((total, part) => total + part)).toBe(3000);
  expect(Math.max(...parts) * line.length).toBeLessThanOrEqual(2 ** 18);
});

it("waits for a file that is not there yet", async () => {
  const tail = createTail(path);
  expect(await newIn(tail)).toEqual([]);
  await writeFile(path, "1\n");
  expect(await newIn(tail)).toEqual([1]);
});

it.each([
  ["renamed over it, shorter", async () => {
    await writeFile(`${path}.new`, "1\n");
    await rename(`${path}.new`, path);
  }],
  ["renamed over it, longer", async () => {
    await writeFile(`${path}.new`, "1\n2\n4\n5\n");
    await rename(`${path}.new`, path);
  }],
  ["cut in place", () => truncate(path, 2)],
  ["written anew in place, longer", () => writeFile(path, "7\n8\n9\n10\n")],
  ["taken away", () => rm(path)],
])("tells that a file was %s", async (_case, change) => {
  await writeFile(path, "1\n2\n3\n");
  const tail = createTail(path);
  await newIn(tail);
  await change();
  expect(await tail.next()).toBeNull();
  tail.restart();
  await newIn(tail);
});

it("stops at a damaged line, and says which", async () => {
  await writeFile(path, "1\n{\n3\n");
  const tail = createTail(path);
  expect(await newIn(tail)).toEqual([1]);
  expect(tail.damagedLine()).toBe(2);
  await appendFile(path, "4\n");
  expect(await newIn(tail)).toEqual([]);
});
