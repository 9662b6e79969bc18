import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { trainIn } from "../../../test/train-fixture.ts";
import { htmlReport, markdownReport } from "../../report/index.ts";
import { chartOf, thinned } from "./charts.ts";
import { readRuns, reportOf } from "./index.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "report-"));
  for (const name of ["first", "second"]) await trainIn(join(folder, name), "create", { config: { seed: name === "first" ? 11 : 12 } });
});
afterAll(() => rm(folder, { recursive: true }));

const at = (...names: readonly string[]) => names.map((name) => join(folder, name));

describe("readRuns", () => {
  it("keeps the order in which runs are given, and finds those in a folder", async () => {
    expect((await readRuns(at("second", "first"))).map(({ name }) => name)).toEqual(["second", "first"]);
    expect((await readRuns([folder])).map(({ name }) => name)).toEqual(["first", "second"]);
  });

  it("refuses a folder without runs", async () => {
    await expect(readRuns(at("first", "nowhere"))).rejects.toThrow(/nowhere holds no run: name run directories/);
  });

  it("names a damaged environment.json", async () => {
    const path = join(folder, "damaged");
    await trainIn(path, "create", { config: { steps: 1 } });
    await writeFile(join(path, "environment.json"), "{");
    await expect(readRuns([path])).rejects.toThrow(/damaged\/environment\.json can't be read/);
    await rm(path, { recursive: true });
  });
});

describe("reportOf", () => {
  it("has the figures of metrics.jsonl in its table of runs", async () => {
    const lines = (await readFile(join(folder, "first", "metrics.jsonl"), "utf8")).trim().split("\n").map((line) => JSON.parse(line) as { kind: string; passAt1: number; standardError: number });
    const evaluations = lines.filter(({ kind }) => kind === "evaluation");
    const { sections } = await reportOf(await readRuns(at("first", "second")));
    const [row] = sections.find(({ id }) => id === "runs")!.table!.rows;
    const { passAt1, standardError } = evaluations.at(-1)!;
    expect(row).toContain(`${passAt1.toFixed(3)} ± ${standardError.toFixed(3)} (step 12)`);
    expect(row![1]).toBe("complete, 12 of 12");
  });

  it("compares every other run with the first on the same problems, and says why where it can't", async () => {
    const runs = await readRuns(at("first", "second"));
    const paired = async () => (await reportOf(runs)).sections.find(({ id }) => id === "paired")!.table!.rows;
    expect((await paired())[0]).toMatchObject(["second", "12 (5 problems)", expect.stringMatching(/^-?\d\.\d{3} \(-?\d\.\d{3} to -?\d\.\d{3}\)$/), expect.anything()]);
    await writeFile(join(folder, "second", "evaluations.jsonl"), "");
    expect((await paired())[0]![2]).toContain("has no answers of evaluations");
  });

  it("shows literally what a config holds, and loads and runs nothing", async () => {
    const hostile = '</td><script>alert(1)</script><img src="http://example.org/x">';
    await trainIn(join(folder, "hostile"), "create", { config: { steps: 1 } });
    await writeFile(join(folder, "hostile", "config.yaml"), `model: '${hostile}'\n`);
    const report = await reportOf(await readRuns(at("first", "hostile")));
    const html = htmlReport(report);
    expect(html).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(html).toContain("<details><summary>Config and environment of hostile</summary>");
    for (const text of [html, markdownReport(report)]) expect(text).not.toMatch(/<script|<img|<\/td><\/?script/);
  });
});

describe("chartOf", () => {
  it("draws the lowest limit of the runs for every sign of collapse, and validations where there are any", async () => {
    const [run] = await readRuns(at("first"));
    const limited = (limit: number) => ({ ...run!, overview: { ...run!.overview, health: { ...run!.overview.health, signs: run!.overview.health.signs.map((sign) => ({ ...sign, limit })) } } });
    const { panels } = chartOf([limited(0.7), limited(0.4)]);
    expect(panels.filter(({ title }) => title.startsWith("Sign of collapse")).map(({ limit }) => limit)).toEqual(run!.overview.health.signs.map(() => 0.4));
    expect(panels.map(({ title }) => title)).not.toContain("Validation pass@1");
    const point = { ...run!.evaluations.evaluation[0]!, kind: "validation" as const, step: 5, passAt1: 0.25, standardError: 0.05 };
    const validated = { ...run!, evaluations: { ...run!.evaluations, validation: [point] } };
    expect(chartOf([validated]).panels.find(({ title }) => title === "Validation pass@1")!.series[0]!.points).toEqual([{ x: 5, y: 0.25, low: 0.2, high: 0.3 }]);
    const { head, rows } = (await reportOf([validated])).sections[0]!.table!;
    expect(rows[0]![head.indexOf("best validation")]).toBe("0.250 ± 0.050 (step 5)");
  });

  it("tells eight runs and more apart by color and dashes", async () => {
    const [run] = await readRuns(at("first"));
    const chart = chartOf(Array.from({ length: 10 }, (_, index) => ({ ...run!, name: `run ${index}` })));
    expect(chart.panels[0]!.series.map(({ dashed }) => dashed)).toEqual([...Array<boolean>(7).fill(false), ...Array<boolean>(3).fill(true)]);
  });
});

describe("thinned", () => {
  it("keeps every peak of a long run, in the order of the steps", () => {
    const points = Array.from({ length: 10_000 }, (_, x) => ({ x, y: x === 4321 ? 9 : x === 8765 ? -9 : Math.sin(x) }));
    const few = thinned(points);
    expect(few.length).toBeLessThanOrEqual(600);
    expect(few).toContainEqual({ x: 4321, y: 9 });
    expect(few).toContainEqual({ x: 8765, y: -9 });
    expect(few.every(({ x }, index) => index === 0 || x > few[index - 1]!.x)).toBe(true);
  });

  it("leaves a short run as it is", () => {
    const points = [{ x: 1, y: 2 }, { x: 2, y: 1 }];
    expect(thinned(points)).toEqual(points);
  });
});
