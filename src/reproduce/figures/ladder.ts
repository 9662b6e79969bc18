import { meanBand } from "../../report/index.ts";
import type { Panel } from "../../report/index.ts";
import { mean } from "../../util/statistics.ts";
import { verdictOf } from "../figure.ts";
import type { Figure } from "../figure.ts";
import { bootstrapped, describeDifference, difference, lastStep, share } from "../measures.ts";
import { ratesAt, runName } from "../results.ts";
import type { Measure, Results, RunResult } from "../results.ts";
import { arm, LADDERS, onRung, rung } from "../setting.ts";
import type { Ladder } from "../setting.ts";
import type { Job } from "../job.ts";

const STEPS = 25;
const MARGIN = 0.06;

/** One level that is climbed: from the model of the rung below, by labels of the moment or of its start. */
interface Rung {
  readonly name: string;
  readonly level: number;
  readonly online: readonly RunResult[];
  readonly fixed: readonly RunResult[];
}
type Arm = "online" | "fixed";

/** The Reasoning Gym experiments of the paper's second version. */
export const ladder: Figure = {
  name: "ladder",
  title: "Up the ladder without labels",
  claim: "Trained with labels on an easy level, SRT alone climbs to harder ones; the majority itself gets better, which is more than sharpening; and labels of the model in training beat those of its fixed start by 6 to 10 points (v2, section 5).",
  rule: `Three parts: over all rungs together pass@1 of the rung's level rises, and so does its maj@16, both 95 % intervals above 0; over all rungs online labels end at least ${100 * MARGIN} points above those of the rung's fixed start. Holds with all three, in part with one or two.`,
  jobs: (seeds) => LADDERS.flatMap((each) => seeds.flatMap((seed) => climb(each, seed))),
  read: async (results, seeds) => {
    const ladders = await Promise.all(LADDERS.map((each) => readLadder(each, results, seeds)));
    const rungs = ladders.flatMap((each) => each.rungs);
    const rates = (of: Arm, end: boolean, measure: Measure) => seeds.map((_, seed) => rungs.flatMap((each) => ratesOf(each[of][seed]!, each.level, end, measure)));
    const rise = (measure: Measure) => bootstrapped(rates("online", true, measure), rates("online", false, measure));
    const ahead = bootstrapped(rates("online", true, "pass@1"), rates("fixed", true, "pass@1"));
    return {
      verdict: verdictOf([rise("pass@1").low > 0, rise("maj@k").low > 0, ahead.difference >= MARGIN]),
      effect: `over all rungs: pass@1 ${describeDifference(rise("pass@1"))}, maj@16 ${describeDifference(rise("maj@k"))}; online labels against the fixed start's ${describeDifference(ahead)} (${rungs.map((each) => `${each.name} ${describeDifference(difference(each.online, each.fixed, onRung(each.level)))}`).join(", ")})`,
      text: [
        `Each rung is ${STEPS} steps from the model of the rung below; the lowest is trained with true labels. The highest level of each ladder is one that the model was not pretrained on.`,
        "A rung counts from what the rungs below have left of its level: questions of one length are forgotten while those of another are trained.",
        ...ladders.map(({ summit }) => summit),
      ],
      table: {
        head: ["level", "pass@1 before", "after", "maj@16 before", "after", "pass@1 after, fixed start"],
        rows: rungs.map((each) => [each.name, ...(["pass@1", "maj@k"] as const).flatMap((measure) => [false, true].map((end) => share(mean(seeds.map((_, seed) => meanOf(each.online[seed]!, each.level, end, measure)))))), share(mean(seeds.map((_, seed) => meanOf(each.fixed[seed]!, each.level, true, "pass@1"))))]),
      },
      panels: ladders.flatMap((each) => (["pass@1", "maj@k"] as const).map((measure) => panelOf(each.rungs, seeds, measure))),
    };
  },
};

const online = ({ task, levels }: Ladder, level: number): string => `ladder${task === "chain" ? "" : `-${task}`}${level === levels[0] ? "-truth" : ""}-${level}`;
const fixed = ({ task }: Ladder, level: number): string => `ladder${task === "chain" ? "" : `-${task}`}-fixed-${level}`;

/** The runs of one ladder and seed, each from the model of the one below. */
function climb(each: Ladder, seed: number): readonly Job[] {
  const [first, ...climbed] = each.levels;
  return [
    ...arm(online(each, first!), [seed], { ...rung(each, first!, STEPS), reward: "ground-truth" }),
    ...climbed.flatMap((level) => {
      const below = runName(online(each, level - 1), seed);
      const changes = { ...rung(each, level, STEPS), model: `runs/${below}/model` };
      return [...arm(online(each, level), [seed], changes, () => [below]), ...arm(fixed(each, level), [seed], { ...changes, "teacher.kind": "start" }, () => [below])];
    }),
  ];
}

/** The rungs of a ladder, and how the model at its top stands against the one at its foot over the levels between. */
async function readLadder(each: Ladder, results: Results, seeds: readonly number[]): Promise<{ readonly rungs: readonly Rung[]; readonly summit: string }> {
  const [first, ...climbed] = each.levels;
  const rungs = await Promise.all(
    climbed.map(async (level): Promise<Rung> => ({ name: `${each.task}/${level}`, level, online: await results.runs(online(each, level), seeds), fixed: await results.runs(fixed(each, level), seeds) })),
  );
  const foot = await results.runs(online(each, first!), seeds);
  const against = (measure: Measure) => describeDifference(difference(rungs.at(-1)!.online, foot, (id) => !onRung(first!)(id), { measure }));
  return { rungs, summit: `The model at the top of the ${each.task} ladder against that at its foot, over ${rungs[0]!.name} to ${rungs.at(-1)!.name}: pass@1 ${against("pass@1")}, maj@16 ${against("maj@k")}.` };
}

function ratesOf(run: RunResult, level: number, end: boolean, measure: Measure) {
  return ratesAt(run, end ? lastStep(run) : 0, onRung(level), measure);
}

function meanOf(...which: Parameters<typeof ratesOf>): number {
  return mean(ratesOf(...which).map(({ rate }) => rate));
}

function panelOf(rungs: readonly Rung[], seeds: readonly number[], measure: Measure): Panel {
  const bar = (name: string, of: Arm, end: boolean) => ({
    name,
    points: meanBand(seeds.map((_, seed) => rungs.map((each, x) => ({ x, y: meanOf(each[of][seed]!, each.level, end, measure) })))),
  });
  const label = measure === "pass@1" ? measure : "maj@16";
  return {
    title: `${label} of each rung's level`,
    x: { label: "level", categories: rungs.map(({ name }) => name) },
    y: { label, min: 0, max: 1 },
    series: [bar("before the rung", "online", false), bar("after, online labels", "online", true), bar("after, labels of the fixed start", "fixed", true)],
  };
}
