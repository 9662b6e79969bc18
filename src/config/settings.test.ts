import { describe, expect, it } from "vitest";
import { isStaged, loraTargets, trainSources } from "../config.ts";
import { UsageError } from "../errors.ts";
import { parseSettings } from "./file.ts";
import { flagSettings, resolveConfig } from "./settings.ts";

const required = "train: a.jsonl\nheld-out: b.jsonl\n";
const resolve = (text: string, flags: Record<string, string> = {}) =>
  resolveConfig(new Map([...parseSettings(text, "srt.yaml"), ...flagSettings(flags)]), "srt.yaml");

/** The sentence with which a file and flags are refused. */
const refusal = (text: string, flags: Record<string, string> = {}): string => {
  try {
    resolve(text, flags);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "accepted";
};

describe("resolveConfig", () => {
  it("lets flags override the file, key by key", () => {
    expect(resolve(`${required}seed: 1\nsteps: 5\n`, { steps: "7", "fields.id": "key" })).toMatchObject({
      seed: 1,
      steps: 7,
      fields: { id: "key", answer: "answer" },
    });
  });

  it("takes adapted layers as names or as a list, from files and flags", () => {
    const targets = (text: string, flags: Record<string, string> = {}) => loraTargets(resolve(required + text, flags).lora);
    expect(targets("")).toEqual(["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]);
    expect(targets("lora:\n  targets: [v_proj, q_proj]\n")).toEqual(["q_proj", "v_proj"]);
    expect(targets("", { "lora.targets": "down_proj,q_proj,q_proj" })).toEqual(["q_proj", "down_proj"]);
  });

  it.each([
    [`${required}learning-rat: 1\n`, "unknown key `learning-rat` in srt.yaml; did you mean `learning-rate`?"],
    [`${required}learningRate: 1\n`, "unknown key `learningRate` in srt.yaml; did you mean `learning-rate`?"],
    [`${required}engine:\n  threds: 1\n`, "unknown key `engine.threds` in srt.yaml; did you mean `engine.threads`?"],
    [`${required}zzz: 1\n`, "unknown key `zzz` in srt.yaml; `selftrain train --help` lists every key"],
    [`${required}steps: many\n`, "srt.yaml: `steps` is `many`; expected a whole number of at least 1."],
    [`${required}steps: 0\n`, "srt.yaml: `steps` is `0`; expected a whole number of at least 1."],
    [`${required}steps: [1]\n`, "srt.yaml: `steps` is a list; expected a whole number of at least 1."],
    [`${required}steps:\n`, "srt.yaml: `steps` is empty; expected a whole number of at least 1."],
    [`${required}kl-estimator: k4\n`, "srt.yaml: `kl-estimator` is `k4`; expected one of `k1`, `k2`, `k3`."],
    [`${required}template: hello\n`, "srt.yaml: `template` is `hello`; expected text that contains `{problem}`."],
    ["held-out: b.jsonl\n", "srt.yaml: `train` is missing. Training questions: `task:FAMILY/LEVEL` (generated), a .jsonl, .csv or .parquet file, a preset, or `hub:OWNER/NAME:SPLIT`; in a file also a list of these, mixed by weights or one after the other by steps (docs/data.md)."],
    ["", "srt.yaml: `train` is missing. Training questions: `task:FAMILY/LEVEL` (generated), a .jsonl, .csv or .parquet file, a preset, or `hub:OWNER/NAME:SPLIT`; in a file also a list of these, mixed by weights or one after the other by steps (docs/data.md)."],
    ["train: 3\nheld-out: b.jsonl\n", "srt.yaml: `train` is `3`; expected a source, or a list of sources, each alone or as {source, weight} or {source, steps}."],
    ["train: [{source: a.jsonl, wieght: 2}]\nheld-out: b.jsonl\n", "srt.yaml: `train` is a list; expected a source, or a list of sources, each alone or as {source, weight} or {source, steps}."],
    [`${required}save-dtype: float16\n`, "srt.yaml: `save-dtype` is `float16`; expected one of `float32`, `bfloat16`."],
    [
      `${required}lora:\n  targets: q_proj,k_porj\n`,
      "srt.yaml: `lora.targets` is `q_proj,k_porj`; expected `all-linear`, or names of `q_proj`, `k_proj`, `v_proj`, `o_proj`, `gate_proj`, `up_proj`, `down_proj`, separated by commas.",
    ],
    [
      "train: [a.jsonl, {source: task:chain/5}]\nheld-out: b.jsonl\n",
      "`train-problems` is 0, but `train` is the task `task:chain/5`, which generates as many questions as it is asked for: give a number.",
    ],
    [
      "train: task:chain/5\nheld-out: b.jsonl\n",
      "`train-problems` is 0, but `train` is the task `task:chain/5`, which generates as many questions as it is asked for: give a number.",
    ],
    [
      "train: [{source: a.jsonl, steps: 9}, {source: b.jsonl, weight: 2}]\n",
      "`train` has sources with `weight` and sources with `steps`; they are either mixed, by weights, or trained on one after the other, by steps",
    ],
    ["train: [{source: a.jsonl, steps: 9}, b.jsonl, c.jsonl]\n", "`train` has stages, but `b.jsonl` has no `steps`; every stage but the last needs them"],
    [
      "train: [{source: a.jsonl, steps: 9}, {source: b.jsonl, steps: 9}]\n",
      "`train`: the last stage, `b.jsonl`, has `steps`, but it takes all that are left of the run's `steps`; leave them out",
    ],
    ["train: [{source: a.jsonl, steps: 9}, b.jsonl]\nsteps: 9\n", "`steps` is 9, but the stages of `train` before the last take 9 of them; give more"],
    [
      `${required}train-problems: 8\nprompts-per-step: 9\n`,
      "`prompts-per-step` is 9, but `train-problems` is only 8: a step takes each question at most once.",
    ],
  ])("of %j says so in one sentence", (text, expected) => expect(refusal(text)).toEqual(expected));

  it("takes sources as stages", () => {
    const config = resolve("train: [{source: easy.jsonl, steps: 100}, hard.jsonl]\nsteps: 101\n");
    expect(isStaged(config)).toBe(true);
    expect(trainSources(config)).toEqual([
      { source: "easy.jsonl", weight: null, steps: 100 },
      { source: "hard.jsonl", weight: null, steps: null },
    ]);
    expect(isStaged(resolve("train: [a.jsonl, {source: b.jsonl, weight: 2}]\n"))).toBe(false);
  });

  it("names the flag that is wrong", () => {
    expect(refusal(required, { steps: "abc" })).toBe("flag --steps: `steps` is `abc`; expected a whole number of at least 1.");
    expect(refusal(required, { temperature: "" })).toBe("flag --temperature: `temperature` is ``; expected a number of more than 0.");
  });

  it("wants first votes for a probe, and a number of questions from a task", () => {
    expect(refusal(required, { "probe.source": "mine.jsonl" })).toBe("`probe.source` asks for a probe, but `start-votes` is 0: it compares with the votes of the first model; give it some votes, e.g. 16.");
    expect(refusal(required, { "probe.source": "task:chain/3", "start-votes": "8" })).toContain("`probe.problems` is 0, but `probe.source` is the task `task:chain/3`");
  });
});
