import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ReproductionError } from "../errors.ts";
import { htmlReport, markdownReport, renderPng, renderSvg } from "../report/index.ts";
import type { Chart, Claim, Report } from "../report/index.ts";
import { writeFileAtomically } from "../util/atomic-write.ts";
import type { Figure } from "./figure.ts";
import { figures } from "./figures/index.ts";
import { commandLine, mergeJobs } from "./job.ts";
import type { Job } from "./job.ts";
import { openResults } from "./results.ts";
import { runJobs } from "./runner.ts";
import type { RunnerOptions } from "./runner.ts";
import { BASE, dataFiles } from "./setting.ts";

export interface ReproductionOptions extends RunnerOptions {
  readonly figures: readonly Figure[];
  /** How many seeds: 1 to this number. */
  readonly seeds: number;
  /** What made it: names and values, for the report. */
  readonly environment: readonly (readonly [name: string, value: string])[];
  /** Is told what is to be done before anything runs, and of every figure that is drawn. */
  readonly planned?: (jobs: readonly Job[]) => void;
  readonly drawn?: (section: Claim) => void;
}

/** The report of some figures, without its ending: it does not take the place of that of all. */
export function reportName(chosen: readonly Figure[]): string {
  return chosen.length === figures.length ? "report" : ["report", ...chosen.map(({ name }) => name)].join("-");
}

/** The command of a figure, as typed into a shell. */
function figureCommand(name: string, seeds: number): string {
  return `npx selftrain reproduce --figure ${name} --seeds ${seeds}`;
}

/**
 * Runs what the figures need and draws them: `figures/NAME.svg` and `.png`, `report.html`, `report.md`. The rules
 * of all figures are written to `rules.md` before the first run. Returns the report's sections, or `null` when it was
 * stopped before all was run. Throws ReproductionError when the folder was made for something else or a job fails.
 */
export async function reproduce({ figures: chosen, seeds: count, environment, planned, drawn, ...runner }: ReproductionOptions): Promise<readonly Claim[] | null> {
  const { out } = runner;
  const seeds = Array.from({ length: count }, (_, index) => index + 1);
  const jobs = mergeJobs(chosen.map((figure) => figure.jobs(seeds)));
  planned?.(jobs);
  await writeSetting(out);
  if (!(await runJobs(jobs, runner))) return null;
  const results = openResults(out);
  const sections: Claim[] = [];
  for (const figure of chosen) {
    const { panels, caption = captionOf(count), ...finding } = await figure.read(results, seeds);
    const command = figureCommand(figure.name, count);
    const chart: Chart = { title: figure.title, caption: `${caption} ${command}`, panels };
    const own = figure.jobs(seeds.slice(0, 1)).map(commandLine);
    const section: Claim = { id: figure.name, title: figure.title, claim: figure.claim, rule: figure.rule, ...finding, chart, commands: [command, ...own] };
    await draw(out, section, chart);
    sections.push(section);
    drawn?.(section);
  }
  const report: Report = { title: "Self-Rewarded Training, reproduced in small", intro: introduction(count), sections, environment };
  const name = reportName(chosen);
  await writeFileAtomically(join(out, `${name}.html`), htmlReport(report));
  await writeFileAtomically(join(out, `${name}.md`), markdownReport(report));
  return sections;
}

function captionOf(seeds: number): string {
  return seeds === 1 ? "One seed." : `Mean of ${seeds} seeds; bands and whiskers: one standard error over seeds.`;
}

function introduction(seeds: number): readonly string[] {
  return [
    `Each claim of "Can Large Reasoning Models Self-Train?" (arXiv 2505.21444) on the built-in model and generated tasks, with ${seeds} seed${seeds === 1 ? "" : "s"} (1 to ${seeds}) and a verdict by a rule that was written down before the runs. A small model on small tasks: what holds here need not hold at 7B, and the other way round.`,
    "Differences are paired by question; intervals are 95 %, from a bootstrap over seeds and questions. Nothing is smoothed. Held-out questions are of a split that is never trained on, and every run compares ids before it starts. Unless a figure says otherwise: 80 steps of 16 questions x 16 completions on task:chain/3-8, RLOO; test questions of task:chain/3-6, on each level each of the ten answers true of two, 8 completions each, every 10 steps. The commands of a figure are those of seed 1, in the folder of the reproduction.",
  ];
}

/** Writes what the jobs read, and the rules. Throws ReproductionError where the folder has it otherwise. */
async function writeSetting(out: string): Promise<void> {
  const rules = figures.map(({ name, claim, rule }) => `## ${name}\n\n${claim}\n\n${rule}\n`);
  const files = { "base.yaml": BASE, "rules.md": `# Rules, written before the runs\n\n${rules.join("\n")}`, ...dataFiles() };
  for (const [name, text] of Object.entries(files)) {
    const file = join(out, name);
    if (existsSync(file) && (await readFile(file, "utf8")) !== text) {
      throw new ReproductionError(`${file} is not what this version of selftrain would write, so the runs beside it are of another setting or were judged by other rules; take another folder with --out.`);
    }
    await mkdir(dirname(file), { recursive: true });
    await writeFileAtomically(file, text);
  }
}

async function draw(out: string, { id }: Claim, chart: Chart): Promise<void> {
  await mkdir(join(out, "figures"), { recursive: true });
  const svg = renderSvg(chart);
  await writeFileAtomically(join(out, "figures", `${id}.svg`), svg);
  await writeFileAtomically(join(out, "figures", `${id}.png`), await renderPng(svg));
}
