import { meanBand } from "../../report/index.ts";
import type { Panel } from "../../report/index.ts";
import type { StepMetrics } from "../../run/index.ts";
import { mean } from "../../util/statistics.ts";
import type { Figure } from "../figure.ts";
import { accuracySeries, levels, meanCurve, peakOf, share } from "../measures.ts";
import { runName, stepCurve } from "../results.ts";
import type { RunResult } from "../results.ts";
import { groundTruth, heldOut, plain, START, STEPS } from "../setting.ts";

const FALLEN = 0.2;
const HALF = 0.5;
const REWARD = 0.8;
const KL_TIMES = 3;
const ONE_ANSWER = 0.5;
const SHOWN = 6;

/** Figure 5 of the paper, and its appendix on what a collapsed model writes. */
export const collapse: Figure = {
  name: "collapse",
  title: "What a collapse looks like",
  claim: "The pseudo-reward jumps to 1 and KL rises while accuracy falls to 0; in the end every prompt gets the same answer (Fig. 5, appendix L).",
  rule: `Four parts, means over seeds, of the last ten steps: pass@1 at most ${100 * FALLEN} % of the best (chance is 10 % of all questions); pseudo-reward at least ${REWARD}; KL at least ${KL_TIMES} times that of the ten steps before the best evaluation; one answer is the majority on at least ${100 * ONE_ANSWER} % of the questions. Holds with all four; in part if pass@1 is at most ${100 * HALF} % of the best and two of the others are met.`,
  jobs: (seeds) => [...plain(seeds), ...groundTruth(seeds), START],
  read: async (results, seeds) => {
    const { test } = heldOut();
    const own = await results.runs("plain", seeds);
    const control = await results.runs("ground-truth", seeds);
    const { best, last } = levels(own, test);
    const peak = peakOf(meanCurve(own, test)).x;
    const late = (value: (step: StepMetrics) => number | null) => meanOver(own, STEPS, value);
    const [reward, kl, top] = [late(({ pseudoReward }) => pseudoReward), late((step) => step.kl), late(({ topAnswerShare }) => topAnswerShare)];
    const klBefore = meanOver(own, Math.max(10, peak), (step) => step.kl);
    const others = [reward >= REWARD, kl >= KL_TIMES * klBefore, top >= ONE_ANSWER];
    const met = others.filter(Boolean).length;
    const signal = (title: string, label: string, value: (step: StepMetrics) => number | null): Panel => ({
      title,
      x: { label: "step" },
      y: { label, min: 0 },
      series: [
        { name: "SRT", points: meanBand(own.map((run) => stepCurve(run, value))) },
        { name: "ground truth", dashed: true, points: meanBand(control.map((run) => stepCurve(run, value))) },
      ],
      marks: [{ x: peak, label: "SRT's best" }],
    });
    return {
      verdict: last <= FALLEN * best && met === 3 ? "holds" : last <= HALF * best && met >= 2 ? "holds in part" : "does not hold here",
      effect: `pass@1 ${share(best)} at best, ${share(last)} in the end (${(100 * (last / best)).toFixed(0)} %); pseudo-reward ${share(reward)}, KL ${kl.toFixed(1)} nats against ${klBefore.toFixed(1)} at the best, one answer on ${share(top)} of the questions`,
      text: ["Each test question is answered rightly by a constant answer in one case of ten: accuracy cannot fall to 0 by answering always the same."],
      table: await outputs(results, seeds[0]!),
      panels: [
        { title: "held-out pass@1", x: { label: "step" }, y: { label: "pass@1", min: 0, max: 1 }, series: [accuracySeries("SRT", own, test), accuracySeries("ground truth", control, test, { dashed: true })], marks: [{ x: peak, label: "SRT's best" }] },
        signal("pseudo-reward", "mean reward", ({ pseudoReward }) => pseudoReward),
        signal("KL to the first model", "nats per completion", (step) => step.kl),
        signal("one answer for every question", "largest share of one majority answer", ({ topAnswerShare }) => topAnswerShare),
      ],
    };
  },
};

/** Mean over runs and the ten steps up to one. */
function meanOver(runs: readonly RunResult[], step: number, value: (step: StepMetrics) => number | null): number {
  return mean(runs.map(({ steps }) => mean(steps.slice(Math.max(0, step - 10), step).flatMap((each) => value(each) ?? []))));
}

/** What the model wrote before, to held-out questions, and what it writes at the end of a run, to training questions. */
async function outputs(results: Parameters<Figure["read"]>[0], seed: number) {
  const before = (await results.evaluation(START.name)).slice(0, SHOWN).map(({ id, completions }) => ["before", id, completions[0] ?? ""]);
  const recorded = await results.samples(runName("plain", seed), STEPS);
  const after = recorded.filter(({ sample }) => sample === 0).slice(0, SHOWN).map(({ problem, text }) => ["after", problem, text]);
  return { head: [`seed ${seed}`, "question", "completion"], rows: [...before, ...after] };
}
