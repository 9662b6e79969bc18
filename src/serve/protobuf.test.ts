import { describe, expect, it } from "vitest";
import { endpoints } from "../tinker/wire.ts";
import { decodePass, encodeResult } from "./protobuf.ts";

/** Messages that the official SDK (`tinker` 0.38.0, `tinker_public_pb2`) wrote, in base 64. */
const MESSAGES = {
  request:
    "Cg9zZXNzaW9uOnRyYWluOjAQBxpXCgwKCgoIAwAAAHARAQASHQoKYWR2YW50YWdlcxIPCggAAAAAAADAvxgBIgECEigKDXRhcmdldF90b2tlbnMSFwoQcBEBAAAAAAABAAAAAAAAABgCIgECGiwKCAoGCgQFAAAAEiAKDXRhcmdldF90b2tlbnMSDwoIBgAAAAAAAAAYAiIBASIDcHBvKh0KEmNsaXBfbG93X3RocmVzaG9sZBEAAAAAAADoPzABOh8KEmNsaXBfbG93X3RocmVzaG9sZBIJCQAAAAAAAOg/",
  sample: "ChYIARIIBAAAAHARAQAaCAAAAL8AABDAEggAAMB/AACAvw==",
  output: "CglzZWxmdHJhaW4SOhI2Cghsb2dwcm9icxIqCgwAAIC/AAAAwAAAYMASGAAAAAAAAAAACAAAAAAAAAAMAAAAAAAAABgBGAIaEwoIbG9zczpzdW0RAAAAAAAABEA=",
  image: "CgFtEAEaMAoMEgoKAXgSA3BuZxgDEiAKDXRhcmdldF90b2tlbnMSDwoIAQAAAAAAAAAYAiIBASINY3Jvc3NfZW50cm9weQ==",
  sparse: "CgFtEAEaSwoICgYKBAMAAAASPwoNdGFyZ2V0X3Rva2VucxIuEiYKCAEAAAAAAAAAEhAAAAAAAAAAAAEAAAAAAAAAGggBAAAAAAAAABgCIgIBAiINY3Jvc3NfZW50cm9weQ==",
};
const bytes = (message: keyof typeof MESSAGES): Uint8Array => new Uint8Array(Buffer.from(MESSAGES[message], "base64"));
const text = (tokens: readonly number[]) => ({ chunks: [{ type: "encoded_text", tokens }] });

describe("a pass that the Python SDK sends", () => {
  it("is read as the JSON that it stands for", () => {
    expect(decodePass(bytes("request"))).toEqual({
      model_id: "session:train:0",
      seq_id: 7,
      forward_only: true,
      forward_backward_input: {
        loss_fn: "ppo",
        loss_fn_config: { clip_low_threshold: 0.75 },
        data: [
          { model_input: text([3, 70000]), loss_fn_inputs: { target_tokens: { dtype: "int64", data: [70000, 1] }, advantages: { dtype: "float32", data: [0, -1.5] } } },
          { model_input: text([5]), loss_fn_inputs: { target_tokens: { dtype: "int64", data: [6] } } },
        ],
      },
    });
  });

  it("is refused with images or sparse arrays, and when it is damaged", () => {
    const { error } = endpoints.forwardBackward.request.safeParse(decodePass(bytes("image")));
    expect(error?.issues[0]?.path.join(".")).toBe("forward_backward_input.data.0.model_input.chunks.0.type");
    expect(() => decodePass(bytes("sparse"))).toThrow("this server takes no sparse arrays");
    expect(() => decodePass(bytes("request").subarray(0, 60))).toThrow("the body is no valid ForwardBackwardRequest");
  });
});

describe("results are the bytes that the SDK would write:", () => {
  it("samples", () => {
    const result = { sequences: [{ stop_reason: "length", tokens: [4, 70000], logprobs: [-0.5, -2.25] }], prompt_logprobs: [null, -1] };
    expect(Buffer.from(encodeResult(result)!).toString("base64")).toBe(MESSAGES.sample);
  });

  it("passes", () => {
    const logprobs = [[-1, -2], [-3.5]].map((data) => ({ logprobs: { data, dtype: "float32", shape: [data.length] } }));
    const result = { loss_fn_output_type: "selftrain", loss_fn_outputs: logprobs, metrics: { "loss:sum": 2.5 } };
    expect(Buffer.from(encodeResult(result)!).toString("base64")).toBe(MESSAGES.output);
  });

  it("and others have none", () => {
    expect(encodeResult({ error: "too long.", category: "user" })).toBeNull();
  });
});
