import { mean } from "../../util/statistics.ts";
import { verdictOf } from "../figure.ts";
import type { Figure } from "../figure.ts";
import { accuracySeries, meanCurve, peakOf, share } from "../measures.ts";
import { curve } from "../results.ts";
import { EVERY, heldOut, LEVELS, plain } from "../setting.ts";

const REGRET = 0.03;

/** Figure 6 of the paper. */
export const earlyStopping: Figure = {
  name: "early-stopping",
  title: "Early stopping on one per cent of labels",
  claim: "Different test sets peak at about the same step, so that a labelled set of 1 % of the training data suffices to stop there (Fig. 6).",
  rule: `Two parts: the mean curves of all test sets peak within ${2 * EVERY} steps of each other; stopping each run at the step that is best on ten labelled questions (the earliest of equals) costs at most ${100 * REGRET} points against its best step, mean over seeds. Holds with both, in part with one.`,
  jobs: plain,
  read: async (results, seeds) => {
    const { test, validation, bits, level } = heldOut();
    const runs = await results.runs("plain", seeds);
    const sets = [...LEVELS.map((each) => ({ name: `chain/${each}`, chosen: level(each) })), { name: "bits/2-4", chosen: bits }];
    const peaks = sets.map(({ name, chosen }) => ({ name, ...peakOf(meanCurve(runs, chosen)) }));
    const choices = runs.map((run) => {
      const step = peakOf(curve(run, validation)).x;
      const points = curve(run, test);
      return { step, kept: points.find(({ x }) => x === step)!.y, best: peakOf(points), last: points.at(-1)!.y };
    });
    const regret = mean(choices.map(({ kept, best }) => best.y - kept));
    const spread = Math.max(...peaks.map(({ x }) => x)) - Math.min(...peaks.map(({ x }) => x));
    return {
      verdict: verdictOf([spread <= 2 * EVERY, regret <= REGRET]),
      effect: `peaks ${spread} steps apart; regret of the chosen step ${share(regret)} (without stopping: ${share(mean(choices.map(({ best, last }) => best.y - last)))})`,
      text: [`Peaks of the mean curves: ${peaks.map(({ name, x }) => `${name} at step ${x}`).join(", ")}. The chain of bit words is a family that is not trained on.`],
      table: { head: ["seed", "chosen step", "pass@1 there", "best step", "pass@1 at best", "pass@1 at the end"], rows: choices.map(({ step, kept, best, last }, index) => [String(seeds[index]), String(step), share(kept), String(best.x), share(best.y), share(last)]) },
      panels: [
        { title: "plain SRT on five test sets", x: { label: "step" }, y: { label: "pass@1", min: 0, max: 1 }, series: sets.map(({ name, chosen }) => accuracySeries(name, runs, chosen)) },
        { title: "the ten labelled questions, and all test questions", x: { label: "step" }, y: { label: "pass@1", min: 0, max: 1 }, series: [accuracySeries("ten labelled questions", runs, validation), accuracySeries("test questions", runs, test)] },
      ],
    };
  },
};
