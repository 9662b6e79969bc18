import type { Config } from "../config.ts";
import type { StepMetrics } from "../run/index.ts";
import { adaptedCoefficient } from "../srt/kl.ts";
import type { StepSettings } from "../step.ts";

/** The weight of the KL penalty after a step: the same, or adapted to what the step saw. */
export function nextKlCoefficient({ kl, klCoefficient }: StepMetrics, { klTarget: target, klHorizon: horizon, promptsPerStep, samplesPerPrompt }: Config): number {
  return target === 0 ? klCoefficient : adaptedCoefficient(klCoefficient, kl, { target, horizon, samples: promptsPerStep * samplesPerPrompt });
}

/** The part of a config that a step needs. */
export function stepSettings(config: Config): StepSettings {
  const { learningRate, beta1, beta2, epsilon, weightDecay, maxGradientNorm, clipLow, clipHigh } = config;
  const dual = config.dualClip > 0 ? { dualClip: config.dualClip } : {};
  const loss = config.loss === "ppo" ? ({ kind: "ppo", clipLow, clipHigh, ...dual } as const) : ({ kind: "importance_sampling" } as const);
  const critic = config.algorithm === "gae" ? { critic: { coefficient: config.criticCoefficient, clip: config.criticClip } } : {};
  const teacher = { ...config.teacher, samples: config.teacher.samples === 0 ? config.samplesPerPrompt : config.teacher.samples };
  return { ...config, teacher, update: { loss, learningRate, beta1, beta2, epsilon, weightDecay, maxGradientNorm, ...critic } };
}
