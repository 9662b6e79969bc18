import { verdictOf } from "../figure.ts";
import type { Figure } from "../figure.ts";
import type { Changes } from "../job.ts";
import { accuracySeries, levels, lostAt, meanCurve, peakOf, share } from "../measures.ts";
import { arm, EVERY, heldOut, plain } from "../setting.ts";

const STEPS = 60;
/** What each ablation changes in plain SRT (RLOO, 16 samples, rate 5e-4, KL 0.001, no entropy bonus). */
const ARMS: Readonly<Record<string, Changes>> = {
  "4 samples": { "samples-per-prompt": 4 },
  "half the learning rate": { "learning-rate": 2.5e-4 },
  "KL 0.05": { "kl-coefficient": 0.05 },
  "entropy bonus 0.01": { "entropy-coefficient": 0.01 },
  GRPO: { algorithm: "grpo" },
  "REINFORCE++": { algorithm: "reinforce++" },
  PPO: { algorithm: "gae" },
};
const armName = (name: string): string => `ablation-${name.toLowerCase().replaceAll("+", "p").replaceAll(/[^a-z0-9]+/g, "-")}`;

/** The paper's ablations (appendix G). */
export const ablations: Figure = {
  name: "ablations",
  title: "What delays the collapse, and what does not",
  claim: "Fewer samples and a lower learning rate delay the collapse, a larger KL coefficient does not, an entropy bonus hastens it, and GRPO collapses about when RLOO does (appendix G).",
  rule: `Five parts, by the step at which the mean curve has lost five points for good, evaluated every ${EVERY} steps over ${STEPS} steps (later than any if never): later than plain with 4 samples; later with half the rate; not later with KL 0.05; earlier, or the same, with the entropy bonus; within ${EVERY} steps of plain with GRPO. Holds with all, in part with three or four.`,
  jobs: (seeds) => [...plain(seeds), ...Object.entries(ARMS).flatMap(([name, changes]) => arm(armName(name), seeds, { ...changes, steps: STEPS }))],
  read: async (results, seeds) => {
    const { test } = heldOut();
    const cut = (points: ReturnType<typeof meanCurve>) => points.filter(({ x }) => x <= STEPS);
    const names = ["plain SRT", ...Object.keys(ARMS)];
    const arms = await Promise.all(names.map(async (name) => {
      const runs = await results.runs(name === "plain SRT" ? "plain" : armName(name), seeds);
      const points = cut(meanCurve(runs, test));
      return { name, runs, peak: peakOf(points), lost: lostAt(points) ?? Infinity, last: points.at(-1)!.y, series: accuracySeries(name, runs, test) };
    }));
    const lost = (name: string): number => arms.find((each) => each.name === name)!.lost;
    const own = lost("plain SRT");
    const near = lost("GRPO") === own || Math.abs(lost("GRPO") - own) <= EVERY;
    const parts = [lost("4 samples") > own, lost("half the learning rate") > own, lost("KL 0.05") <= own, lost("entropy bonus 0.01") <= own, near];
    const says = ["4 samples later", "half the rate later", "KL 0.05 not later", "entropy bonus not later", "GRPO about the same"];
    const series = arms.map(({ series: each }) => ({ ...each, points: cut(each.points) }));
    const step = (value: number): string => (value === Infinity ? "never" : String(value));
    return {
      verdict: verdictOf(parts, 3),
      effect: says.map((what, index) => `${what}: ${parts[index]! ? "yes" : "no"}`).join("; "),
      text: ["Four samples make a step four times cheaper, and its votes weaker: steps are compared here, not samples. PPO's critic is a value head on the policy's trunk."],
      table: { head: ["", "start", "best", "best at step", "five points lost at step", `pass@1 at step ${STEPS}`], rows: arms.map(({ name, runs, peak, lost: at, last }) => [name, share(levels(runs, test).start), share(peak.y), String(peak.x), step(at), share(last)]) },
      panels: [
        { title: "samples, rate, KL, entropy", x: { label: "step" }, y: { label: "held-out pass@1", min: 0, max: 1 }, series: series.slice(0, 5) },
        { title: "advantage estimators", x: { label: "step" }, y: { label: "held-out pass@1", min: 0, max: 1 }, series: [series[0]!, ...series.slice(5)] },
      ],
    };
  },
};
