import type { Panel } from "../../report/index.ts";
import { verdictOf } from "../figure.ts";
import type { Figure } from "../figure.ts";
import { accuracySeries, describeDifference, difference, levels, lostAt, meanCurve, peakOf, share } from "../measures.ts";
import { arm, groundTruth, heldOut, plain } from "../setting.ts";

/** Training sets by rising difficulty, and the arms that train on them. */
const SETS = [
  { task: "chain/3-4", srt: "plain-easy", truth: "ground-truth-easy" },
  { task: "chain/3-6", srt: "plain-middle", truth: "ground-truth-middle" },
  { task: "chain/3-8", srt: "plain", truth: "ground-truth" },
] as const;
const MATCHES = 0.9;
const GAINS = 1.5;
const FALL = 0.05;

/** Figure 2 of the paper's first version. */
export const rise: Figure = {
  name: "rise",
  title: "SRT rises like ground truth, and on a harder set falls again",
  claim: "SRT matches RL on true labels early and about doubles the accuracy of the base model; on the hardest training set it peaks and falls while ground truth goes on (Fig. 2).",
  rule: `Three parts, on mean curves over seeds: on the two easier sets SRT's best is at least ${100 * MATCHES} % of ground truth's best; on each set its best is at least ${GAINS} times the start; on the hardest it ends ${100 * FALL} points or more below its best and ground truth does not. Holds with all three, in part with one or two.`,
  jobs: (seeds) => [
    ...plain(seeds),
    ...groundTruth(seeds),
    ...SETS.slice(0, 2).flatMap(({ task, srt, truth }) => [...arm(srt, seeds, { train: `task:${task}` }), ...arm(truth, seeds, { train: `task:${task}`, reward: "ground-truth" })]),
  ],
  read: async (results, seeds) => {
    const { test } = heldOut();
    const sets = await Promise.all(
      SETS.map(async ({ task, srt, truth }) => {
        const [own, control] = [await results.runs(srt, seeds), await results.runs(truth, seeds)];
        const curves = { own: meanCurve(own, test), control: meanCurve(control, test) };
        return { task, own, control, curves, best: peakOf(curves.own), bestControl: peakOf(curves.control), start: curves.own[0]!.y };
      }),
    );
    const [easy, middle, hard] = [sets[0]!, sets[1]!, sets[2]!];
    const parts = [
      [easy, middle].every(({ best, bestControl }) => best.y >= MATCHES * bestControl.y),
      sets.every(({ best, start }) => best.y >= GAINS * start),
      hard.best.y - hard.curves.own.at(-1)!.y >= FALL && hard.bestControl.y - hard.curves.control.at(-1)!.y < FALL,
    ];
    const panel = ({ task, own, control }: (typeof sets)[number]): Panel => ({
      title: `trained on ${task}`,
      x: { label: "step" },
      y: { label: "held-out pass@1", min: 0, max: 1 },
      series: [accuracySeries("SRT", own, test), accuracySeries("ground truth", control, test, { dashed: true })],
    });
    return {
      verdict: verdictOf(parts),
      effect: sets.map(({ task, own, control }) => `${task}: SRT at the end against ground truth ${describeDifference(difference(own, control, test))}`).join("; "),
      text: [
        `Relative gains of SRT's best over the start: ${sets.map(({ task, best, start }) => `${task} ${(100 * (best.y / start - 1)).toFixed(0)} %`).join(", ")} (paper: about 100 %).`,
        lostAt(hard.curves.own) === null ? "On the hardest set SRT keeps what it has learned." : `On the hardest set SRT has lost five points for good at step ${lostAt(hard.curves.own)!}.`,
      ],
      table: {
        head: ["trained on", "start", "SRT best", "SRT last", "ground truth best", "ground truth last"],
        rows: sets.map(({ task, own, control }) => [task, share(levels(own, test).start), ...[own, control].flatMap((runs) => [share(levels(runs, test).best), share(levels(runs, test).last)])]),
      },
      panels: sets.map(panel),
    };
  },
};
