import { describe, expect, it } from "vitest";
import { flagSettings, parseSettings, resolveConfig } from "../../config/index.ts";
import type { AnswersLine, StepMetrics } from "../../run/index.ts";
import { mergeJobs } from "../job.ts";
import type { Results, RunResult, SampledProblem } from "../results.ts";
import { BASE, dataFiles } from "../setting.ts";
import { cure } from "./cure.ts";
import { earlyStopping } from "./early-stopping.ts";
import { figures } from "./index.ts";
import { voteGap } from "./vote-gap.ts";

const ids = dataFiles()["data/held-out.jsonl"]!.trim().split("\n").map((line) => (JSON.parse(line) as { id: string }).id);

/** A run in which every held-out problem is answered rightly as often as `curve` says, at steps 0, 10, 20 … */
function runWith(curve: readonly number[]): RunResult {
  const answers = curve.map((rate, index): [number, AnswersLine] => [10 * index, { kind: "evaluation", step: 10 * index, problems: ids.map((id) => [id, 8 * rate, "1", rate > 0.5]) }]);
  const steps = Array.from({ length: 10 * (curve.length - 1) }, (_, index) => ({ kind: "step", step: index + 1, labelAccuracy: 0.5, timing: { seconds: 1 } }) as StepMetrics);
  return { steps, answers: new Map(answers), k: 8 };
}

function resultsOf(arms: Readonly<Record<string, readonly number[]>>): Results {
  const none = () => Promise.reject(new Error("not in this test"));
  return { run: none, samples: none, evaluation: none, adaptation: none, runs: (arm, seeds) => Promise.resolve(seeds.map(() => runWith(arms[arm]!))) };
}

describe("the figures", () => {
  it("have jobs that fit together, whose keys and values are those of a config", () => {
    const jobs = mergeJobs(figures.map((figure) => figure.jobs([1, 2, 3])));
    expect(new Set(jobs.map(({ name }) => name)).size).toBe(jobs.length);
    for (const { name, words } of jobs.filter((job) => job.words[0] === "train")) {
      const { out, ...flags } = Object.fromEntries(Array.from({ length: words.length / 2 - 1 }, (_, pair) => [words[2 * pair + 2]!.slice(2), words[2 * pair + 3]!]));
      expect(out).toBe(`runs/${name}`);
      expect(() => resolveConfig(new Map([...parseSettings(BASE, "base.yaml"), ...flagSettings(flags)]), name)).not.toThrow();
    }
  });

  it("cure: holds when the teacher keeps what plain SRT loses, and does not when it falls too", async () => {
    const truth = [0.5, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9];
    const fallen = [0.5, 0.7, 0.5, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2];
    const kept = await cure.read(resultsOf({ plain: fallen, "ground-truth": truth, "averaged-teacher": truth }), [1, 2, 3]);
    expect(kept.verdict).toBe("holds");
    expect(kept.effect).toContain("against plain SRT +.700 [+.700, +.700]");
    const lost = await cure.read(resultsOf({ plain: fallen, "ground-truth": truth, "averaged-teacher": fallen }), [1, 2, 3]);
    expect(lost.verdict).toBe("does not hold here");
    const lower = await cure.read(resultsOf({ plain: fallen, "ground-truth": truth, "averaged-teacher": fallen.map(() => 0.8) }), [1, 2, 3]);
    expect(lower.verdict).toBe("holds in part");
  });

  it("early stopping: regret is what the best labelled step costs", async () => {
    const found = await earlyStopping.read(resultsOf({ plain: [0.5, 0.75, 0.625, 0.25] }), [1, 2]);
    expect(found).toMatchObject({ verdict: "holds", effect: "peaks 0 steps apart; regret of the chosen step .000 (without stopping: .500)" });
  });

  it("vote gap: maj@k is that of draws without replacement", async () => {
    // Of 64 answers 40 are right and 24 the same wrong one: maj@64 is certain, and pass@1 is 40/64.
    const right = Array.from({ length: 64 }, (_, index) => index < 40);
    const problem = (id: string): SampledProblem => ({ id, completions: [], answers: right.map((is) => (is ? "1" : "2")), right });
    const found = await voteGap.read({ ...resultsOf({}), evaluation: () => Promise.resolve(ids.map(problem)) }, [1]);
    expect(found.verdict).toBe("holds");
    const points = found.panels[0]!.series[0]!.points;
    expect(points[0]!.y).toBeCloseTo(40 / 64, 12);
    expect(points.at(-1)!.y).toBe(1);
    // k = 2: right unless both are wrong, or the first of two different ones is: (24*23 + 24*40) / (64*63).
    expect(points[1]!.y).toBeCloseTo(1 - (24 * 23 + 24 * 40) / (64 * 63), 1);
  });
});
