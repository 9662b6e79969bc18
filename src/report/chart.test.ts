import { describe, expect, it } from "vitest";
import { checkChart, seriesColors } from "./chart.ts";
import type { Chart, Panel, Series } from "./chart.ts";

const named = (...names: readonly string[]): readonly Series[] => names.map((name) => ({ name, points: [{ x: 1, y: 1 }] }));
const panel = (series: readonly Series[], x: Panel["x"] = { label: "step" }): Panel => ({ title: "pass@1", x, y: { label: "pass@1" }, series });
const chart = (...panels: readonly Panel[]): Chart => ({ title: "a", caption: "b", panels });

describe("seriesColors", () => {
  it("gives a name one color in all panels, and others to others", () => {
    const colors = seriesColors(chart(panel(named("SRT", "ground truth")), panel(named("teacher", "SRT"))));
    expect(colors.get("SRT")).toBe("#0072B2");
    expect(new Set(colors.values()).size).toBe(3);
  });

  it("keeps a color that is asked for, and gives it to no other in the panel", () => {
    const colors = seriesColors(chart(panel([...named("SRT"), { name: "ground truth", color: "blue", points: [] }])));
    expect(colors.get("ground truth")).toBe("#0072B2");
    expect(colors.get("SRT")).not.toBe("#0072B2");
  });

  it("uses colors again when there are more names, but not within a panel", () => {
    const panels = [["a", "b", "c", "d"], ["e", "f", "g", "h"], ["i", "a", "j", "k", "l"]].map((names) => panel(named(...names)));
    const colors = seriesColors(chart(...panels));
    for (const { series } of panels) expect(new Set(series.map(({ name }) => colors.get(name))).size).toBe(series.length);
  });
});

describe("checkChart", () => {
  const points = (...each: Series["points"]): readonly Series[] => [{ name: "SRT", points: each }];

  it.each([
    ["not a number", panel(points({ x: 1, y: NaN })), 'panel "pass@1", series "SRT": {"x":1,"y":null} cannot be drawn'],
    ["an infinite end", panel(points({ x: 1, y: 0, low: -Infinity, high: 1 })), "cannot be drawn"],
    ["zero on a logarithmic axis", panel(points({ x: 0, y: 1 }), { label: "k", scale: "log2" }), '{"x":0,"y":1} cannot be drawn'],
    ["a category that isn't there", panel(points({ x: 2, y: 1 }), { label: "", categories: ["a", "b"] }), '{"x":2,"y":1} cannot be drawn'],
    ["a mark nowhere", { ...panel(named("SRT")), marks: [{ x: NaN, label: "peak" }] }, 'panel "pass@1": the mark "peak" at NaN cannot be drawn'],
  ])("refuses %s", (_, wrong, message) => {
    expect(() => checkChart(chart(panel(named("SRT")), wrong))).toThrow(message);
  });
});
