import { describe, expect, it } from "vitest";
import type { StepMetrics, VotesLine } from "../run/index.ts";
import { answerExcess, collapseAlarm, driftOf, lostSureness, WINDOW } from "../srt/collapse.ts";
import type { Signals } from "../srt/collapse.ts";
import { createRandom } from "../util/random.ts";
import { createReplay } from "./health.ts";

const PROBLEMS = 12;
const PER_STEP = 6;
const same = (gold: string, prediction: string): boolean => gold === prediction;
const context = { startVotes: 8, stopped: null };

interface Recorded {
  readonly metrics: StepMetrics;
  readonly votes: VotesLine;
}

/** A run over twelve problems whose majorities go over to "7" with a probability that grows after some step. */
function recorded({ seed, steps, from, pace, startVotes = true }: { readonly seed: number; readonly steps: number; readonly from: number; readonly pace: number; readonly startVotes?: boolean }): readonly Recorded[] {
  const random = createRandom(seed);
  const asked = new Set<string>();
  return Array.from({ length: steps }, (_, index) => {
    const step = index + 1;
    const ids = Array.from({ length: PER_STEP }, (_unused, place) => `p${(index * PER_STEP + place) % PROBLEMS}`);
    const start = startVotes ? ids.filter((id) => !asked.has(id)).map((id) => [id, id.slice(1), 0.8] as const) : [];
    for (const id of ids) asked.add(id);
    const lost = Math.max(0, step - from) * pace;
    const votes = ids.map((id) => [id, random.uniform() < lost ? "7" : random.uniform() < 0.03 ? null : id.slice(1), 0.5 + random.uniform() / 2] as const);
    const metrics = { kind: "step", step, kl: 0.1 * step * pace, meanLength: 4, abstentionRate: random.uniform() / 10 } as unknown as StepMetrics;
    return { metrics, votes: { kind: "votes", step, votes, start } };
  });
}

/** The signals of a whole run, put together anew from its lines. */
function signalsOfRun(run: readonly Recorded[]): readonly Signals[] {
  return run.map(({ metrics, votes }, index) => {
    const first = new Map(run.slice(0, index + 1).flatMap((earlier) => earlier.votes.start.map(([id, answer, share]) => [id, { answer, share }] as const)));
    const comparisons = votes.votes.flatMap(([id, now, nowShare]) => {
      const start = first.get(id);
      return start === undefined ? [] : [{ now, first: start.answer, same: now === start.answer, firstShare: start.share, nowShare, taught: false }];
    });
    return { step: metrics.step, tokenKl: metrics.kl / metrics.meanLength, abstentionRate: metrics.abstentionRate, drift: driftOf(comparisons), probe: null };
  });
}

const texts = (run: readonly Recorded[], startVotes = 8): readonly string[] => {
  const replay = createReplay(same);
  return run.map(({ metrics, votes }) => {
    replay.take(metrics, votes);
    return replay.health({ startVotes, stopped: null }).text;
  });
};

describe("the replay", () => {
  it.each([
    ["collapses", { seed: 1, steps: 60, from: 20, pace: 0.05 }],
    ["collapses slowly", { seed: 2, steps: 120, from: 30, pace: 0.008 }],
    ["stays healthy", { seed: 3, steps: 80, from: 1000, pace: 0 }],
    ["has no votes of the first model, and a KL that runs away", { seed: 4, steps: 80, from: 0, pace: 0.6, startVotes: false }],
  ])("raises the alarm where the alarm on the whole history does, in a run that %s", (_case, options) => {
    const run = recorded(options);
    const signals = signalsOfRun(run);
    const replay = createReplay(same);
    const alarms = signals.map((_, index) => collapseAlarm(signals.slice(0, index + 1))?.step ?? null);
    const raisedAt = alarms.find((step) => step !== null) ?? null;
    run.forEach(({ metrics, votes }, index) => {
      const replayed = replay.take(metrics, votes);
      const history = signals.slice(0, index + 1);
      const expected = raisedAt !== null && raisedAt <= metrics.step ? raisedAt : null;
      const { level, text } = replay.health(context);
      expect(level === "collapsed").toBe(expected !== null);
      if (expected !== null) expect(text).toContain(`collapsed at step ${expected}: `);
      const window = history.slice(-WINDOW);
      expect(replayed.lostSureness).toBe(history.length < WINDOW ? null : lostSureness(window));
      expect(replayed.answerExcess).toBe(history.length < WINDOW ? null : answerExcess(window));
    });
    expect(raisedAt === null).toBe(options.pace === 0);
  });

  it("tells which majorities have changed since their last step", () => {
    const replay = createReplay(same);
    const line = (step: number, votes: VotesLine["votes"]): Recorded => ({ metrics: { kind: "step", step, kl: 0, meanLength: 1, abstentionRate: 0 } as unknown as StepMetrics, votes: { kind: "votes", step, votes, start: [] } });
    const flips = (recordedStep: Recorded) => replay.take(recordedStep.metrics, recordedStep.votes).flips;
    expect(flips(line(1, [["a", "1", 1], ["b", null, 0]]))).toEqual([null, null]);
    expect(flips(line(2, [["b", "2", 1], ["c", "3", 1]]))).toEqual([true, null]);
    expect(flips(line(3, [["a", "1", 1], ["b", "2", 1]]))).toEqual([false, false]);
  });
});

describe("the words", () => {
  it("are those of a young run, then of a healthy one", () => {
    const said = texts(recorded({ seed: 3, steps: 20, from: 1000, pace: 0 }));
    expect(said[2]).toBe(`unknown: 3 of the ${WINDOW} steps that the alarm looks at`);
    expect(said.at(-1)).toBe("healthy");
  });

  it("warn before the alarm, and name the answer that all run into", () => {
    const said = texts(recorded({ seed: 2, steps: 160, from: 30, pace: 0.008 }));
    const warned = said.findIndex((text) => text.startsWith("watch: "));
    const raised = said.findIndex((text) => text.startsWith("collapsed"));
    expect(said[warned]).toMatch(/^watch: share of the first model's sureness that has gone over to other answers is 0\.1\d, the alarm is at 0\.18$/);
    expect(warned).toBeLessThan(raised);
    expect(said[raised]).toMatch(/^collapsed at step \d+: share of the first model's sureness .* is 0\.\d\d, the alarm is at 0\.18$/);
    expect(said.at(-1)).toMatch(/^collapsed at step \d+: (\d\d|100) % of prompts answer 7$/);
  });

  it("warn of missing answers by how many more they have become, not by how many they were", () => {
    // A limit .3 above the beginning: a look is due .2 above it.
    const said = (late: number) => {
      const replay = createReplay(same);
      for (const { metrics, votes } of recorded({ seed: 3, steps: 20, from: 1000, pace: 0 })) replay.take({ ...metrics, abstentionRate: metrics.step <= WINDOW ? 0.65 : late }, votes);
      return replay.health(context).text;
    };
    expect(said(0.65)).toBe("healthy");
    expect(said(0.84)).toBe("healthy");
    expect(said(0.86)).toBe("watch: share of completions without an answer is 0.86, the alarm is at 0.95");
    expect(said(0.9501)).toMatch(/^collapsed at step 16: share of completions without an answer is 0\.9501, the alarm is at 0\.9500$/);
  });

  it("say why nothing can be told", () => {
    const run = recorded({ seed: 3, steps: 20, from: 1000, pace: 0, startVotes: false });
    expect(texts(run, 0).at(-1)).toContain("start-votes is 0");
    expect(texts(run, 8).at(-1)).toContain("are not recorded");
  });

  it("say that a run has gone back, unless what it went back to had collapsed before", () => {
    const replay = createReplay(same);
    for (const { metrics, votes } of recorded({ seed: 1, steps: 60, from: 20, pace: 0.05 })) replay.take(metrics, votes);
    const at = (restored: number) => replay.health({ startVotes: 8, stopped: { reason: "collapse", step: 60, restored, message: "" } });
    expect(at(16)).toMatchObject({ level: "healthy", text: "stopped at step 60, went back to step 16" });
    expect(at(56)).toMatchObject({ level: "collapsed" });
    expect(at(56).text).toContain("; stopped at step 60, went back to step 56");
  });
});
