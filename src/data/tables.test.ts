import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readDataFile } from "./tables.ts";

let folder = "";
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), "selftrain-tables-"))));
afterAll(() => rm(folder, { recursive: true }));

async function read(name: string, content: string | Buffer) {
  const file = join(folder, name);
  await writeFile(file, content);
  return readDataFile(file);
}

/**
 * Written by pyarrow 26.0.1 from {ID: int64 [7, 8], prompt: ["1+1=", "Wie groß ist 2·3? 😀"],
 * final_answer: [["2"], ["6", "six"]]}, without dictionary and statistics.
 */
const PARQUET = {
  zstd: "UEFSMRUAFSwVPiwVBBUAFQYVBhwAAAAotS/9IBaxAAACAAAABAEHAAAAAAAAAAgAAAAAAAAAFQAVVBVmLBUEFQAVBhUGHAAAACi1L/0gKlEBAAIAAAAEAQQAAAAxKzE9GAAAAFdpZSBncm/DnyBpc3QgMsK3Mz8g8J+YgBUAFToVTCwVBhUAFQYVBhwAAAAotS/9IB3pAAACAAAAAwQCAAAABgMBAAAAMgEAAAA2AwAAAHNpeBUEGWw1ABgGc2NoZW1hFQYAFQQlAhgCSUQAFQwlAhgGcHJvbXB0JQBMHAAAADUCGAxmaW5hbF9hbnN3ZXIVAhUGTDwAAAA1BBgEbGlzdBUCABUMJQIYB2VsZW1lbnQlAEwcAAAAFgQZHBk8JgAcFQQZJQYAGRgCSUQVDBYEFlIWZCYISRwVABUAFQIAPCkGGSYABAAAACYAHBUMGSUGABkYBnByb21wdBUMFgQWehaMASZsSRwVABUAFQIAPBY4GQYZJgAEAAAAJgAcFQwZJQYAGTgMZmluYWxfYW5zd2VyBGxpc3QHZWxlbWVudBUMFgYWYBZyJvgBSRwVABUAFQIAPBYKGSYEAhlGAAAABgAAABasAhYEJggW4gIAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRk8HAAAHAAAHAAAAEoBAABQQVIx",
  gzip: "UEFSMRUAFSwVQCwVBBUAFQYVBhwAAAAfiwgAAAAAAAIDY2JgYGBhZGeAAA4oDQDlh2skFgAAABUAFVQVeCwVBBUAFQYVBhwAAAAfiwgAAAAAAAIDY2JgYGBhZAGShtqGthJAOjwzVSG9KP/wfIXM4hIFo0Pbje0VPsyf0QAA/gIRwCoAAAAVABU6FVQsFQYVABUGFQYcAAAAH4sIAAAAAAACA2NiYGBgZmECkmzMjEDSCESYMQOJ4swKADw6Rr4dAAAAFQQZbDUAGAZzY2hlbWEVBgAVBCUCGAJJRAAVDCUCGAZwcm9tcHQlAEwcAAAANQIYDGZpbmFsX2Fuc3dlchUCFQZMPAAAADUEGARsaXN0FQIAFQwlAhgHZWxlbWVudCUATBwAAAAWBBkcGTwmABwVBBklBgAZGAJJRBUEFgQWUhZmJghJHBUAFQAVAgA8KQYZJgAEAAAAJgAcFQwZJQYAGRgGcHJvbXB0FQQWBBZ6Fp4BJm5JHBUAFQAVAgA8FjgZBhkmAAQAAAAmABwVDBklBgAZOAxmaW5hbF9hbnN3ZXIEbGlzdAdlbGVtZW50FQQWBhZgFnomjAJJHBUAFQAVAgA8FgoZJgQCGUYAAAAGAAAAFqwCFgQmCBb+AgAoIHBhcnF1ZXQtY3BwLWFycm93IHZlcnNpb24gMjYuMC4xGTwcAAAcAAAcAAAASgEAAFBBUjE=",
} as const;

describe("readDataFile", () => {
  it("reads JSON Lines with the lines that rows stand on", async () => {
    expect(await read("a.jsonl", '{"problem": "1+1="}\n\n{"problem": "2+2="}\n')).toEqual([
      { place: "line 1", fields: { problem: "1+1=" } },
      { place: "line 3", fields: { problem: "2+2=" } },
    ]);
  });

  it("reads CSV: quotes, line breaks and commas in fields, a byte order mark, line ends of both kinds", async () => {
    const content = '\uFEFFproblem,answer\r\n"What is ""1,5"" + 1,\nrounded?",2\r\n\r\n1+1=,\n';
    expect(await read("a.csv", content)).toEqual([
      { place: "row 1", fields: { problem: 'What is "1,5" + 1,\nrounded?', answer: "2" } },
      { place: "row 2", fields: { problem: "1+1=", answer: "" } },
    ]);
  });

  it.each(["zstd", "gzip"] as const)("reads Parquet that another writer compressed with %s", async (codec) => {
    expect(await read(`${codec}.parquet`, Buffer.from(PARQUET[codec], "base64"))).toEqual([
      { place: "row 1", fields: { ID: 7n, prompt: "1+1=", final_answer: ["2"] } },
      { place: "row 2", fields: { ID: 8n, prompt: "Wie groß ist 2·3? 😀", final_answer: ["6", "six"] } },
    ]);
  });

  it.each([
    ["ragged.csv", "a,b\n1,2,3\n", /ragged\.csv is not valid CSV: .*line 2\.$/],
    ["open.csv", 'a,b\n"1,2\n', /open\.csv is not valid CSV: .+\.$/],
    ["header.csv", "a,b\n", /header\.csv has no rows\.$/],
    ["cut.parquet", Buffer.from(PARQUET.zstd, "base64").subarray(0, 300), /cut\.parquet is not valid Parquet: .+\.$/],
    ["data.txt", "1", /data\.txt is of no kind that can be read; expected a name that ends in \.jsonl, \.parquet, \.csv\.$/],
  ])("refuses %s", async (name, content, message) => {
    await expect(read(name, content)).rejects.toThrow(message);
  });

  it("refuses a file that is missing", async () => {
    for (const ending of ["jsonl", "csv", "parquet"]) {
      await expect(readDataFile(join(folder, `none.${ending}`))).rejects.toThrow(`cannot read ${folder}/none.${ending}: no such file or directory (ENOENT).`);
    }
  });
});
