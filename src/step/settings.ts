import type { AdvantageEstimator, KlEstimator, KlPlacement, LossAggregation, TeacherKind } from "../options.ts";
import type { Policy, UpdateOptions } from "../policy.ts";
import type { Grader, Renderer, RewardSource } from "../types.ts";

export interface StepSettings {
  /** Problems that train. Where more are sampled, those with the largest majority share are kept. */
  readonly promptsPerStep: number;
  readonly samplesPerPrompt: number;
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly maxTokens: number;
  readonly teacher: TeacherSettings;
  /** Whether each problem is asked in two wordings, each judged by the vote on the other. */
  readonly crossLabels: boolean;
  readonly algorithm: AdvantageEstimator;
  readonly klCoefficient: number;
  readonly klEstimator: KlEstimator;
  readonly klPlacement: KlPlacement;
  readonly entropyCoefficient: number;
  readonly lossAggregation: LossAggregation;
  /** Whether the tokens of the final answer are left out of the loss. */
  readonly maskAnswer: boolean;
  /** Passes over the samples of a step, and updates of each pass. */
  readonly epochs: number;
  readonly miniBatches: number;
  readonly update: UpdateOptions;
}

/** A voter other than the samples that are rewarded. */
export interface TeacherSettings {
  readonly kind: TeacherKind;
  /** Its votes on each problem. */
  readonly samples: number;
  /** Whether the samples that are rewarded vote too. */
  readonly ownVotes: boolean;
  /** `average`: what share of the teacher stays when it follows the policy. */
  readonly decay: number;
  /** Steps after which it follows: `average` a little, `snapshot` all the way. */
  readonly every: number;
}

export type SeededSettings = StepSettings & { readonly seed: number };

export interface StepParts {
  readonly policy: Policy;
  readonly renderer: Renderer;
  readonly grader: Grader;
  readonly rewardOf: RewardSource;
  /** Seconds on a clock that never goes back. */
  readonly clock: () => number;
}
