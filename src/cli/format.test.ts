import { expect, it } from "vitest";
import { countdown, counted, duration, percent, shorten, table, tally, timestamped } from "./format.ts";

it("writes shares, durations and counts", () => {
  expect(percent(0.4567)).toBe("45.7 %");
  expect([0.4, 59.6, 125, 11_250, -1].map(duration)).toEqual(["0 s", "1 min 00 s", "2 min 05 s", "3 h 07 min", "0 s"]);
  expect([0.4, 59.6, 125, 11_250, -1].map(countdown)).toEqual(["0:00", "1:00", "2:05", "3:07:30", "0:00"]);
  expect([counted(1, "row"), counted(2, "row")]).toEqual(["1 row", "2 rows"]);
});

it("shortens to one line", () => {
  expect(shorten("one\n  two", 7)).toBe("one two");
  expect(shorten("one two", 6)).toBe("one t…");
});

it("aligns a table", () => {
  expect(table([["", "before"], ["pass@1", "x"], ["é", ""]])).toEqual(["        before", "pass@1  x", "é"]);
});

it("tallies answers", () => {
  const answers = ["a", "b", "c", "d", "e", "f"].map((answer, index) => ({ answer, count: 6 - index }));
  expect(tally(answers.slice(0, 2), 3)).toBe("a ×6, b ×5, none ×3");
  expect(tally(answers, 0)).toBe("a ×6, b ×5, c ×4, d ×3, others ×3");
});

it("names by the time", () => {
  expect(timestamped("srt", new Date("2026-11-24T20:41:07.123Z"))).toBe("srt-2026-11-24T20-41-07");
});
