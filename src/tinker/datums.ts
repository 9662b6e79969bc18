import { PolicyError } from "../errors.ts";
import type { TokenSequence } from "../types.ts";
import { shortFloats } from "../util/short-float.ts";
import { strictZip } from "../util/strict-zip.ts";
import type { Datum, LossOutput, Tensor } from "./wire.ts";

/** Most datums of a request, and about how many bytes of JSON. */
const MOST_DATUMS = 1024;
const MOST_BYTES = 5_000_000;
const BYTES_PER_NUMBER = 11;

/**
 * A sequence with the inputs of a loss, each aligned with the completion, `[time]`; before the completion they are 0.
 * The sequence has a completion.
 */
export function datumOf({ prompt, completion }: TokenSequence, inputs: Readonly<Record<string, ArrayLike<number>>>): Datum {
  const tokens = [...prompt, ...completion];
  const floats = Object.entries(inputs).map(([name, values]) => [name, tensor("float32", shortFloats(values, prompt.length - 1))] as const);
  return {
    model_input: { chunks: [{ type: "encoded_text", tokens: tokens.slice(0, -1) }] },
    loss_fn_inputs: { target_tokens: tensor("int64", tokens.slice(1)), ...Object.fromEntries(floats) },
  };
}

function tensor(dtype: Tensor["dtype"], data: number[]): Tensor {
  return { data, dtype, shape: [data.length] };
}

/** A datum that a server needs only for logprobs: the weights tell the completion from the prompt. */
export function logprobDatum(sequence: TokenSequence): Datum {
  return datumOf(sequence, { weights: sequence.completion.map(() => 1) });
}

/** Datums in requests of a size that servers take, in order. */
export function chunksOf(datums: readonly Datum[]): readonly Datum[][] {
  const chunks: Datum[][] = [];
  let bytes = Infinity;
  for (const datum of datums) {
    const length = datum.loss_fn_inputs["target_tokens"]!.data.length;
    const size = length * (1 + Object.keys(datum.loss_fn_inputs).length) * BYTES_PER_NUMBER;
    const last = chunks.at(-1);
    if (last !== undefined && bytes + size <= MOST_BYTES && last.length < MOST_DATUMS) {
      last.push(datum);
      bytes += size;
    } else {
      chunks.push([datum]);
      bytes = size;
    }
  }
  return chunks;
}

/** The logprobs of the completions, `[sequence][time]`, from what a loss returned. Throws PolicyError when they are those of other datums. */
export function completionLogprobs(sequences: readonly TokenSequence[], outputs: LossOutput["loss_fn_outputs"]): readonly Float32Array[] {
  if (outputs.length !== sequences.length) throw new PolicyError(`The training server returned the logprobs of ${outputs.length} sequences for ${sequences.length}.`);
  return strictZip(sequences, outputs).map(([{ prompt, completion }, { logprobs }]) => {
    const length = prompt.length + completion.length - 1;
    if (logprobs.data.length !== length) throw new PolicyError(`The training server returned ${logprobs.data.length} logprobs for a sequence with ${length} of them.`);
    return new Float32Array(logprobs.data.slice(prompt.length - 1));
  });
}
