import { describe, expect, it } from "vitest";
import { parseJsonLines } from "./jsonl.ts";

describe("parseJsonLines", () => {
  it("numbers lines as an editor does and skips blank ones", () => {
    expect(parseJsonLines('{"a":1}\r\n\n  \n[2]\n')).toEqual([
      { line: 1, text: '{"a":1}', ok: true, value: { a: 1 } },
      { line: 4, text: "[2]", ok: true, value: [2] },
    ]);
  });

  it("marks a line that is not JSON and goes on", () => {
    const [bad, good] = parseJsonLines('{"a":\nnull');
    expect(bad).toMatchObject({ line: 1, text: '{"a":', ok: false });
    expect(good).toMatchObject({ line: 2, ok: true, value: null });
  });
});
