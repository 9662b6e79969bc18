import { meanBand } from "../../report/index.ts";
import { verdictOf } from "../figure.ts";
import type { Figure } from "../figure.ts";
import { accuracySeries, describeDifference, difference, levels, lostAt, meanCurve, share } from "../measures.ts";
import { stepCurve } from "../results.ts";
import { arm, groundTruth, heldOut, plain, STEPS } from "../setting.ts";

const KEPT = 0.99;
const CLOSE = 0.03;
const HORIZONS = 3;

/** What this project adds: an averaged teacher as the only voter. */
export const cure: Figure = {
  name: "cure",
  title: "An averaged teacher does not collapse",
  claim: "Ours, not the paper's: with a moving average of the weights as the only voter, SRT keeps what it has learned, long after plain SRT has lost it, and comes to ground truth without a label.",
  rule: `Three parts: the run is at least ${HORIZONS} times as long as plain SRT takes to lose five points; the averaged teacher ends at ${100 * KEPT} % of plain SRT's best mean or more; it ends at most ${100 * CLOSE} points below ground truth, means over seeds. Holds with all three, in part with the second.`,
  jobs: (seeds) => [...plain(seeds), ...groundTruth(seeds), ...arm("averaged-teacher", seeds, { "teacher.kind": "average" })],
  read: async (results, seeds) => {
    const { test } = heldOut();
    const [own, truth, teacher] = [await results.runs("plain", seeds), await results.runs("ground-truth", seeds), await results.runs("averaged-teacher", seeds)];
    const lost = lostAt(meanCurve(own, test));
    const keeps = levels(teacher, test).last >= KEPT * levels(own, test).best;
    const parts = [lost !== null && STEPS >= HORIZONS * lost, keeps, levels(teacher, test).last >= levels(truth, test).last - CLOSE];
    const arms = [["plain SRT", own], ["averaged teacher", teacher], ["ground truth", truth]] as const;
    return {
      verdict: keeps ? verdictOf(parts) : "does not hold here",
      effect: `averaged teacher at the end, against plain SRT ${describeDifference(difference(teacher, own, test))}, against ground truth ${describeDifference(difference(teacher, truth, test))}`,
      text: [`Plain SRT has lost five points for good at step ${lost ?? "-"} of ${STEPS}. The teacher samples as many answers again as are rewarded. By seed, at the end: ${seeds.map((seed, index) => `${seed}: ${share(meanCurve([teacher[index]!], test).at(-1)!.y)} against ground truth ${share(meanCurve([truth[index]!], test).at(-1)!.y)}`).join("; ")}.`],
      table: { head: ["", "start", "best", "last"], rows: arms.map(([name, runs]) => [name, ...[levels(runs, test).start, levels(runs, test).best, levels(runs, test).last].map(share)]) },
      panels: [
        { title: "held-out pass@1", x: { label: "step" }, y: { label: "pass@1", min: 0, max: 1 }, series: arms.map(([name, runs]) => accuracySeries(name, runs, test, { dashed: name === "ground truth" })) },
        { title: "labels that are right, training questions", x: { label: "step" }, y: { label: "share", min: 0, max: 1 }, series: arms.slice(0, 2).map(([name, runs]) => ({ name, points: meanBand(runs.map((run) => stepCurve(run, ({ labelAccuracy }) => labelAccuracy))) })) },
      ],
    };
  },
};
