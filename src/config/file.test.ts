import { describe, expect, it } from "vitest";
import { configSchema } from "../config.ts";
import { UsageError } from "../errors.ts";
import { formatConfig, parseConfig, parseSettings } from "./file.ts";
import { configKeys } from "./keys.ts";

const required = "train: a.jsonl\nheld-out: b.jsonl\n";

describe("parseConfig", () => {
  it("fills in every default", () => {
    const config = parseConfig("train: a.jsonl\nheld-out: b.jsonl\nlearning-rate: 2e-4\nengine:\n  threads: 2\n", "srt.yaml");
    expect(config).toEqual(configSchema.parse({ train: "a.jsonl", heldOut: "b.jsonl", learningRate: 2e-4, engine: { threads: 2 } }));
  });

  it.each([
    [`${required}engine: onnx\n`, "srt.yaml: `engine` is a section; write its keys (`kind`, `threads`, `url`, `base-model`, `concurrency`, `result-timeout`, `loss-reduction`) indented below it."],
    ["- 1\n", "srt.yaml holds a list; expected lines of the form `key: value`."],
    ["seed: 1\nseed: 2\n", "srt.yaml is not valid YAML at line 2, column 1: Map keys must be unique"],
    ["seed: [1\n", expect.stringContaining("srt.yaml is not valid YAML at line 2") as string],
    ["seed: *one\n", expect.stringContaining("srt.yaml is not valid YAML: Unresolved alias") as string],
  ])("of %j says what is wrong with the file", (text, message) => {
    expect(() => parseConfig(text, "srt.yaml")).toThrow(expect.objectContaining({ message, constructor: UsageError }) as Error);
  });
});

describe("formatConfig", () => {
  it("writes every key, and reads back as the same config", () => {
    const config = parseConfig(`${required}learning-rate: 3.5e-7\ntemplate: "a: {problem} # \\n\\\\boxed{}"\nfields: {id: "no"}\n`, "srt.yaml");
    const text = formatConfig(config);
    expect(parseConfig(text, "config.yaml")).toEqual(config);
    expect([...parseSettings(text, "config.yaml").keys()]).toEqual(configKeys.map(({ name }) => name));
    expect(text).toContain("learning-rate: 3.5e-7\n");
  });

  it("writes a list of sources as it is read", () => {
    const config = parseConfig("train: [a.jsonl, {source: math500, weight: 0.5}]\nheld-out: b.jsonl\n", "srt.yaml");
    expect(config.train).toEqual(["a.jsonl", { source: "math500", weight: 0.5 }]);
    expect(parseConfig(formatConfig(config), "config.yaml")).toEqual(config);
  });
});
