import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/index.ts";
import { root, selftrain } from "./command.ts";

let folder = "";
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), "selftrain-cli-"))));
afterAll(() => rm(folder, { recursive: true }));

const run = (...parameters: readonly string[]) => selftrain(parameters, { folder });

async function write(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return name;
}

describe("wrong use is refused in one sentence, with exit code 2 and nothing written", () => {
  beforeAll(async () => {
    const config = "train: train.jsonl\nheld-out: held-out.jsonl\n";
    await write("bare.yaml", config);
    await write("unknown-key.yaml", `${config}learning-rat: 1\n`);
    await write("wrong-value.yaml", `${config}kl-estimator: k4\n`);
    await write("twice.yaml", `${config}train: other.jsonl\n`);
  });
  it.concurrent.each([
    ["an unknown command", ["trian"], "selftrain: unknown command `trian`; did you mean `train`?"],
    ["an unknown flag", ["train", "bare.yaml", "--learning-rat", "1"], "selftrain: unknown flag `--learning-rat`; did you mean `--learning-rate`?"],
    ["a flag without its value", ["train", "bare.yaml", "--steps"], "selftrain: flag `--steps <number>` argument missing"],
    ["a wrong value of a flag", ["train", "bare.yaml", "--steps", "many"], "selftrain: flag --steps: `steps` is `many`; expected a whole number of at least 1."],
    ["an unknown key", ["train", "unknown-key.yaml"], "selftrain: unknown key `learning-rat` in unknown-key.yaml; did you mean `learning-rate`?"],
    ["a wrong value", ["train", "wrong-value.yaml"], "selftrain: wrong-value.yaml: `kl-estimator` is `k4`; expected one of `k1`, `k2`, `k3`."],
    ["a file that is not YAML", ["train", "twice.yaml"], "selftrain: twice.yaml is not valid YAML at line 3, column 1: Map keys must be unique"],
    ["a missing config", ["train", "none.yaml"], "selftrain: cannot read the config none.yaml: no such file or directory (ENOENT)"],
    ["no config", ["train"], "selftrain: no config was given: name a CONFIG.yaml (examples/srt.yaml is one), or a run to continue with --resume DIR"],
    ["two arguments", ["train", "a.yaml", "b.yaml"], "selftrain: too many arguments for `train`. Expected 1 argument but got 2."],
    ["a task that does not exist", ["train", "bare.yaml", "--train", "task:chian/5", "--train-problems", "64"], "selftrain: unknown task `task:chian/5`; there are "],
    ["no file to vote on", ["vote"], "selftrain: missing required argument `COMPLETIONS.jsonl`"],
  ])("%s", async (_name, parameters, expected) => {
    const { code, stdout, stderr } = await run(...parameters);
    expect(stderr.startsWith(expected), stderr).toBe(true);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(await readdir(folder)).not.toContain("runs");
  });
});

describe("bad data and bad places are refused in one sentence, with exit code 1", () => {
  beforeAll(async () => {
    await write("good.jsonl", '{"id": "a", "problem": "1+1=", "answer": "2"}\n');
    await write("empty.jsonl", "\n");
    await write("no-prompt.jsonl", '{"problem": "1+1="}\n{"question": "2+2="}\n');
    await write("broken.jsonl", '{"problem": "1+1="\n');
    await write("srt.yaml", "train: good.jsonl\nheld-out: good.jsonl\nprompts-per-step: 1\n");
  });
  it.concurrent.each([
    ["an empty file", ["train", "srt.yaml", "--train", "empty.jsonl"], "selftrain: empty.jsonl is empty; expected one JSON object per line."],
    ["a missing file", ["train", "srt.yaml", "--held-out", "none.jsonl"], "selftrain: cannot read none.jsonl: no such file or directory (ENOENT)."],
    ["a row without a question", ["train", "srt.yaml", "--train", "no-prompt.jsonl"], "selftrain: no-prompt.jsonl, line 2 has no question in the field `problem`"],
    ["a row that is not JSON", ["train", "srt.yaml", "--train", "broken.jsonl"], "selftrain: broken.jsonl, line 1 is not valid JSON: "],
    ["a held-out row without an answer", ["train", "srt.yaml", "--held-out", "no-prompt.jsonl"], "selftrain: no-prompt.jsonl, line 2 has no question"],
    ["a folder that is no run", ["train", "--resume", "."], "selftrain: . is not a run directory"],
    ["a model folder that is not there", ["train", "srt.yaml", "--model", "no-model"], "selftrain: `model` is `no-model`, which is neither `builtin`, nor a folder here, nor an id of the hub"],
    ["completions that are missing", ["vote", "none.jsonl"], "selftrain: cannot read none.jsonl: no such file or directory (ENOENT)."],
    ["completions without a field", ["vote", "good.jsonl"], "selftrain: good.jsonl, line 1: the field `completions` is missing; expected a list of at least one text."],
  ])("%s", async (_name, parameters, expected) => {
    const { code, stdout, stderr } = await run(...parameters);
    expect(stderr.startsWith(expected), stderr).toBe(true);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(await readdir(folder)).not.toContain("runs");
  });
});

describe("vote", () => {
  const rows = '{"id": "a", "completions": ["\\\\boxed{1}", "\\\\boxed{1}", "\\\\boxed{2}", "?"], "answer": "1"}\n{"id": "b", "completions": ["?"]}\n';
  const expected = { problems: 2, labelAccuracy: 1, meanMajorityShare: 0.25, abstentions: 2 };

  it("prints a table for people", async () => {
    const { code, stdout, stderr } = await run("vote", await write("rows.jsonl", rows));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(
      [
        "problem  majority  margin  pseudo-label         answers",
        "a        50.0 %    25.0 %  1             right  1 ×2, 2 ×1, none ×1",
        "b        0.0 %     0.0 %   none                 none ×1",
        "",
        "2 problems: mean majority share 25.0 %, 2 abstentions, label accuracy 100.0 %",
        "",
      ].join("\n"),
    );
  });

  it("prints one JSON object for programs, and writes the rows", async () => {
    const { code, stdout } = await run("vote", await write("rows.jsonl", rows), "--json", "--out", "votes.jsonl");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(expected);
    const written = (await readFile(join(folder, "votes.jsonl"), "utf8")).trim().split("\n").map((line) => JSON.parse(line) as { id: string; rewards: number[] });
    expect(written.map(({ id, rewards }) => [id, rewards])).toEqual([["a", [1, 1, 0, 0]], ["b", [0]]]);
  });

  it("reads answers outside of boxes when asked to", async () => {
    const file = await write("phrases.jsonl", '{"id": "a", "completions": ["so the answer is 7", "\\\\boxed{7}", "perhaps 8", "the answer is 7.0"]}\n');
    const share = async (...flags: readonly string[]) => JSON.parse((await run("vote", file, "--json", ...flags)).stdout) as object;
    expect(await share()).toMatchObject({ meanMajorityShare: 0.25, abstentions: 3 });
    expect(await share("--answers", "any")).toMatchObject({ meanMajorityShare: 0.75, abstentions: 0 });
  });

  it("does not overwrite what it reads", async () => {
    const { code, stderr } = await run("vote", await write("rows.jsonl", rows), "--out", "./rows.jsonl");
    expect({ code, stderr }).toEqual({ code: 2, stderr: "selftrain: --out ./rows.jsonl is the file that is read; name another\n" });
  });
});

describe("help and version", () => {
  it("prints the version of the package", async () => {
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
    expect(await run("--version")).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("documents keys, defaults and their source", async () => {
    const { code, stdout } = await run("train", "--help");
    expect(code).toBe(0);
    const text = stdout.replace(/\s+/g, " ");
    expect(text).toContain("--kl-coefficient <number> Weight of the KL penalty (paper, appendix B.3). (a number of at least 0; default: 0.001)");
  });

  it("answers no command with help and exit code 2", async () => {
    const { code, stderr } = await run();
    expect(code).toBe(2);
    expect(stderr).toContain("Usage: selftrain");
  });
});

describe("examples", () => {
  it("are the same run but for the line of the reward", async () => {
    const [srt, control] = await Promise.all(["srt", "ground-truth"].map((name) => readFile(join(root, "examples", `${name}.yaml`), "utf8")));
    expect(control!.split("\n").flatMap((line, index) => (line === srt!.split("\n")[index] ? [] : [line]))).toEqual(["reward: ground-truth"]);
    const config = parseConfig(srt!, "srt.yaml");
    expect(config.reward).toBe("majority");
    expect(parseConfig(control!, "ground-truth.yaml")).toEqual({ ...config, reward: "ground-truth" });
  });
});
