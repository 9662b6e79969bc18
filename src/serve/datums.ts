import type { Loss, ScoredSequence } from "../policy.ts";
import type { Datum, LossInput, LossName, LossOutput } from "../tinker/wire.ts";
import type { TrainingRow } from "../types.ts";
import { shortFloats } from "../util/short-float.ts";
import { sum } from "../util/statistics.ts";
import { strictZip } from "../util/strict-zip.ts";
import { Refusal } from "./refusal.ts";

/** A datum as the engine takes it: the prompt is its first token, and with `skip_unweighted` those before the first one whose target has a weight. */
export type Row = TrainingRow & Required<ScoredSequence>;

/** What each loss reads of a datum beside `target_tokens`; `weights` are 1 where they are missing. */
const INPUTS: Readonly<Record<LossName, { readonly required: readonly string[]; readonly optional: readonly string[] }>> = {
  cross_entropy: { required: [], optional: ["weights"] },
  importance_sampling: { required: ["logprobs", "advantages"], optional: ["weights"] },
  ppo: { required: ["logprobs", "advantages"], optional: ["weights"] },
};
/** What `ppo` reads of `loss_fn_config`; `dual_clip` is this server's own. */
const PPO_CONFIG = ["clip_low_threshold", "clip_high_threshold", "dual_clip"];

/** The loss of a request. Throws Refusal (400) for a setting that it does not have. */
export function lossOf({ loss_fn: kind, loss_fn_config }: LossInput): Loss {
  const config = loss_fn_config ?? {};
  const known = kind === "ppo" ? PPO_CONFIG : [];
  const unknown = Object.keys(config).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new Refusal(400, `loss_fn_config has \`${unknown}\`, which ${kind} does not read; expected ${known.length === 0 ? "nothing" : known.join(", ")}.`);
  if (kind !== "ppo") return { kind };
  const { clip_low_threshold = 0.8, clip_high_threshold = 1.2, dual_clip } = config;
  return { kind, clipLow: 1 - clip_low_threshold, clipHigh: clip_high_threshold - 1, ...(dual_clip !== undefined && { dualClip: dual_clip }) };
}

/** The rows of a request. Throws Refusal (400) for a datum whose arrays are missing, unknown or not aligned. */
export function rowsOf({ data, loss_fn, skip_unweighted }: LossInput): readonly Row[] {
  return data.map((datum, index) => rowOf(datum, { loss: loss_fn, skip: skip_unweighted === true, where: `data.${index}` }));
}

function rowOf({ model_input, loss_fn_inputs }: Datum, { loss, skip, where }: { readonly loss: LossName; readonly skip: boolean; readonly where: string }): Row {
  const { chunks } = model_input;
  const tokens = chunks.length === 1 ? chunks[0]!.tokens : chunks.flatMap((chunk) => chunk.tokens);
  const { required, optional } = INPUTS[loss];
  const allowed = ["target_tokens", ...required, ...optional];
  const unknown = Object.keys(loss_fn_inputs).find((name) => !allowed.includes(name));
  if (unknown !== undefined) throw new Refusal(400, `${where}.loss_fn_inputs has \`${unknown}\`, which ${loss} does not read; expected ${allowed.join(", ")}.`);
  if (tokens.length === 0) throw new Refusal(400, `${where}.model_input has no tokens.`);
  const array = (name: string): number[] => {
    const found = loss_fn_inputs[name];
    if (!found) throw new Refusal(400, `${where}.loss_fn_inputs has no \`${name}\`, which ${loss} needs.`);
    if (found.data.length !== tokens.length) throw new Refusal(400, `${where}.loss_fn_inputs.${name} has ${found.data.length} numbers for a model_input of ${tokens.length} tokens; arrays are aligned with it.`);
    return found.data;
  };
  const weights = "weights" in loss_fn_inputs ? array("weights") : null;
  const start = skip && weights ? Math.max(0, weights.findIndex((weight) => weight !== 0)) : 0;
  const scored = tokens.length - start;
  const floats = (name: string): Float32Array => (required.includes(name) ? new Float32Array(array(name).slice(start)) : new Float32Array(scored));
  const targets = array("target_tokens").slice(start);
  // The last target is never read by the model, but the engine's sequences end with a token that is scored.
  const completion = tokens.slice(start + 1);
  completion.push(targets.at(-1)!);
  return {
    prompt: tokens.slice(0, start + 1),
    completion,
    targets,
    logprobs: floats("logprobs"),
    advantages: floats("advantages"),
    weights: weights ? new Float32Array(weights.slice(start)) : new Float32Array(scored).fill(1),
  };
}

/** Throws Refusal (400) when logprobs are not finite: on the wire they would be none, which clients read as certainty. */
export function checkLogprobs(arrays: readonly Float32Array[]): void {
  if (!arrays.every((logprobs) => logprobs.every(Number.isFinite))) throw new Refusal(400, "the model's logprobs are not finite: its weights have diverged; load earlier ones.");
}

/** What a pass over rows gives back, of finite logprobs. A loss that is not finite is left out, since JSON has no such number. */
export function lossOutput(rows: readonly Row[], loss: Loss, logprobs: readonly Float32Array[], metrics: Readonly<Record<string, number>> = {}): LossOutput {
  let total = 0;
  const outputs = strictZip(rows, logprobs).map(([row, logprobs_T]) => {
    logprobs_T.forEach((logprob, t) => (total += row.weights[t]! * tokenLoss(loss, logprob, row.logprobs[t]!, row.advantages[t]!)));
    const data = shortFloats(logprobs_T, row.prompt.length - 1);
    return { logprobs: { data, dtype: "float32" as const, shape: [data.length] } };
  });
  const tokens = sum(rows.map(({ completion }) => completion.length));
  return { loss_fn_output_type: "selftrain", loss_fn_outputs: outputs, metrics: { ...(Number.isFinite(total) && { "loss:sum": total }), "tokens:sum": tokens, ...metrics } };
}

/** Loss of one token; formulas at `Loss` in the policy port. */
function tokenLoss(loss: Loss, logprob: number, behaviour: number, advantage: number): number {
  if (loss.kind === "cross_entropy") return -logprob;
  const ratio = Math.exp(logprob - behaviour);
  if (loss.kind === "importance_sampling") return -ratio * advantage;
  const clipped = Math.min(Math.max(ratio, 1 - loss.clipLow), 1 + loss.clipHigh);
  const gain = Math.min(ratio * advantage, clipped * advantage);
  return -(loss.dualClip !== undefined && advantage < 0 ? Math.max(gain, loss.dualClip * advantage) : gain);
}
