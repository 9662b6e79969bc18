import { LORA_TARGETS } from "../options.ts";
import type { LoraTarget } from "../options.ts";
import type { LoraConfig } from "../tinker/wire.ts";
import { Refusal } from "./refusal.ts";

/** LoRA adapters that are trained in place of the model's own weights. */
export interface Adapters {
  readonly rank: number;
  readonly alpha: number;
  readonly targets: readonly LoraTarget[];
  /** Of their values at the start. */
  readonly seed: number;
}

/** What trained weights must have in common for one engine to hold them: the shape of adapters, or the whole model. */
export type Shape = Omit<Adapters, "seed"> | "whole model";

const LARGEST_RANK = 1024;
const USUAL_ALPHA = 32;
const isOfAttention = (target: LoraTarget): boolean => /^[qkvo]_/.test(target);

/**
 * The adapters that a request asks for; `null`, the whole model, where it has no `lora_config` or one of rank 0. The
 * output layer is never adapted, whatever `train_unembed` says. Throws Refusal (400).
 */
export function adaptersOf(config: LoraConfig | null | undefined): Adapters | null {
  if (!config || config.rank === 0) return null;
  const { rank, alpha, seed, train_attn, train_mlp } = config;
  if (rank > LARGEST_RANK) throw new Refusal(400, `lora_config.rank is ${rank}; expected at most ${LARGEST_RANK}.`);
  const targets = LORA_TARGETS.filter((target) => (isOfAttention(target) ? train_attn : train_mlp) ?? true);
  if (targets.length === 0) throw new Refusal(400, "lora_config trains neither attention nor MLP layers, and this server has no adapters for others; set train_attn or train_mlp.");
  // Seeds here are 32-bit numbers with a sign, on the wire without.
  return { rank, alpha: alpha ?? USUAL_ALPHA, targets, seed: (seed ?? 0) | 0 };
}

/** How the API describes what is trained. */
export function describeAdapters(adapters: Adapters | null): { readonly is_lora: boolean; readonly lora_rank?: number; readonly train_attn?: boolean; readonly train_mlp?: boolean; readonly train_unembed?: boolean } {
  if (!adapters) return { is_lora: false };
  const { rank, targets } = adapters;
  return { is_lora: true, lora_rank: rank, train_attn: targets.some(isOfAttention), train_mlp: !targets.every(isOfAttention), train_unembed: false };
}

export function shapeOf(adapters: Adapters | null): Shape {
  if (!adapters) return "whole model";
  const { rank, alpha, targets } = adapters;
  return { rank, alpha, targets };
}
