import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { selftrain } from "../../test/e2e/command.ts";
import { trainIn } from "../../test/train-fixture.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "selftrain-report-"));
  for (const name of ["first", "second"]) await trainIn(join(folder, "runs", name), "create", { config: { steps: 2 } });
});
afterAll(() => rm(folder, { recursive: true }));

const run = (...parameters: readonly string[]) => selftrain(["report", ...parameters], { folder });

describe("report", () => {
  it("writes one file on all runs of a folder, and one JSON object for programs", async () => {
    const { code, stdout, stderr } = await run("runs", "--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "The report on 2 runs is report.html\n" });
    expect(JSON.parse(stdout)).toMatchObject({ out: "report.html", runs: [{ name: "first", state: "complete", step: 2, verdict: { level: "unknown" } }, { name: "second" }] });
    const html = await readFile(join(folder, "report.html"), "utf8");
    for (const text of ["<h1>2 training runs</h1>", "<svg", "Difference from first", "Config and environment of second"]) expect(html).toContain(text);
  });

  it("writes Markdown with its figures beside it, in a folder that it makes", async () => {
    expect(await run("runs/first", "--out", "made/notes.md")).toMatchObject({ code: 0, stdout: "The report on 1 run is made/notes.md\n" });
    expect(await readdir(join(folder, "made/notes-figures"))).toEqual(["charts.svg"]);
    expect(await readFile(join(folder, "made/notes.md"), "utf8")).toContain("(notes-figures/charts.svg)");
  });

  it("writes event files alone where only these are asked for", async () => {
    expect(await run("runs", "--tensorboard", "events")).toMatchObject({ code: 0 });
    expect(await readdir(join(folder, "events"))).toEqual(["first", "second"]);
  });

  it("says in one sentence what it can't do", async () => {
    await writeFile(join(folder, "file"), "");
    const refused: readonly (readonly [number, string, readonly string[]])[] = [
      [2, "selftrain: flag --out: `report.pdf`; expected a name that ends in .html or .md\n", ["runs", "--out", "report.pdf"]],
      [2, "selftrain: nowhere holds no run: name run directories, or folders with runs in them\n", ["nowhere"]],
      [1, "selftrain: cannot write file/report.html: ", ["runs", "--out", "file/report.html"]],
    ];
    for (const [code, sentence, parameters] of refused) {
      const answer = await run(...parameters);
      expect(answer).toMatchObject({ code, stdout: "" });
      expect(answer.stderr.startsWith(sentence), answer.stderr).toBe(true);
      expect(answer.stderr.trim().split("\n")).toHaveLength(1);
    }
  });
});
