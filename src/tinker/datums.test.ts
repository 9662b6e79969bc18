import { describe, expect, it } from "vitest";
import { PolicyError } from "../errors.ts";
import { chunksOf, completionLogprobs, datumOf, logprobDatum } from "./datums.ts";

describe("a datum", () => {
  it("has all tokens but the last as its input, all but the first as targets, and zeros before the completion", () => {
    expect(datumOf({ prompt: [1, 2, 3], completion: [4, 5] }, { logprobs: [-0.7, -0.2], advantages: [0.5, 0.5] })).toEqual({
      model_input: { chunks: [{ type: "encoded_text", tokens: [1, 2, 3, 4] }] },
      loss_fn_inputs: {
        target_tokens: { data: [2, 3, 4, 5], dtype: "int64", shape: [4] },
        logprobs: { data: [0, 0, -0.7, -0.2], dtype: "float32", shape: [4] },
        advantages: { data: [0, 0, 0.5, 0.5], dtype: "float32", shape: [4] },
      },
    });
  });

  it("writes a float32 in the digits that it has, without changing it", () => {
    const logprobs = Float32Array.from([-1 / 3, 1e-20, 123456.789]);
    const { data } = datumOf({ prompt: [1], completion: [2, 3, 4] }, { logprobs }).loss_fn_inputs["logprobs"]!;
    expect(data[0]).toBe(-0.333333343);
    expect(Float32Array.from(data)).toEqual(logprobs);
  });

  it("takes its completion's logprobs from those of all targets", () => {
    const sequences = [{ prompt: [1, 2, 3], completion: [4, 5] }];
    const output = (data: number[]) => ({ logprobs: { data, dtype: "float32" as const } });
    expect(completionLogprobs(sequences, [output([-9, -8, -0.5, -0.25])])).toEqual([Float32Array.from([-0.5, -0.25])]);
    expect(() => completionLogprobs(sequences, [output([-0.5, -0.25])])).toThrow(new PolicyError("The training server returned 2 logprobs for a sequence with 4 of them."));
    expect(() => completionLogprobs(sequences, [])).toThrow("the logprobs of 0 sequences for 1");
  });
});

describe("requests", () => {
  it("hold at most 1,024 datums, in order", () => {
    const datums = Array.from({ length: 2500 }, (_, index) => logprobDatum({ prompt: [index], completion: [1] }));
    const chunks = chunksOf(datums);
    expect(chunks.map(({ length }) => length)).toEqual([1024, 1024, 452]);
    expect(chunks.flat()).toEqual(datums);
  });

  it("of long sequences stay under five million bytes, as they are sent", () => {
    const completion = new Array<number>(3072).fill(151_000);
    const row = { logprobs: completion.map((_, t) => -Math.abs(Math.sin(t))), advantages: completion.map((_, t) => Math.cos(t)), weights: completion.map(() => 1) };
    const datums = new Array(100).fill(0).map(() => datumOf({ prompt: [1], completion }, row));
    const sizes = chunksOf(datums).map((chunk) => JSON.stringify(chunk).length);
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeLessThan(5e6);
    expect(Math.max(...sizes)).toBeGreaterThan(2e6);
  });
});
