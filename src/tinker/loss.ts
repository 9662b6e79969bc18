import type { Loss } from "../policy.ts";
import type { TrainingRow } from "../types.ts";
import { strictZip } from "../util/strict-zip.ts";

/** A loss of all rows at given logprobs. */
export interface LossAt {
  /** The weighted sum over all tokens. */
  readonly loss: number;
  /** Share of tokens whose ratio was clipped. */
  readonly clipFraction: number;
  readonly tokens: number;
  /** The derivative of the loss by each token's logprob, `[row][time]`. */
  readonly slopes: readonly Float32Array[];
}

/** The loss of the port (`Loss` in policy.ts) at the current logprobs, `[row][time]`. */
export function lossAt(loss: Loss, rows: readonly TrainingRow[], logprobs: readonly Float32Array[]): LossAt {
  let total = 0;
  let clipped = 0;
  let tokens = 0;
  const slopes = strictZip(rows, logprobs).map(([row, logprobs_T]) =>
    logprobs_T.map((logprob, t) => {
      const token = tokenLoss(loss, logprob, row.logprobs[t]!, row.advantages[t]!);
      total += row.weights[t]! * token.value;
      clipped += token.clipped ? 1 : 0;
      tokens += 1;
      return row.weights[t]! * token.slope;
    }),
  );
  return { loss: total, clipFraction: tokens === 0 ? 0 : clipped / tokens, tokens, slopes };
}

/** One token's loss, its derivative by the logprob, and whether a clip decided it. */
function tokenLoss(loss: Loss, logprob: number, behaviour: number, advantage: number): { readonly value: number; readonly slope: number; readonly clipped: boolean } {
  if (loss.kind === "cross_entropy") return { value: -logprob, slope: -1, clipped: false };
  const ratio = Math.exp(logprob - behaviour);
  const gain = ratio * advantage;
  if (loss.kind === "ppo") {
    const limited = Math.min(gain, Math.min(Math.max(ratio, 1 - loss.clipLow), 1 + loss.clipHigh) * advantage);
    const bounded = advantage < 0 && loss.dualClip !== undefined ? Math.max(limited, loss.dualClip * advantage) : limited;
    if (bounded !== gain) return { value: -bounded, slope: 0, clipped: true };
  }
  return { value: -gain, slope: -gain, clipped: false };
}
