import { meanBand } from "../../report/index.ts";
import { mean } from "../../util/statistics.ts";
import { verdictOf } from "../figure.ts";
import type { Figure } from "../figure.ts";
import { bootstrapped, describeDifference, difference, lastStep, share } from "../measures.ts";
import { ratesAt, runName } from "../results.ts";
import type { Chosen, Measure, RunResult } from "../results.ts";
import { arm, LADDER_LEVELS, onRung, rung } from "../setting.ts";

const FIRST = LADDER_LEVELS[0];
const CLIMBED = LADDER_LEVELS.slice(1);
const STEPS = 25;
const MARGIN = 0.06;
const online = (level: number): string => (level === FIRST ? `ladder-truth-${level}` : `ladder-${level}`);
const fixed = (level: number): string => `ladder-fixed-${level}`;

/** The Reasoning Gym experiments of the paper's second version. */
export const ladder: Figure = {
  name: "ladder",
  title: "Up the ladder without labels",
  claim: "Trained with labels on an easy level, SRT alone climbs to harder ones; the majority itself gets better, which is more than sharpening; and labels of the model in training beat those of its fixed start by 6 to 10 points (v2, section 5).",
  rule: `Three parts: over all rungs together pass@1 of the rung's level rises, and so does its maj@16, both 95 % intervals above 0; over all rungs online labels end at least ${100 * MARGIN} points above those of the rung's fixed start. Holds with all three, in part with one or two.`,
  jobs: (seeds) =>
    seeds.flatMap((seed) => [
      ...arm(online(FIRST), [seed], { ...rung(FIRST, STEPS), reward: "ground-truth" }),
      ...CLIMBED.flatMap((level) => {
        const below = runName(online(level - 1), seed);
        const changes = { ...rung(level, STEPS), model: `runs/${below}/model` };
        return [...arm(online(level), [seed], changes, () => [below]), ...arm(fixed(level), [seed], { ...changes, "teacher.kind": "start" }, () => [below])];
      }),
    ]),
  read: async (results, seeds) => {
    const foot = await results.runs(online(FIRST), seeds);
    const rungs = await Promise.all(CLIMBED.map(async (level) => ({ level, online: await results.runs(online(level), seeds), fixed: await results.runs(fixed(level), seeds) })));
    const rungRates = (arm: "online" | "fixed", end: boolean, measure: Measure) =>
      seeds.map((_, seed) => rungs.flatMap((each) => ratesAt(each[arm][seed]!, end ? lastStep(each[arm][seed]!) : 0, onRung(each.level), measure)));
    const climb = (measure: Measure) => bootstrapped(rungRates("online", true, measure), rungRates("online", false, measure));
    const ahead = bootstrapped(rungRates("online", true, "pass@1"), rungRates("fixed", true, "pass@1"));
    const parts = [climb("pass@1").low > 0, climb("maj@k").low > 0, ahead.difference >= MARGIN];
    const top = rungs.at(-1)!.online;
    const climbed: Chosen = (id) => CLIMBED.some((level) => onRung(level)(id));
    const against = (measure: Measure) => describeDifference(difference(top, foot, climbed, { measure }));
    const rates = (runs: readonly RunResult[], level: number, end: boolean, measure: Measure) =>
      runs.map((run) => mean(ratesAt(run, end ? lastStep(run) : 0, onRung(level), measure).map(({ rate }) => rate)));
    const level = (...which: Parameters<typeof rates>) => mean(rates(...which));
    const bar = (name: string, arm: "online" | "fixed", end: boolean, measure: Measure) => ({
      name,
      points: meanBand(seeds.map((_, seed) => rungs.map((each, x) => ({ x, y: rates(each[arm], each.level, end, measure)[seed]! })))),
    });
    const bars = (measure: Measure) => [bar("before the rung", "online", false, measure), bar("after, online labels", "online", true, measure), bar("after, labels of the fixed start", "fixed", true, measure)];
    const axis = { label: "level", categories: CLIMBED.map((each) => `chain/${each}`) };
    return {
      verdict: verdictOf(parts),
      effect: `over all rungs: pass@1 ${describeDifference(climb("pass@1"))}, maj@16 ${describeDifference(climb("maj@k"))}; online labels against the fixed start's ${describeDifference(ahead)} (${rungs.map(({ level: at, online: own, fixed: other }) => `chain/${at} ${describeDifference(difference(own, other, onRung(at)))}`).join(", ")})`,
      text: [`Each rung is ${STEPS} steps from the model of the rung below; the lowest (chain/${FIRST}) is trained with true labels. The model was pretrained on chain/3 to chain/6: chain/7 is new to it.`, `A rung counts from what the rungs below have left of its level: questions of one length are forgotten while those of another are trained. The model at the top of the ladder against that at its foot, over chain/${CLIMBED[0]!} to chain/${CLIMBED.at(-1)!}: pass@1 ${against("pass@1")}, maj@16 ${against("maj@k")}.`],
      table: {
        head: ["level", "pass@1 before", "after", "maj@16 before", "after", "pass@1 after, fixed start"],
        rows: rungs.map(({ level: at, online: own, fixed: other }) => [`chain/${at}`, ...(["pass@1", "maj@k"] as const).flatMap((measure) => [share(level(own, at, false, measure)), share(level(own, at, true, measure))]), share(level(other, at, true, "pass@1"))]),
      },
      panels: [
        { title: "pass@1 of each rung's level", x: axis, y: { label: "pass@1", min: 0, max: 1 }, series: bars("pass@1") },
        { title: "maj@16 of each rung's level", x: axis, y: { label: "maj@16", min: 0, max: 1 }, series: bars("maj@k") },
      ],
    };
  },
};
