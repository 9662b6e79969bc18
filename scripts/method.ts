/**
 * The experiments of docs/method.md: remedies and controls beside plain SRT and ground truth, on two families of
 * tasks in which plain SRT rises and then collapses. Prints their tables; runs that are complete are not run again.
 *
 *   npx tsx scripts/method.ts [--families chain,bits,long] [--arms plain,ground-truth,…] [--seeds 11,12,13]
 *                             [--out runs/method] [--jobs 2] [--only-tables] [--probe]
 *
 * With --probe runs have a probe of 512 questions like the held-out ones, of which there are then 512 too, and are
 * evaluated every five steps: what the alarm is tested on.
 *
 * Runs have one thread each, so that as many as there are cores can go on side by side. "Labels
 * right" and KL are means of the last ten steps, of the training questions.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadTask } from "../src/tasks/index.ts";
import { mean, standardError } from "../src/util/statistics.ts";
import { checkpointOf, keptBy, lostAt, replay } from "./alarm.ts";
import type { Replay } from "./alarm.ts";

const BASE = `model: builtin
engine: { threads: 1 }
train-problems: 1024
template: "{problem}"
steps: 100
prompts-per-step: 16
samples-per-prompt: 16
max-tokens: 28
beta2: 0.95
weight-decay: 0
start-votes: 16
evaluate-samples: 8
evaluate-every: 10
checkpoint-every: 1000
record-samples-every: 1000
`;

const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  chain: ["--train", "task:chain/3-8", "--held-out", "task:chain/3-6", "--held-out-problems", "64", "--learning-rate", "5e-4"],
  bits: ["--train", "task:bits/2-6", "--held-out", "task:bits/2-4", "--held-out-problems", "64", "--learning-rate", "3e-4"],
  // The runs of chain, twice as long, on held-out questions of which one in ten has any one answer.
  long: ["--train", "task:chain/3-8", "--held-out", "balanced.jsonl", "--learning-rate", "5e-4", "--steps", "200"],
};
const PROBED = ["--probe.problems", "512", "--probe.samples", "2", "--held-out-problems", "512", "--evaluate-samples", "2", "--evaluate-every", "5"];
const PROBES: Readonly<Record<string, string>> = { chain: "task:chain/3-6", bits: "task:bits/2-4" };
const BALANCED = { task: "task:chain/3-6", perAnswer: 8, seed: 5 };

/** What each arm changes in plain SRT. */
const ARMS: Readonly<Record<string, string>> = {
  plain: "",
  "ground-truth": "--reward ground-truth",
  average: "--teacher.kind average",
  "average-4": "--teacher.kind average --teacher.samples 4",
  "average-own": "--teacher.kind average --teacher.samples 4 --teacher.own-votes true",
  "average-every-4": "--teacher.kind average --teacher.every 4 --teacher.decay 0.96",
  "average-fast": "--teacher.kind average --teacher.decay 0.9",
  "average-slow": "--teacher.kind average --teacher.decay 0.997",
  "average-kl": "--teacher.kind average --kl-coefficient 0.05",
  "average-mask-share": "--teacher.kind average --mask-answer true --reward share",
  "average-threshold": "--teacher.kind average --threshold 0.5",
  "average-consensus": "--teacher.kind average --reward consensus --threshold 0.25",
  snapshot: "--teacher.kind snapshot --teacher.every 10",
  start: "--teacher.kind start",
  kl: "--kl-coefficient 0.05",
  "kl-loss": "--kl-placement loss --kl-estimator k3 --kl-coefficient 0.05",
  negative: "--negative-share 0.1",
  threshold: "--threshold 0.5",
  "mask-share": "--mask-answer true --reward share",
  consensus: "--reward consensus --threshold 0.25",
  random: "--reward random",
  format: "--reward format",
  "wrong-label": "--reward wrong-label",
};

const { values } = parseArgs({
  options: {
    families: { type: "string", default: "chain,bits" },
    arms: { type: "string", default: Object.keys(ARMS).join(",") },
    seeds: { type: "string", default: "11,12,13" },
    out: { type: "string", default: "runs/method" },
    jobs: { type: "string", default: "2" },
    "only-tables": { type: "boolean", default: false },
    probe: { type: "boolean", default: false },
  },
});

const unprobed = values.families.split(",").find((family) => !(family in PROBES));
if (values.probe && unprobed !== undefined) throw new Error(`--probe: there are no questions to probe ${unprobed} with; leave it out of --families`);

interface Run {
  readonly family: string;
  readonly arm: string;
  readonly seed: string;
  readonly path: string;
}

const runs: readonly Run[] = values.seeds.split(",").flatMap((seed) =>
  values.families.split(",").flatMap((family) =>
    values.arms.split(",").map((arm) => ({ family, arm, seed, path: join(values.out, `${family}-${arm}-${seed}`) })),
  ),
);
if (!values["only-tables"]) {
  await mkdir(values.out, { recursive: true });
  await writeFile(join(values.out, "base.yaml"), BASE);
  await writeFile(join(values.out, "balanced.jsonl"), balanced());
  const waiting = runs.filter(({ path }) => !existsSync(join(path, "summary.json")));
  await Promise.all(Array.from({ length: Number(values.jobs) }, () => workThrough(waiting)));
}
for (const family of values.families.split(",")) console.log(await tableOf(family));

/** Held-out questions, equally many of each answer, as JSON Lines. */
function balanced(): string {
  const counts = new Map<string, number>();
  const rows = loadTask(BALANCED.task, { split: "held-out", problems: 1500, seed: BALANCED.seed }).filter(({ answer }) => {
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
    return counts.get(answer)! <= BALANCED.perAnswer;
  });
  return rows.map(({ id, prompt, answer }) => `${JSON.stringify({ id, problem: prompt, answer })}\n`).join("");
}

/** Takes runs from the list until it is empty. */
async function workThrough(waiting: Run[]): Promise<void> {
  for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
    console.error(`${run.path} …`);
    await rm(run.path, { recursive: true, force: true });
    const changes = ARMS[run.arm]!.split(" ").filter((word) => word !== "");
    const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
    const family = [...FAMILIES[run.family]!, ...(values.probe ? [...PROBED, "--probe.source", PROBES[run.family]!] : [])].map((word) => (word === "balanced.jsonl" ? join(values.out, word) : word));
    const words = [main, "train", join(values.out, "base.yaml"), ...family, ...changes, "--seed", run.seed, "--out", run.path];
    const code = await new Promise((resolve) => spawn(process.execPath, words, { stdio: ["ignore", "ignore", "inherit"] }).on("exit", resolve));
    if (code !== 0) throw new Error(`${run.path} ended with ${String(code)}`);
  }
}

/**
 * What `stop-on-collapse` would have done, on the recorded votes: the step of the alarm, the step it goes back to, and
 * how far held-out pass@1 there (at the evaluation before) is below the best until the alarm.
 */
function stopOf(run: Replay): string {
  return run.alarm === null ? "-" : `${run.alarm.step} to ${checkpointOf(run.alarm)} (${keptBy(run)!.toFixed(2).replace("0.", ".")})`;
}

/** One row for each arm, its runs side by side: best and last held-out pass@1, labels and KL at the end, the alarm. */
async function tableOf(family: string): Promise<string> {
  const rows: string[] = [];
  for (const arm of values.arms.split(",")) {
    const own = runs.filter((run) => run.family === family && run.arm === arm);
    const outcomes = (await Promise.all(own.map(({ path }) => replay(path)))).filter((outcome) => outcome !== null);
    if (outcomes.length === 0) continue;
    const finals = outcomes.map(({ evaluations }) => evaluations.at(-1)!.passAt1);
    const bests = outcomes.map(({ evaluations }) => Math.max(...evaluations.map(({ passAt1 }) => passAt1)));
    const fixed = (numbers: readonly number[]) => numbers.map((number) => number.toFixed(2)).join(" ");
    const late = outcomes.map(({ steps }) => steps.slice(-10));
    const known = late.map((steps) => steps.flatMap(({ labelAccuracy }) => labelAccuracy ?? []));
    const labels = known.map((values) => (values.length === 0 ? "-" : mean(values).toFixed(2))).join(" ");
    const last = `${mean(finals).toFixed(3)} ± ${standardError(finals).toFixed(3)}`;
    const lost = outcomes.map(({ evaluations }) => lostAt(evaluations) ?? "-").join(" ");
    rows.push(`| ${arm} | ${fixed(bests)} | ${fixed(finals)} | ${last} | ${labels} | ${late.map((steps) => mean(steps.map(({ kl }) => kl)).toFixed(0)).join(" ")} | ${lost} | ${outcomes.map(stopOf).join(", ")} |`);
  }
  return [`\n${family}`, "| arm | best pass@1 | last | mean of the last | labels right at the end | KL | five points lost at step | alarm at step, back to (against the best) |", "|---|---|---|---|---|---|---|---|", ...rows].join("\n");
}
