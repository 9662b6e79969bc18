import { mkdir } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import type { Command } from "commander";
import { DataError, UsageError } from "../errors.ts";
import { htmlReport, markdownReport, renderSvg } from "../report/index.ts";
import { openMetricsLog, writeEventFile } from "../run/index.ts";
import { writeFileAtomically } from "../util/atomic-write.ts";
import { systemReason } from "../util/system-error.ts";
import { readRuns, reportOf } from "../watch/report/index.ts";
import type { ReportedRun } from "../watch/report/index.ts";
import { createOutput, jsonOption } from "./output.ts";
import type { Output } from "./output.ts";

interface ReportFlags {
  readonly out?: string;
  readonly tensorboard?: string;
  readonly json?: boolean;
}

/** `selftrain report DIR… [--out report.html|report.md] [--tensorboard FOLDER]`. */
export function addReportCommand(program: Command): void {
  program
    .command("report")
    .description("Write a report on runs, finished or not, as one file that needs no other: charts, the alarm's verdict, what differs between them. Or their figures for TensorBoard.")
    .argument("<DIR...>", "run directories, or folders with runs in them")
    .option("--out <FILE>", "the report: .html, or .md with its figures in a folder beside it (default: report.html, unless --tensorboard is given)")
    .option("--tensorboard <FOLDER>", "write the metrics as event files there, a folder for each run")
    .addOption(jsonOption())
    .action((directories: readonly string[], flags: ReportFlags) => run(directories, flags, createOutput(flags.json === true)));
}

async function run(directories: readonly string[], { tensorboard, out = tensorboard === undefined ? "report.html" : undefined }: ReportFlags, { terminal, result }: Output): Promise<void> {
  if (out !== undefined && ![".html", ".md"].includes(extname(out))) throw new UsageError(`flag --out: \`${out}\`; expected a name that ends in .html or .md`);
  const runs = await readRuns(directories);
  if (out !== undefined) {
    await writing(out, () => writeReport(out, runs));
    terminal.line(`The report on ${runs.length === 1 ? "1 run" : `${runs.length} runs`} is ${out}`);
  }
  if (tensorboard !== undefined) {
    for (const each of runs) await writing(tensorboard, () => writeEvents(tensorboard, each));
    terminal.line(`Event files are in ${tensorboard}; look at them with: tensorboard --logdir ${tensorboard}`);
  }
  result({ ...(out !== undefined && { out }), ...(tensorboard !== undefined && { tensorboard }), runs: runs.map(({ name, overview }) => ({ name, state: overview.state, step: overview.step, verdict: overview.health })) });
}

async function writeReport(out: string, runs: readonly ReportedRun[]): Promise<void> {
  const report = await reportOf(runs);
  await mkdir(dirname(out), { recursive: true });
  if (extname(out) === ".html") {
    await writeFileAtomically(out, htmlReport(report));
    return;
  }
  const figures = `${basename(out, ".md")}-figures`;
  await mkdir(join(dirname(out), figures), { recursive: true });
  for (const { id, chart } of report.sections) if (chart) await writeFileAtomically(join(dirname(out), figures, `${id}.svg`), renderSvg(chart));
  await writeFileAtomically(out, markdownReport(report, figures));
}

async function writeEvents(folder: string, { name, about }: ReportedRun): Promise<void> {
  const lines = await openMetricsLog(about.path).read();
  const created = Date.parse(new Map(about.environment).get("created") ?? "") / 1000;
  // Without a known beginning the last line is taken to be of now.
  const begun = Number.isNaN(created) ? Date.now() / 1000 - (lines.at(-1)?.timing.elapsed ?? 0) : created;
  await writeEventFile(join(folder, name), lines, begun);
}

/** Throws DataError when the disk refuses. */
async function writing(place: string, task: () => Promise<unknown>): Promise<void> {
  try {
    await task();
  } catch (error) {
    const reason = systemReason(error);
    if (reason === null) throw error;
    throw new DataError(`cannot write ${place}: ${reason}.`, { cause: error });
  }
}
