import { verdictOf } from "../figure.ts";
import type { Figure } from "../figure.ts";
import type { Job } from "../job.ts";
import { accuracySeries, describeDifference, difference, levels, lostAt, meanCurve, share } from "../measures.ts";
import { runName } from "../results.ts";
import { arm, groundTruth, heldOut, labelJob, plain, STEPS } from "../setting.ts";

const CRITERIA = ["majority-share", "pass-rate", "random"] as const;
const CLOSE = 0.03;

function selectJob(criterion: string, seed: number): Job {
  const name = runName(`select-${criterion}`, seed);
  const labels = runName("labels", seed);
  return { name, words: ["select", `runs/${labels}.jsonl`, "--keep", "1/3", "--by", criterion, "--seed", String(seed), "--out", `runs/${name}.jsonl`], after: [labels] };
}

/** Figure 8 of the paper's first version: the easiest third. */
export const curriculum: Figure = {
  name: "curriculum",
  title: "The easiest third",
  claim: "Trained on the third of the questions with the largest majority share (or pass rate), SRT does not collapse and reaches ground truth on all data (Fig. 8).",
  rule: `Two parts, for the third by majority share or for that by pass rate: at the end it is better than all data and than a random third, both 95 % intervals above 0; its best mean is at most ${100 * CLOSE} points below the best of ground truth on all data. Holds with both, in part with one.`,
  jobs: (seeds) => [
    ...plain(seeds),
    ...groundTruth(seeds),
    ...seeds.map(labelJob),
    ...seeds.flatMap((seed) =>
      CRITERIA.flatMap((criterion) => [selectJob(criterion, seed), ...arm(`third-${criterion}`, [seed], { train: `runs/${selectJob(criterion, seed).name}.jsonl`, "train-problems": 0 }, () => [selectJob(criterion, seed).name])]),
    ),
  ],
  read: async (results, seeds) => {
    const { test } = heldOut();
    const all = await results.runs("plain", seeds);
    const truth = await results.runs("ground-truth", seeds);
    const [byShare, byPassRate, random] = [await results.runs("third-majority-share", seeds), await results.runs("third-pass-rate", seeds), await results.runs("third-random", seeds)];
    const judged = ([["by majority share", byShare], ["by pass rate", byPassRate]] as const).map(([name, runs]) => {
      const [againstAll, againstRandom] = [difference(runs, all, test), difference(runs, random, test)];
      return { name, againstAll, againstRandom, parts: [againstAll.low > 0 && againstRandom.low > 0, levels(runs, test).best >= levels(truth, test).best - CLOSE] };
    });
    const best = judged.reduce((first, second) => (second.parts.filter(Boolean).length > first.parts.filter(Boolean).length ? second : first));
    const arms = [["all data", all], ["easiest third by majority share", byShare], ["easiest third by pass rate", byPassRate], ["a random third", random], ["ground truth, all data", truth]] as const;
    return {
      verdict: verdictOf(best.parts),
      effect: judged.map(({ name, againstAll, againstRandom }) => `${name}: against all data ${describeDifference(againstAll)}, against a random third ${describeDifference(againstRandom)}`).join("; "),
      text: [`A third is 341 questions, seen ${((STEPS * 16) / 341).toFixed(1)} times in ${STEPS} steps; all data are seen ${((STEPS * 16) / 1024).toFixed(1)} times.`],
      table: { head: ["trained on", "best", "last", "five points lost at step"], rows: arms.map(([name, runs]) => [name, share(levels(runs, test).best), share(levels(runs, test).last), String(lostAt(meanCurve(runs, test)) ?? "-")]) },
      panels: [{ title: "held-out pass@1", x: { label: "step" }, y: { label: "pass@1", min: 0, max: 1 }, series: arms.map(([name, runs]) => accuracySeries(name, runs, test, { dashed: name.startsWith("ground truth") })) }],
    };
  },
};
