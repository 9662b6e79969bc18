import { mkdir, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { performance } from "node:perf_hooks";
import type { Command } from "commander";
import { z } from "zod";
import { trainSources } from "../config.ts";
import type { Config } from "../config.ts";
import { resolveConfig } from "../config/index.ts";
import type { PartlyLabelledProblem } from "../data/index.ts";
import { RunDirectoryError, UsageError } from "../errors.ts";
import { labelProblems, summarizeLabels } from "../voting/index.ts";
import type { LabelSummary, ProblemLabel } from "../voting/index.ts";
import { explained } from "../run/explain.ts";
import { currentOwner, takeLock } from "../run/lock.ts";
import { addConfigOptions, settingsOf } from "./config-options.ts";
import { fixedModelFlags, requireData, withFixedModel } from "./fixed-model.ts";
import type { Asked, FixedModel } from "./fixed-model.ts";
import { counted, duration, percent, shorten, table, tally, timestamped } from "./format.ts";
import { compareSettings, openJournal, runInBatches, writeSettings } from "./journal.ts";
import type { Journal, JournalSettings } from "./journal.ts";
import { createOutput, jsonOption } from "./output.ts";
import type { Output } from "./output.ts";
import { loadTrainingQuestions } from "./problems.ts";

interface LabelFlags {
  readonly out?: string;
  readonly resume?: boolean;
  readonly json?: boolean;
}

const FLAGS = fixedModelFlags({ train: "data", "train-problems": "problems", "samples-per-prompt": "samples", temperature: "temperature", "top-k": "top-k" });

/** `selftrain label --model M --data D --samples n [--key value …] [--out FILE.jsonl] [--resume]`. */
export function addLabelCommand(program: Command): void {
  const command = program
    .command("label")
    .description("Let a fixed model vote on training questions, for `reward: offline-labels` and for `selftrain select`.")
    .usage("--model M --data D [--samples n] [--key value …] [--out FILE.jsonl] [--resume] [--json]")
    .option("--out <FILE.jsonl>", "file of the labels, beside which FILE.settings.json is written (default: runs/labels- and the time)")
    .option("--resume", "continue the labels in --out where they were interrupted")
    .addOption(jsonOption());
  addConfigOptions(command, FLAGS, "Model, data and sampling:").action((flags: LabelFlags) =>
    runLabelling(configOf(flags as Readonly<Record<string, unknown>>), flags, createOutput(flags.json === true)),
  );
}

function configOf(flags: Readonly<Record<string, unknown>>): Config {
  const settings = settingsOf(flags, FLAGS);
  requireData(settings, "train");
  // Of no use here, but it must not exceed the number of problems.
  return resolveConfig(new Map([...settings, ["prompts-per-step", { value: 1, from: "label" }]]), "label");
}

async function runLabelling(config: Config, { out, resume = false }: LabelFlags, output: Output): Promise<void> {
  if (resume && out === undefined) throw new UsageError("--resume needs --out FILE.jsonl, the labels that are to be continued");
  const file = out ?? join("runs", `${timestamped("labels", new Date())}.jsonl`);
  if (extname(file) !== ".jsonl") throw new UsageError(`--out ${file} does not end in .jsonl, as labels do that other commands are to read`);
  const { samplesPerPrompt: samples, temperature, topK } = config;
  const asked: Asked<PartlyLabelledProblem> = { dataOf: (given) => trainSources(given).map(({ source }) => source).join(", "), load: (tools) => loadTrainingQuestions(config, tools), samples, temperature, topK };
  await withFixedModel(config, asked, output.terminal, (model) => labelAndReport(file, resume, model, output));
}

async function labelAndReport(file: string, resume: boolean, model: FixedModel<PartlyLabelledProblem>, { terminal, result }: Output): Promise<void> {
  const started = performance.now();
  const journal = await openLabels(file, { ...model, resume });
  try {
    const words = { doing: "labelling", done: "labelled", advice: `Continue with the same command and --out ${file} --resume` };
    const labels = await runInBatches(journal, words, terminal, (batches) => labelProblems({ ...model, batches }));
    const summary = { ...summarizeLabels(labels, model.problems, model.grader.same), seconds: (performance.now() - started) / 1000 };
    terminal.status("");
    for (const line of [...labelLines(labels), "", summaryLine(summary), `The labels are in ${file}`]) terminal.line(line);
    result(summary);
  } finally {
    await journal.close();
  }
}

const labelSchema: z.ZodType<ProblemLabel> = z.object({
  id: z.string(),
  problem: z.string(),
  label: z.string().nullable(),
  share: z.number(),
  margin: z.number(),
  tied: z.boolean(),
  abstentions: z.int(),
  samples: z.int(),
  classes: z.array(z.object({ answer: z.string(), count: z.int() })),
  source: z.string(),
  template: z.string().exactOptional(),
  passRate: z.number().exactOptional(),
});

/**
 * Opens a file of labels, new or to be continued, with its settings beside it and a lock. Throws RunDirectoryError when
 * it exists and is not to be continued, was begun with other settings or is in use, and when the disk refuses.
 */
export async function openLabels(
  file: string,
  { settings, problems, batchSize, resume }: { readonly settings: JournalSettings; readonly problems: readonly PartlyLabelledProblem[]; readonly batchSize: number; readonly resume: boolean },
): Promise<Journal<ProblemLabel>> {
  const settingsFile = file.replace(/\.jsonl$/, ".settings.json");
  return explained(`${file} could not be written`, "mend this and continue with --resume, or name another file with --out", async () => {
    await mkdir(dirname(file), { recursive: true });
    const release = await takeLock(dirname(file), await currentOwner(), `${basename(file)}.lock`);
    try {
      const [labelled, begun] = [await exists(file), await exists(settingsFile)];
      if ((labelled || begun) && !resume) throw new RunDirectoryError(`${labelled ? file : settingsFile} exists already; continue with --resume, or name another file.`);
      if (labelled && !begun) throw new RunDirectoryError(`${file} can't be continued, since ${settingsFile} is missing; name another file.`);
      await (begun ? compareSettings : writeSettings)(settingsFile, settings);
      const fromRow = (row: unknown, index: number): ProblemLabel | null => {
        const label = labelSchema.safeParse(row).data;
        return label !== undefined && label.id === problems[index]?.id ? label : null;
      };
      const journal = await openJournal({ file, total: problems.length, batchSize, toRow: (label) => label, fromRow });
      return {
        ...journal,
        close: async () => {
          await journal.close();
          await release();
        },
      };
    } catch (error) {
      await release();
      throw error;
    }
  });
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(() => true, () => false);
}

/** How many questions are shown. */
const EXAMPLES = 5;

/** The first labels, not chosen ones. */
function labelLines(labels: readonly ProblemLabel[]): readonly string[] {
  const rows = labels.slice(0, EXAMPLES).map(({ id, label, share, classes, abstentions, tied }) => [
    shorten(id, 24),
    percent(share),
    label === null ? "none" : shorten(label, 16),
    shorten(tally(classes, abstentions) + (tied ? " (tied)" : ""), 26),
  ]);
  return table([["question", "share", "label", "answers"], ...rows]);
}

function summaryLine({ problems, labelled, meanShare, labelAccuracy, seconds }: LabelSummary & { readonly seconds: number }): string {
  const accuracy = labelAccuracy === null ? "" : `, ${percent(labelAccuracy)} of the labels right`;
  return `${counted(problems, "question")}, ${labelled} with a label: mean share ${percent(meanShare)}${accuracy}; ${duration(seconds)}`;
}
