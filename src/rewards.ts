import type { Config } from "./config.ts";
import { UsageError } from "./errors.ts";
import { formatReward, randomReward, wrongLabelReward } from "./srt/controls.ts";
import { consensusReward, labelReward, majorityReward, mixedReward, shareReward } from "./srt/reward.ts";
import type { Grader, RewardSource } from "./types.ts";
import { deriveSeed } from "./util/random.ts";

/** What rewards know besides the votes of a group. */
export interface RewardKnowledge {
  /** True answers by id of the problem. */
  readonly truth: ReadonlyMap<string, string>;
  /** Votes of a fixed model, by id of the problem: the file `labels`; `null` without one. */
  readonly votes: ReadonlyMap<string, { readonly label: string | null; readonly share?: number | undefined }> | null;
}

type RewardConfig = Pick<Config, "reward" | "threshold" | "margin" | "negativeShare" | "share" | "consensusWidth" | "consensusPenalty" | "labelledFraction" | "seed">;

/** The reward source that a config names. Throws UsageError for one that lacks what it knows answers from. */
export function rewardOf(config: RewardConfig, { truth, votes }: RewardKnowledge, same: Grader["same"]): RewardSource {
  switch (config.reward) {
    case "majority":
      return majorityReward(config, same);
    case "share":
      return shareReward(config, same);
    case "consensus": {
      const { share, threshold, consensusWidth: width, consensusPenalty: penalty } = config;
      return consensusReward({ share, threshold, width, penalty, weightOf: (id) => votes?.get(id)?.share }, same);
    }
    case "offline-labels":
      if (votes === null) throw new UsageError("`reward: offline-labels` needs `labels`, a file of votes; `selftrain label` makes one.");
      return labelReward(new Map([...votes].flatMap(([id, { label }]) => (label === null ? [] : [[id, label] as const]))), same);
    case "mixed": {
      if (truth.size === 0) throw new UsageError("`reward: mixed` needs questions of which some have a true answer, but none has; use `reward: majority` for such data.");
      const kept = new Map([...truth].filter(([id]) => keepsAnswer(id, config)));
      return mixedReward(kept, labelReward(kept, same), majorityReward(config, same));
    }
    case "ground-truth":
      return labelReward(truth, same);
    case "wrong-label":
      return wrongLabelReward(truth, same);
    case "random":
      return randomReward;
    case "format":
      return formatReward;
  }
}

/** Whether a problem is among the fraction that keeps its true answer: the same for every order of the data. */
function keepsAnswer(id: string, { seed, labelledFraction }: Pick<RewardConfig, "seed" | "labelledFraction">): boolean {
  return (deriveSeed(seed, "labelled", id) >>> 0) / 2 ** 32 < labelledFraction;
}
