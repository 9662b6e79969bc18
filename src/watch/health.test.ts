import { expect, it } from "vitest";
import { stepMetrics } from "../run/index.ts";
import type { StepMetrics, VotesLine } from "../run/index.ts";
import { collapseAlarm, WINDOW } from "../srt/collapse.ts";
import type { Signals } from "../srt/collapse.ts";
import { emptyMemory, remember, signalsOf } from "../train/memory.ts";
import { createRandom } from "../util/random.ts";
import { createReplay } from "./health.ts";
import type { Health } from "./protocol.ts";

const same = (one: string, other: string): boolean => one === other;
const silent = { startVotes: 16, stopped: null };

function metricsOf(step: number, kl: number, abstentionRate: number): StepMetrics {
  const nothing = stepMetrics({ step, groups_P: [], update: null, seconds: { sample: 0, vote: 0, reference: 0, update: 0, total: 0 } }, { elapsed: 0, klCoefficient: 0 });
  return { ...nothing, kl, abstentionRate, meanLength: 10 };
}

/** Votes of eight problems of which the first model was sure; from `turns` on, ever more of them say `1`. */
function votesOf(step: number, turns: number): VotesLine {
  const drifted = Math.max(0, Math.min(8, step - turns));
  const votes = Array.from({ length: 8 }, (_, index) => [`p${index}`, index < drifted ? "1" : `a${index}`, 0.9] as const);
  return { kind: "votes", step, votes, start: step === 1 ? votes.map(([id]) => [id, `a${id.slice(1)}`, 0.9] as const) : [] };
}

/** The verdict after each step. */
function verdicts(lines: readonly (readonly [StepMetrics, VotesLine])[]): readonly Health[] {
  const replay = createReplay(same);
  return lines.map(([metrics, votes]) => {
    replay.take(metrics, votes);
    return replay.health(silent);
  });
}

it("is raised at the step at which the alarm is, whatever sign it is that passes its limit", () => {
  const random = createRandom(5);
  const raised = new Set<string>();
  for (let run = 0; run < 40; run++) {
    const turns = 4 + random.integer(40);
    const klAt = random.integer(80);
    const missingAt = random.integer(80);
    const lines = Array.from({ length: 40 }, (_, index) => {
      const step = index + 1;
      return [metricsOf(step, step > klAt ? 30 : 0.1, step > missingAt ? 0.9 : 0), votesOf(step, turns)] as const;
    });
    const memory = emptyMemory();
    const history: Signals[] = [];
    let alarm = null;
    for (const [metrics, votes] of lines) {
      remember(memory, votes);
      history.push(signalsOf(votes, metrics, memory, same));
      alarm ??= collapseAlarm(history);
    }
    const { level, text } = verdicts(lines).at(-1)!;
    expect(level === "collapsed").toBe(alarm !== null);
    if (alarm === null) continue;
    raised.add(alarm.sign);
    expect(text.startsWith(`collapsed at step ${alarm.step}: `)).toBe(true);
  }
  expect(raised.size).toBeGreaterThanOrEqual(3);
});

it("goes from too young to healthy, a warning and a collapse, and names the answer that all give", () => {
  const all = verdicts(Array.from({ length: 30 }, (_, index) => [metricsOf(index + 1, 0.1, 0), votesOf(index + 1, 10)] as const));
  expect(all[WINDOW - 2]).toMatchObject({ level: "unknown", text: `unknown: ${WINDOW - 1} of the ${WINDOW} steps that the alarm looks at` });
  expect(all[WINDOW - 1]).toMatchObject({ level: "healthy", text: "healthy" });
  expect(all.map(({ level }) => level).filter((level, index, levels) => level !== levels[index - 1])).toEqual(["unknown", "healthy", "watch", "collapsed"]);
  expect(all.at(-1)?.text).toMatch(/^collapsed at step 1\d: 100 % of prompts answer 1$/);
});

it("says what it can't tell, and that a run went back to before its collapse", () => {
  const replay = createReplay(same);
  for (let step = 1; step <= 30; step++) replay.take(metricsOf(step, 0.1, 0), { ...votesOf(step, 10), start: [] });
  expect(replay.health({ startVotes: 0, stopped: null }).text).toMatch(/^unknown: the first model was not asked for its votes/);
  const collapsing = createReplay(same);
  for (let step = 1; step <= 20; step++) collapsing.take(metricsOf(step, 0.1, 0), votesOf(step, 10));
  const stopped = { reason: "collapse", step: 20, restored: 8, message: "" } as const;
  expect(collapsing.health({ startVotes: 16, stopped })).toMatchObject({ level: "healthy", text: "stopped at step 20, went back to step 8" });
});
