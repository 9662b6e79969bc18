import { meanBand } from "../../report/index.ts";
import { mean } from "../../util/statistics.ts";
import type { AdaptedAnswer, AnswerVote } from "../../voting/index.ts";
import { verdictOf } from "../figure.ts";
import type { Figure } from "../figure.ts";
import type { Job } from "../job.ts";
import { flagsOf } from "../job.ts";
import { bootstrapped, describeDifference, share } from "../measures.ts";
import { runName } from "../results.ts";

const SIZES = [16, 48, 144] as const;
const FALL = 0.05;

function adaptJob(size: number, seed: number): Job {
  const name = runName(`adapt-${size}`, seed);
  const settings = {
    model: "builtin", "engine.threads": 1, "train-problems": size, template: "{problem}", "max-tokens": 28, "evaluate-samples": 32, "learning-rate": 3e-4,
    beta2: 0.95, "weight-decay": 0, steps: 30, "prompts-per-step": 16, "samples-per-prompt": 16, "max-votes": 480, seed,
  };
  return { name, words: ["adapt", "task:chain/6", ...flagsOf(settings), "--out", `runs/${name}`], after: [] };
}

/** Figure 4 of the paper: training on the very questions that are to be answered. */
export const testTime: Figure = {
  name: "test-time",
  title: "Training on the questions themselves",
  claim: "After test-time training the vote is right more often than the base model's; the gain is larger on larger sets, and small sets do not collapse (Fig. 4).",
  rule: `Three parts, maj@32 after against before on the same questions: the gain on the largest set has a 95 % interval above 0; it is at least that on the smallest; on no set is the loss ${100 * FALL} points or more. Holds with all three, in part with the first and one more, or where any set's interval is above 0.`,
  jobs: (seeds) => SIZES.flatMap((size) => seeds.map((seed) => adaptJob(size, seed))),
  read: async (results, seeds) => {
    const sets = await Promise.all(
      SIZES.map(async (size) => {
        const answers = await Promise.all(seeds.map((seed) => results.adaptation(runName(`adapt-${size}`, seed))));
        const rates = (vote: (answer: AdaptedAnswer) => AnswerVote) => answers.map((rows) => rows.map((row) => ({ id: row.id, rate: vote(row).correct === true ? 1 : 0 })));
        const [before, after, voting] = [rates((row) => row.before), rates((row) => row.after), rates((row) => row.votingOnly)];
        const bySeed = (arms: typeof before) => arms.map((arm) => mean(arm.map(({ rate }) => rate)));
        return { size, before: bySeed(before), after: bySeed(after), voting: bySeed(voting), gain: bootstrapped(after, before), againstVoting: bootstrapped(after, voting) };
      }),
    );
    const [smallest, largest] = [sets[0]!, sets.at(-1)!];
    const parts = [largest.gain.low > 0, largest.gain.difference >= smallest.gain.difference, sets.every(({ gain }) => gain.difference > -FALL)];
    const some = sets.some(({ gain }) => gain.low > 0) || (parts[0]! && parts.filter(Boolean).length > 1);
    const points = (arm: "before" | "after" | "voting") => meanBand(seeds.map((_, seed) => sets.map((set, x) => ({ x, y: set[arm][seed]! }))));
    return {
      verdict: verdictOf(parts) === "holds" ? "holds" : some ? "holds in part" : "does not hold here",
      effect: sets.map(({ size, gain }) => `${size} questions: ${describeDifference(gain)}`).join("; "),
      text: [
        "Beside it is what the same samples do without any training: the base model's vote over as many samples per question as training took (at most 480).",
        `Trained against that vote: ${sets.map(({ size, againstVoting }) => `${size} questions ${describeDifference(againstVoting)}`).join("; ")}.`,
      ],
      table: { head: ["questions", "base maj@32", "adapted maj@32", "base, as many votes as training took"], rows: sets.map(({ size, before, after, voting }) => [String(size), ...[before, after, voting].map((bySeed) => share(mean(bySeed)))]) },
      panels: [
        {
          title: "majority right, task:chain/6",
          x: { label: "questions", categories: SIZES.map(String) },
          y: { label: "share of questions", min: 0, max: 1 },
          series: [
            { name: "base, maj@32", points: points("before") },
            { name: "adapted, maj@32", points: points("after") },
            { name: "base, as many votes as training took", points: points("voting") },
          ],
        },
      ],
    };
  },
};
