import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Option } from "commander";
import type { Command } from "commander";
import { InterruptedError, UsageError } from "../errors.ts";
import { figures, fullScale, reportName, reproduce, writeFullScale } from "../reproduce/index.ts";
import type { Figure, Job } from "../reproduce/index.ts";
import { describeEnvironment } from "../run/index.ts";
import type { Environment } from "../run/index.ts";
import { duration, table } from "./format.ts";
import { interruptible } from "./interrupt.ts";
import { createOutput, jsonOption } from "./output.ts";
import type { Output } from "./output.ts";
import type { Terminal } from "./terminal.ts";

interface ReproduceFlags {
  readonly figure?: readonly string[];
  readonly scale: "minutes" | "full";
  readonly seeds: string;
  readonly jobs?: string;
  readonly out: string;
  readonly json?: boolean;
}

/** `selftrain reproduce [--figure NAME...] [--scale minutes|full] [--seeds k] [--out DIR]`. */
export function addReproduceCommand(program: Command): void {
  program
    .command("reproduce")
    .description("Put each claim of the paper to the test on the built-in model: run, draw, and judge by rules that are written down first. What is complete is not run again.")
    .addOption(new Option("--figure <NAME...>", "only these").choices(figures.map(({ name }) => name)))
    .addOption(new Option("--scale <SCALE>", "`minutes` runs on this machine; `full` writes the paper's runs as configs and commands for a training server, and runs nothing").choices(["minutes", "full"]).default("minutes"))
    .option("--seeds <k>", "seeds 1 to k", "3")
    .option("--jobs <n>", "runs at the same time, of one thread each (default: one for each core)")
    .option("--out <DIR>", "folder of runs, figures and report; the same folder goes on where it was", join("runs", "reproduce"))
    .addOption(jsonOption())
    .action((flags: ReproduceFlags) => run(flags, createOutput(flags.json === true)));
}

async function run(flags: ReproduceFlags, output: Output): Promise<void> {
  const chosen = figures.filter(({ name }) => flags.figure?.includes(name) ?? true);
  await (flags.scale === "full" ? writeFull(chosen, flags, output) : runAll(chosen, flags, output));
}

async function writeFull(chosen: readonly Figure[], { out }: ReproduceFlags, { terminal, result }: Output): Promise<void> {
  const full = fullScale(chosen.map(({ name }) => name));
  await writeFullScale(out, full);
  for (const line of [full.commands, `${Object.keys(full.configs).length} configs and commands.md are in ${out}`]) terminal.line(line);
  result({ out, configs: Object.keys(full.configs) });
}

async function runAll(chosen: readonly Figure[], { seeds, jobs = String(availableParallelism()), out }: ReproduceFlags, { terminal, result }: Output): Promise<void> {
  const [count, parallel] = [wholeNumber("seeds", seeds), wholeNumber("jobs", jobs)];
  const clock = (): number => performance.now() / 1000;
  const started = clock();
  const progress = createJobProgress(terminal, clock);
  const described = await describeEnvironment(process.argv);
  const environment = environmentLines(described);
  const program = fileURLToPath(new URL("main.js", import.meta.url));
  const sections = await interruptible(terminal, clock, (signal) => reproduce({ figures: chosen, seeds: count, out, program, version: described.selftrain, parallel, signal, environment, ...progress }));
  terminal.status("");
  if (sections === null) throw new InterruptedError(`interrupted; the runs that were going on have saved their state. The same command goes on in ${out}.`);
  const rows = sections.map(({ id, verdict, effect }) => [id, verdict, effect]);
  for (const line of ["", ...table(rows.map((row) => row.slice(0, 2))), "", `The report is ${join(out, `${reportName(chosen)}.html`)} (and .md); figures lie in ${join(out, "figures")}`, `${duration(clock() - started)} in all`]) terminal.line(line);
  result({ out, seconds: clock() - started, figures: sections.map(({ id, verdict, effect }) => ({ name: id, verdict, effect })) });
}

function wholeNumber(flag: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new UsageError(`flag --${flag}: \`${text}\`; expected a whole number of at least 1`);
  return Number(text);
}

/** What the report says of where it was made. */
function environmentLines({ selftrain, node, platform, cores }: Environment): readonly (readonly [string, string])[] {
  return [["selftrain", selftrain], ["Node", node], ["platform", `${platform}, ${cores} cores`]];
}

/** Lines and a status line that tell how far the runs are. The time left is that of as many runs as took as long on average. */
function createJobProgress(terminal: Terminal, clock: () => number) {
  const started = clock();
  let [total, earlier, done] = [0, 0, 0];
  const running = new Set<string>();
  const show = (): void => {
    const left = done === 0 ? "" : `, about ${duration(((clock() - started) / done) * (total - earlier - done))} left`;
    terminal.status(`${earlier + done} of ${total} runs${left}; running: ${[...running].join(", ")}`);
  };
  return {
    planned: (jobs: readonly Job[]) => {
      total = jobs.length;
    },
    started: ({ name }: Job) => {
      running.add(name);
      show();
    },
    completed: ({ name }: Job, before: boolean) => {
      running.delete(name);
      if (before) earlier++;
      else {
        done++;
        terminal.line(`${earlier + done} of ${total}  ${name}`);
      }
      show();
    },
    drawn: ({ id, verdict, effect }: { readonly id: string; readonly verdict: string; readonly effect: string }) => terminal.line(`${id}: ${verdict}. ${effect}`),
  };
}
