/**
 * What `stop-on-collapse` would have done in runs that went on: replayed on their recorded votes. A run is collapsing
 * when held-out pass@1 ends 15 points or more below its best, healthy when no evaluation is five points below the best
 * before it; others waver. The stop goes back to a checkpoint, of which it keeps one every eight steps or more often; it has
 * kept the model when held-out pass@1 there, interpolated between evaluations, is at most five points below the best
 * until the alarm.
 *
 *   npx tsx scripts/alarm.ts [--without-probe] RUN…     # directories of runs with `start-votes`
 *
 * With --without-probe the recorded probes are left out.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { EvaluationMetrics, MetricsLine, StepMetrics, VotesLine } from "../src/run/index.ts";
import { collapseAlarm, WINDOW } from "../src/srt/collapse.ts";
import type { Alarm, Signals } from "../src/srt/collapse.ts";
import { emptyMemory, remember, signalsOf } from "../src/train/memory.ts";

const COLLAPSE = 0.15;
const LOSS = 0.05;

/** A run that is complete, and the alarm that its votes would have raised. */
export interface Replay {
  readonly evaluations: readonly EvaluationMetrics[];
  readonly steps: readonly StepMetrics[];
  readonly alarm: Alarm | null;
}

/** `null` for a run that is not complete. `probed`: whether the recorded probes count. */
export async function replay(path: string, probed = true): Promise<Replay | null> {
  if (!existsSync(join(path, "summary.json"))) return null;
  const linesOf = async (name: string): Promise<unknown[]> => (await readFile(join(path, name), "utf8")).trim().split("\n").map((line) => JSON.parse(line) as unknown);
  const lines = (await linesOf("metrics.jsonl")) as MetricsLine[];
  const steps = lines.filter((line): line is StepMetrics => line.kind === "step");
  const memory = emptyMemory();
  const signals = ((await linesOf("votes.jsonl")) as VotesLine[]).map(({ probe, ...votes }, index): Signals => {
    const line: VotesLine = probed && probe !== undefined ? { ...votes, probe } : votes;
    remember(memory, line);
    return signalsOf(line, steps[index]!, memory, (gold, prediction) => gold === prediction);
  });
  const alarm = signals.map((_, index) => collapseAlarm(signals.slice(0, index + 1))).find((found) => found !== null) ?? null;
  return { evaluations: lines.filter((line): line is EvaluationMetrics => line.kind === "evaluation"), steps, alarm };
}

/** The checkpoint that an alarm goes back to. */
export function checkpointOf({ lastHealthy }: Alarm): number {
  return WINDOW * Math.floor(lastHealthy / WINDOW);
}

/** Held-out pass@1 at the checkpoint that the alarm goes back to, less the best until the alarm. */
export function keptBy({ alarm, evaluations }: Replay): number | null {
  if (alarm === null) return null;
  const best = Math.max(...evaluations.filter(({ step }) => step <= alarm.step).map(({ passAt1 }) => passAt1));
  return accuracyAt(checkpointOf(alarm), evaluations) - best;
}

/** Held-out pass@1 at a step, on the line between the evaluations around it. */
function accuracyAt(step: number, evaluations: readonly EvaluationMetrics[]): number {
  const before = evaluations.filter((evaluation) => evaluation.step <= step).at(-1)!;
  const after = evaluations.find((evaluation) => evaluation.step >= step) ?? before;
  const part = after.step === before.step ? 0 : (step - before.step) / (after.step - before.step);
  return before.passAt1 + part * (after.passAt1 - before.passAt1);
}

/** First evaluation from which held-out pass@1 stays five points below the best before it; `null` for a run that keeps what it has. */
export function lostAt(evaluations: readonly EvaluationMetrics[]): number | null {
  let best = 0;
  for (const [index, { passAt1, step }] of evaluations.entries()) {
    best = Math.max(best, passAt1);
    if (evaluations.slice(index).every((later) => later.passAt1 < best - LOSS)) return step;
  }
  return null;
}

/** First evaluation of which held-out pass@1 is five points below the best before it, though it may come back. */
function fellAt(evaluations: readonly EvaluationMetrics[]): number | null {
  return evaluations.find(({ passAt1 }, index) => passAt1 < Math.max(...evaluations.slice(0, index + 1).map((earlier) => earlier.passAt1)) - LOSS)?.step ?? null;
}

function kindOf({ evaluations }: Replay): "collapsing" | "healthy" | "wavering" {
  const accuracies = evaluations.map(({ passAt1 }) => passAt1);
  if (accuracies.at(-1)! <= Math.max(...accuracies) - COLLAPSE) return "collapsing";
  return fellAt(evaluations) === null ? "healthy" : "wavering";
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({ options: { "without-probe": { type: "boolean", default: false } }, allowPositionals: true });
  await main(positionals, !values["without-probe"]);
}

async function main(paths: readonly string[], probed: boolean): Promise<void> {
  const counts = { collapsing: 0, "raised in time": 0, "raised before any fall": 0, "model kept": 0, healthy: 0, "raised in a healthy run": 0, wavering: 0, "raised in a wavering run": 0 };
  for (const path of paths) {
    const run = await replay(path, probed);
    if (run === null) continue;
    const { alarm } = run;
    const [kind, lost, kept] = [kindOf(run), lostAt(run.evaluations), keptBy(run)];
    counts[kind]++;
    if (kind === "collapsing") {
      if (alarm !== null && alarm.step <= lost!) counts["raised in time"]++;
      if (alarm !== null && alarm.step <= fellAt(run.evaluations)!) counts["raised before any fall"]++;
      if (kept !== null && kept >= -LOSS) counts["model kept"]++;
    } else if (alarm !== null) counts[`raised in a ${kind} run`]++;
    console.log(`${basename(path)}: ${kind}, five points lost at ${lost ?? "-"}; ${alarm === null ? "no alarm" : `alarm at ${alarm.step} (${alarm.sign}), back to ${checkpointOf(alarm)} (${kept!.toFixed(2)})`}`);
  }
  console.log(JSON.stringify(counts));
}
