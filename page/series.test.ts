import { expect, it } from "vitest";
import type { EvaluationPoint, StepColumn } from "../src/watch/protocol.ts";
import { parseAddress } from "./address.ts";
import type { RunData } from "./data.ts";
import type { Figure } from "./figures.ts";
import { linesOf, placeOf, pointsOf, rangeOf, stepAt, valueAt, type ChartRun } from "./series.ts";

const point = (step: number, passAt1: number): EvaluationPoint => ({ kind: "evaluation", step, passAt1, standardError: 0.25 }) as EvaluationPoint;
const data: RunData = {
  revision: 0,
  steps: 4,
  columns: new Map<StepColumn, Float32Array>([["kl", Float32Array.from([0, 2, NaN, 8])]]),
  evaluations: [point(0, 0.5), point(2, 0.75)],
  validations: [point(1, 0.25)],
  read: 3,
};
const run: ChartRun = { id: "a", name: "a", place: 0, data, limit: null };
const heldOut: Figure = { title: "", hint: "", columns: [], evaluation: (p) => ({ value: p.passAt1, error: p.standardError }) };
const kl: Figure = { title: "", hint: "", columns: ["kl"], magnitude: true };
const [linear, log] = [parseAddress(""), parseAddress("#log=xy")];

it("has step 0 left of step 1 on a logarithmic axis, and finds it there", () => {
  expect([0, 1, 2].map((step) => placeOf(step, log))).toEqual([0.5, 1, 2]);
  expect([0.5, 0.74, 0.76, 1.4, 1.6].map((place) => stepAt(place, log))).toEqual([0, 0, 1, 1, 2]);
  expect([0, 0.4, 0.6].map((place) => stepAt(place, linear))).toEqual([0, 0, 1]);
  expect(pointsOf(heldOut, [run], log, 100)[0]).toEqual([0.5, 1, 2]);
});

it("gives evaluations a band of one standard error, and the validation a line of its own", () => {
  expect(pointsOf(heldOut, [run], linear, 100)).toEqual([
    [0, 1, 2],
    [0.75, undefined, 1],
    [0.25, undefined, 0.5],
    [0.5, undefined, 0.75],
    [undefined, 0.25, undefined],
  ]);
  expect(linesOf(heldOut, [run], linear, false).map(({ edge, points }) => edge ?? points)).toEqual(["upper", "lower", "filled", "hollow"]);
});

it("leaves out what a logarithmic axis can't show", () => {
  expect(pointsOf(kl, [run], linear, 100)).toEqual([[1, 2, 3, 4], [0, 2, null, 8]]);
  expect(pointsOf(kl, [run], log, 100)[1]!.at(0)).toBeNull();
});

it("shows the steps of the longest run, or the range that was chosen", () => {
  expect(rangeOf([run, { ...run, data: { ...data, steps: 9 } }], linear)).toEqual([0, 9]);
  expect(rangeOf([run], parseAddress("#from=2&to=3"))).toEqual([2, 3]);
});

it("reads an evaluation at or before a step, and a step's own figure", () => {
  expect([0, 1, 2, 7].map((step) => valueAt(heldOut, data, step))).toEqual([0.5, 0.5, 0.75, 0.75]);
  expect([0, 2, 3, 4, 5].map((step) => valueAt(kl, data, step))).toEqual([undefined, 2, undefined, 8, undefined]);
});

it("draws many runs fainter than few, and noise thinner than single steps", () => {
  const look = (runs: number, dense: boolean) => linesOf(kl, Array.from({ length: runs }, () => run), linear, dense)[0]!;
  expect(look(20, true).alpha).toBeLessThan(look(3, true).alpha);
  expect(look(20, true).width).toBeLessThan(look(3, false).width);
  expect(look(3, true).width).toBeLessThan(look(3, false).width);
});
