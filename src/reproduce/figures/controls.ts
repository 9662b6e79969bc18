import { verdictOf } from "../figure.ts";
import type { Figure } from "../figure.ts";
import { accuracySeries, describeDifference, difference, levels, meanCurve, peakOf, share } from "../measures.ts";
import { arm, heldOut, plain } from "../setting.ts";

const STEPS = 60;
const NO_GAIN = 0.05;
const REWARDS = ["random", "format"] as const;

/** Rewards that know nothing of what is right. */
export const controls: Figure = {
  name: "controls",
  title: "Random and format rewards",
  claim: "What SRT gains comes from its votes: some models improve under rewards that say nothing of what is right (arXiv 2506.10947), so such rewards belong beside every claim.",
  rule: `Two parts: the best mean of SRT is above the start with a 95 % interval above 0; the best mean of neither control is more than ${100 * NO_GAIN} points above the start. Holds with both, in part with the first.`,
  jobs: (seeds) => [...plain(seeds), ...REWARDS.flatMap((reward) => arm(`control-${reward}`, seeds, { reward, steps: STEPS }))],
  read: async (results, seeds) => {
    const { test } = heldOut();
    const own = await results.runs("plain", seeds);
    const others = await Promise.all(REWARDS.map(async (reward) => [`${reward} reward`, await results.runs(`control-${reward}`, seeds)] as const));
    const peak = peakOf(meanCurve(own, test)).x;
    const gain = difference(own, own, test, { steps: [peak, 0] });
    const { start } = levels(own, test);
    const arms = [["SRT", own], ...others] as const;
    const bestMean = (runs: typeof own) => peakOf(meanCurve(runs, test)).y;
    const quiet = others.every(([, runs]) => bestMean(runs) - start <= NO_GAIN);
    return {
      verdict: gain.low > 0 ? verdictOf([true, quiet]) : "does not hold here",
      effect: `SRT at its best (step ${peak}) against the start ${describeDifference(gain)}; ${others.map(([name, runs]) => `${name} at its best ${share(bestMean(runs))}, start ${share(start)}`).join("; ")}`,
      text: [
        `SRT by seed, at its own best step: ${seeds.map((seed, index) => `${seed}: ${share(levels([own[index]!], test).best)} from ${share(levels([own[index]!], test).start)}`).join("; ")}. A seed that falls before the first evaluations has no rise to show, and with three seeds one such draw is enough for the interval to reach 0.`,
        "The built-in model writes a readable answer nearly always, so the format reward has little to say: it punishes rare slips, and what moves with them.",
      ],
      table: { head: ["reward", "start", "best mean", "last"], rows: arms.map(([name, runs]) => [name, share(start), share(bestMean(runs)), share(levels(runs, test).last)]) },
      panels: [{ title: "held-out pass@1", x: { label: "step" }, y: { label: "pass@1", min: 0, max: 1 }, series: arms.map(([name, runs]) => accuracySeries(name, runs, test)) }],
    };
  },
};
