import { expect, it } from "vitest";
import { downloadLine, downloadReporter } from "./download-progress.ts";
import { createTerminal } from "./terminal.ts";

const at = (received: number, path = "model.safetensors") => ({ repository: "owner/name", path, received, total: 200e6 });

/** What a terminal gets of a download that is told of once a second, 10 MB each. */
function shown(isTTY: boolean): string[] {
  const written: string[] = [];
  let now = 0;
  const report = downloadReporter(createTerminal({ isTTY, columns: 200, write: (text) => written.push(text) }, {}), () => now);
  for (let bytes = 100e6; bytes <= 200e6; bytes += 2.5e6, now += 1) report(at(bytes));
  return written;
}

it("says how much is here, how fast and how long it will take", () => {
  expect(downloadLine(at(100e6), 2.5e6)).toBe("fetching owner/name: 100.0 of 200.0 MB, 2.5 MB/s, 40 s left (model.safetensors)");
  expect(downloadLine(at(200e6), 2.5e6)).toBe("fetching owner/name: 200.0 of 200.0 MB, 2.5 MB/s (model.safetensors)");
  expect(downloadLine(at(50e6), NaN)).toBe("fetching owner/name: 50.0 of 200.0 MB (model.safetensors)");
});

it("draws one line again and again on a terminal, without what was there before in the speed", () => {
  const written = shown(true);
  expect(written).toHaveLength(41);
  expect(written[20]).toBe("\r\u001B[2Kfetching owner/name: 150.0 of 200.0 MB, 2.5 MB/s, 20 s left (model.safetensors)");
});

it("writes few lines elsewhere", () => {
  expect(shown(false)).toEqual([
    "fetching owner/name: 100.0 of 200.0 MB (model.safetensors)\n",
    "fetching owner/name: 175.0 of 200.0 MB, 2.5 MB/s, 10 s left (model.safetensors)\n",
    "fetching owner/name: 200.0 of 200.0 MB, 2.5 MB/s (model.safetensors)\n",
  ]);
});

it("begins anew with another download, also of the same repository", () => {
  const written: string[] = [];
  const report = downloadReporter(createTerminal({ write: (text) => written.push(text) }, {}), () => 0);
  report(at(1e6));
  report({ ...at(2e6, "data.csv"), repository: "owner/data" });
  report({ ...at(2e6, "more.csv"), repository: "owner/data", total: 3e6 });
  expect(written).toEqual(["name: 1.0 of 200.0 MB (model.safetensors)", "data: 2.0 of 200.0 MB (data.csv)", "data: 2.0 of 3.0 MB (more.csv)"].map((line) => `fetching owner/${line}\n`));
});
