import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../config/index.ts";
import { figures } from "./figures/index.ts";
import { fullScale, writeFullScale } from "./full-scale.ts";

describe("the paper's runs", () => {
  const { configs, commands } = fullScale(figures.map(({ name }) => name));

  it("are there for every figure, and every command names a config that is written", () => {
    expect([...commands.matchAll(/^## (.*)$/gm)].map(([, name]) => name)).toEqual(figures.map(({ name }) => name));
    const named = [...commands.matchAll(/selftrain train (\S+)/g)].map(([, name]) => name!);
    expect(new Set(named)).toEqual(new Set(Object.keys(configs)));
  });

  it("are the paper's: appendix B and the authors' script", () => {
    expect(parseConfig(configs["dapo-srt.yaml"]!, "dapo-srt.yaml")).toMatchObject({
      model: "Qwen/Qwen2.5-Math-7B", train: "dapo", reward: "majority", algorithm: "rloo", promptsPerStep: 16, samplesPerPrompt: 32,
      maxTokens: 3072, learningRate: 1e-6, klCoefficient: 0.001, temperature: 1, topP: 1, engine: { kind: "tinker" },
    });
    expect(parseConfig(configs["math-12k-ground-truth.yaml"]!, "")).toMatchObject({ train: "math-12k", reward: "ground-truth", steps: 12_000 / 16 });
  });

  it("are not written over configs that somebody has edited", async () => {
    const out = await mkdtemp(join(tmpdir(), "full-scale-"));
    const full = fullScale(["collapse"]);
    await writeFullScale(out, full);
    await writeFullScale(out, full);
    await appendFile(join(out, "dapo-srt-long.yaml"), "# ours\n");
    await expect(writeFullScale(out, full)).rejects.toThrow("dapo-srt-long.yaml is there already with other text");
    await rm(out, { recursive: true });
  });

  it("refuse a figure that is none", () => {
    expect(() => fullScale(["rises"])).toThrow("no figure is called rises");
  });
});
