import { expect, it } from "vitest";
import { formatAddress, parseAddress } from "./address.ts";

const NOTHING = { view: "overview", runs: null, logX: false, logY: false, smoothing: 0, range: null, step: null, problem: null, filter: "", details: null } as const;

it("says nothing where nothing was chosen", () => {
  expect(parseAddress("")).toEqual(NOTHING);
  expect(formatAddress(NOTHING)).toBe("#");
});

it("holds all that is shown", () => {
  const hash = "#view=inspect&run=a&run=b&log=xy&smooth=20&from=1&to=400&step=30&problem=7&filter=wrong%2Ctie%2C2%2B2&details=a";
  expect(parseAddress(hash)).toEqual({ view: "inspect", runs: ["a", "b"], logX: true, logY: true, smoothing: 20, range: [1, 400], step: 30, problem: 7, filter: "wrong,tie,2+2", details: "a" });
  expect(formatAddress(parseAddress(hash))).toBe(hash);
});

it("tells no run from all runs", () => {
  expect(formatAddress({ ...NOTHING, runs: [] })).toBe("#run=");
  expect(parseAddress("#run=").runs).toEqual([]);
});

it("takes what it can't read as not there", () => {
  expect(parseAddress("#view=nowhere&step=-1&smooth=much&from=9&to=3&log=z&problem=1e3&constructor=1")).toEqual(NOTHING);
});
