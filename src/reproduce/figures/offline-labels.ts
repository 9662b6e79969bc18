import { verdictOf } from "../figure.ts";
import type { Figure } from "../figure.ts";
import { accuracySeries, describeDifference, difference, levels, share } from "../measures.ts";
import { runName, stepCurve } from "../results.ts";
import { meanBand } from "../../report/index.ts";
import { arm, groundTruth, heldOut, labelJob, plain } from "../setting.ts";

const CLOSE = 0.05;

/** Figure 7 of the paper's first version: labels of a fixed checkpoint. */
export const offlineLabels: Figure = {
  name: "offline-labels",
  title: "Labels of a fixed checkpoint",
  claim: "Training on the majority labels of a fixed model is steadier than on those of the model in training, and about as good (Fig. 7).",
  rule: `Two parts: at the end offline labels are better than online ones, with a 95 % interval above 0; their best mean is at most ${100 * CLOSE} points below that of online labels. Holds with both, in part with one.`,
  jobs: (seeds) => [
    ...plain(seeds),
    ...groundTruth(seeds),
    ...seeds.map(labelJob),
    ...seeds.flatMap((seed) => arm("offline", [seed], { reward: "offline-labels", labels: `runs/${labelJob(seed).name}.jsonl` }, () => [runName("labels", seed)])),
  ],
  read: async (results, seeds) => {
    const { test } = heldOut();
    const [online, offline, truth] = [await results.runs("plain", seeds), await results.runs("offline", seeds), await results.runs("ground-truth", seeds)];
    const gain = difference(offline, online, test);
    const arms = [["online", online], ["offline", offline], ["ground truth", truth]] as const;
    return {
      verdict: verdictOf([gain.low > 0, levels(offline, test).best >= levels(online, test).best - CLOSE]),
      effect: `offline labels at the end, against online ones ${describeDifference(gain)}, against ground truth ${describeDifference(difference(offline, truth, test))}`,
      text: ["Labels that do not move cannot be pulled along by the model's mistakes, and cannot get better either."],
      table: { head: ["labels", "best", "last"], rows: arms.map(([name, runs]) => [name, share(levels(runs, test).best), share(levels(runs, test).last)]) },
      panels: [
        { title: "held-out pass@1", x: { label: "step" }, y: { label: "pass@1", min: 0, max: 1 }, series: arms.map(([name, runs]) => accuracySeries(name, runs, test, { dashed: name === "ground truth" })) },
        { title: "labels that are right, training questions", x: { label: "step" }, y: { label: "share", min: 0, max: 1 }, series: arms.map(([name, runs]) => ({ name, dashed: name === "ground truth", points: meanBand(runs.map((run) => stepCurve(run, ({ labelAccuracy }) => labelAccuracy))) })) },
      ],
    };
  },
};
