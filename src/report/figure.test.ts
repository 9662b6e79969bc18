import { SaxesParser } from "saxes";
import { describe, expect, it } from "vitest";
import type { Chart, Panel } from "./chart.ts";
import { renderSvg } from "./figure.ts";

interface Drawn {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  text: string;
}

/** The elements of a document in their order. Throws when it isn't well-formed XML. */
function parse(svg: string): readonly Drawn[] {
  const drawn: Drawn[] = [];
  const parser = new SaxesParser();
  parser.on("opentag", ({ name, attributes }) => drawn.push({ name, attributes, text: "" }));
  parser.on("text", (text) => {
    const last = drawn.at(-1);
    if (last) last.text += text;
  });
  parser.on("error", (error) => {
    throw error;
  });
  parser.write(svg).close();
  return drawn;
}

const texts = (drawn: readonly Drawn[]): readonly string[] => drawn.filter(({ name }) => name === "text").map(({ text }) => text);
const textNamed = (drawn: readonly Drawn[], text: string): Drawn => drawn.find((each) => each.name === "text" && each.text.trim() === text)!;
const place = (drawn: readonly Drawn[], text: string, axis: "x" | "y"): number => Number(textNamed(drawn, text).attributes[axis]);
/** The numbers in a path, in pairs. */
const pairs = (path: Drawn): readonly (readonly [number, number])[] =>
  [...path.attributes["d"]!.matchAll(/(-?[\d.]+),(-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);

const accuracy: Panel = {
  title: "held-out pass@1",
  x: { label: "training step" },
  y: { label: "pass@1", min: 0, max: 1 },
  series: [
    { name: "SRT", color: "vermillion", points: [{ x: 0, y: 0, low: 0, high: 0.2 }, { x: 50, y: 0.5, low: 0.4, high: 0.6 }, { x: 100, y: 1, low: 0.8, high: 1 }] },
    { name: "ground truth", color: "black", dashed: true, points: [{ x: 0, y: 0.5 }, { x: 100, y: 0.5 }] },
  ],
};
const chart = (...panels: readonly Panel[]): Chart => ({ title: "SRT rises", caption: "Mean of three seeds.\nnpx selftrain reproduce --figure rise", panels });
const strokesOf = (drawn: readonly Drawn[], stroke: string): readonly Drawn[] => drawn.filter(({ name, attributes }) => name === "path" && attributes["stroke"] === stroke);

describe("a drawn curve", () => {
  const drawn = parse(renderSvg(chart(accuracy)));
  const [curve] = strokesOf(drawn, "#D55E00");
  const [start, middle, end] = pairs(curve!);

  it("goes through its points on the scale that the numbers on the axes name", () => {
    // Letters stand 0.35 of their size, which is 11, below the middle of a number.
    const at = (number: string): number => place(drawn, number, "y") - 0.35 * 11;
    expect(start![1]).toBeCloseTo(at("0.0"), 1);
    expect(end![1]).toBeCloseTo(at("1.0"), 1);
    expect(middle![1]).toBeCloseTo((at("0.4") + at("0.6")) / 2, 1);
    expect([start![0], middle![0], end![0]]).toEqual([place(drawn, "0", "x"), (start![0] + end![0]) / 2, place(drawn, "100", "x")]);
  });

  it("has a band from low to high in its color", () => {
    const bands = drawn.filter(({ attributes }) => attributes["fill"] === "#D55E00" && attributes["fill-opacity"] !== undefined && attributes["d"] !== undefined);
    expect(bands).toHaveLength(1);
    const height = start![1] - end![1];
    const heights = pairs(bands[0]!).map(([, y]) => Math.round(((start![1] - y) / height) * 100) / 100);
    expect(heights.sort()).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  });

  it("is dashed where it is said to be, and has no band without intervals", () => {
    const [dashed] = strokesOf(drawn, "#000000");
    expect(dashed!.attributes["stroke-dasharray"]).toBe("6 4");
    expect(strokesOf(drawn, "#D55E00")[0]!.attributes["stroke-dasharray"]).toBeUndefined();
    expect(drawn.filter(({ name, attributes }) => name === "path" && attributes["fill"] === "#000000")).toEqual([]);
  });
});

describe("an axis of powers of two", () => {
  const points = [1, 2, 4, 8, 16, 32, 64].map((x) => ({ x, y: x / 64 }));
  const drawn = parse(renderSvg(chart({ title: "voting", x: { label: "samples", scale: "log2" }, y: { label: "maj@k" }, series: [{ name: "maj@k", color: "blue", points }] })));

  it("sets them at equal distances and names them", () => {
    const places = pairs(strokesOf(drawn, "#0072B2")[0]!).map(([x]) => x);
    const step = (places.at(-1)! - places[0]!) / 6;
    places.forEach((x, index) => {
      expect(x).toBeCloseTo(places[0]! + index * step, 1);
      expect(place(drawn, String(2 ** index), "x")).toBeCloseTo(x, 1);
    });
  });
});

describe("drawn bars", () => {
  const panel: Panel = {
    title: "test-time training",
    x: { label: "problems", categories: ["32", "128"] },
    y: { label: "difference", min: -1, max: 1 },
    series: [
      { name: "voting", color: "sky", points: [{ x: 0, y: 0.5, low: 0.25, high: 0.75 }, { x: 1, y: -0.25 }] },
      { name: "adapted", color: "green", points: [{ x: 1, y: 1 }] },
    ],
  };
  const drawn = parse(renderSvg(chart(panel)));
  const barsOf = (fill: string) =>
    drawn.filter(({ name, attributes }) => name === "rect" && attributes["fill"] === fill && attributes["height"] !== "10").map(({ attributes }) => ({ top: Number(attributes["y"]), height: Number(attributes["height"]), left: Number(attributes["x"]), width: Number(attributes["width"]) }));

  it("reach from zero up or down, side by side around their category", () => {
    const [first, second] = barsOf("#56B4E9");
    const [adapted] = barsOf("#009E73");
    const zero = place(drawn, "0.0", "y") - 0.35 * 11;
    const one = adapted!.height;
    expect(first).toMatchObject({ height: one / 2 });
    expect(first!.top + first!.height).toBeCloseTo(zero, 1);
    expect(second).toMatchObject({ height: one / 4 });
    expect(second!.top).toBeCloseTo(zero, 1);
    expect(second!.left + second!.width).toBeLessThan(adapted!.left);
    expect((second!.left + adapted!.left + adapted!.width) / 2).toBeCloseTo(place(drawn, "128", "x"), 1);
  });

  it("have whiskers where they have intervals", () => {
    const whiskers = drawn.filter(({ name, attributes }) => name === "line" && attributes["stroke"] === "#222222").map(({ attributes }) => [Number(attributes["y1"]), Number(attributes["y2"])]);
    const zero = place(drawn, "0.0", "y") - 0.35 * 11;
    const one = barsOf("#009E73")[0]!.height;
    expect(whiskers).toHaveLength(3);
    expect(whiskers[0]![0]).toBeCloseTo(zero - one / 4, 1);
    expect(whiskers[0]![1]).toBeCloseTo(zero - (3 / 4) * one, 1);
  });
});

describe("a figure", () => {
  const count = (drawn: readonly Drawn[], text: string): number => texts(drawn).filter((each) => each.trim() === text).length;

  it("has one legend where all panels show the same series, and else one for each panel", () => {
    expect(count(parse(renderSvg(chart(accuracy, { ...accuracy, title: "reward" }))), "SRT")).toBe(1);
    const other = { ...accuracy, series: [accuracy.series[0]!, { name: "teacher", points: [] }] };
    expect(count(parse(renderSvg(chart(accuracy, other))), "SRT")).toBe(2);
  });

  it("sets panels on two columns and the caption below them, line by line, within the width", () => {
    const titles = ["one", "two", "three"];
    const drawn = parse(renderSvg({ ...chart(...titles.map((title) => ({ ...accuracy, title }))), caption: `${"Held-out questions are never trained on. ".repeat(8)}\nnpx selftrain reproduce` }));
    const [one, two, three] = titles.map((title) => textNamed(drawn, title).attributes);
    expect(two!["y"]).toBe(one!["y"]);
    expect(Number(two!["x"])).toBeGreaterThan(Number(one!["x"]));
    expect(three!["x"]).toBe(one!["x"]);
    expect(Number(three!["y"])).toBeGreaterThan(Number(one!["y"]));
    const caption = drawn.filter(({ text }) => text.includes("never") || text.includes("npx"));
    expect(caption.length).toBeGreaterThan(2);
    expect(Math.min(...caption.map(({ attributes }) => Number(attributes["y"])))).toBeGreaterThan(Number(three!["y"]) + 200);
    expect(place(drawn, "npx selftrain reproduce", "y")).toBeLessThan(Number(drawn[0]!.attributes["height"]));
  });

  it("labels marks above the plot, those that would meet one above the other", () => {
    const marks = [{ x: 50, label: "peak of SRT" }, { x: 52, label: "the alarm" }, { x: 100, label: "end" }];
    const drawn = parse(renderSvg(chart({ ...accuracy, marks })));
    const [peak, alarm, end] = marks.map(({ label }) => place(drawn, label, "y"));
    expect(alarm).toBe(peak! - 14);
    expect(end).toBe(peak);
    expect(peak).toBeLessThan(place(drawn, "1.0", "y"));
  });

  it("is well-formed and shows literally whatever its texts hold", () => {
    const hostile = `</text><script>alert(1)</script> & "q" 'a' ]]> \u0000\u001b\ud800`;
    const shown = `</text><script>alert(1)</script> & "q" 'a' ]]> ␀␛\ufffd`;
    const panel: Panel = { title: hostile, x: { label: hostile }, y: { label: hostile }, marks: [{ x: 50, label: hostile }], series: [{ name: hostile, points: accuracy.series[0]!.points }] };
    const drawn = parse(renderSvg({ title: hostile, caption: hostile, panels: [panel, { ...accuracy, x: { label: "", categories: [hostile] }, series: [] }] }));
    expect(drawn.filter(({ name }) => name === "script")).toEqual([]);
    expect(texts(drawn).filter((text) => text.trim() === shown).length).toBeGreaterThanOrEqual(5);
  });

  it("is the same whenever it is drawn, and shares no id with another figure", () => {
    const ids = (svg: string) => parse(svg).flatMap(({ attributes }) => attributes["id"] ?? []);
    const first = renderSvg(chart(accuracy, accuracy, accuracy));
    expect(renderSvg(chart(accuracy, accuracy, accuracy))).toBe(first);
    const all = [...ids(first), ...ids(renderSvg(chart(accuracy)))];
    expect(all).toHaveLength(4);
    expect(new Set(all).size).toBe(4);
  });

  it("says so where a panel has no points yet, and draws a single one", () => {
    const drawn = parse(renderSvg(chart({ ...accuracy, series: [] }, { ...accuracy, x: { label: "k", scale: "log2" }, y: { label: "a" }, series: [{ name: "a", points: [{ x: 8, y: 3 }] }] })));
    expect(count(drawn, "no data")).toBe(1);
    expect(count(drawn, "8")).toBe(1);
    expect(JSON.stringify(drawn)).not.toContain("NaN");
  });
});
