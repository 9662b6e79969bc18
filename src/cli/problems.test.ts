import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { configSchema } from "../config.ts";
import type { ConfigInput } from "../config.ts";
import { hubAccess } from "../hub/index.ts";
import { loadRunProblems, loadTrainingQuestions } from "./problems.ts";

let folder = "";
let train = "";
let heldOut = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "selftrain-problems-"));
  train = await write("train.jsonl", '{"id": "a", "problem": "1+1=", "answer": "2"}\n{"id": "b", "problem": "2+2=", "answer": "4"}\n');
  heldOut = await write("held-out.jsonl", '{"id": "c", "problem": "3+3=", "answer": "6"}\n');
});
afterAll(() => rm(folder, { recursive: true }));

async function write(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

/** Loads with a renderer whose tokens are characters. */
async function load(input: Partial<ConfigInput>) {
  const warnings: string[] = [];
  const renderer = { encodePrompt: (prompt: string) => Array.from(prompt, () => 0) };
  const problems = await loadRunProblems(configSchema.parse({ train, heldOut, ...input }), { renderer, hub: hubAccess({}), warn: (message) => warnings.push(message.replaceAll(`${folder}/`, "")) });
  return { ...problems, warnings };
}

describe("loadRunProblems", () => {
  it("keeps answers away from training, whatever the data holds", async () => {
    const files = await load({});
    expect(files.training).toEqual([{ id: "a", prompt: "1+1=", source: train }, { id: "b", prompt: "2+2=", source: train }]);
    expect(files.heldOut).toEqual([{ id: "c", prompt: "3+3=", answer: "6", source: heldOut }]);
    expect(files.warnings).toEqual([]);
    expect(files.sources).toEqual([train, heldOut].map((source) => ({ source, pinned: source, files: [source] })));

    const task = await load({ train: "task:chain/5", trainProblems: 8, heldOut: "task:chain/5", heldOutProblems: 4 });
    expect(task.training).toHaveLength(8);
    for (const problem of task.training) expect(Object.keys(problem).sort()).toEqual(["id", "prompt", "source", "template"]);
    expect(task.heldOut).toHaveLength(4);
    expect(task.sources).toEqual([]);
  });

  it("knows the true answers apart from the problems, for the rewards that say so and for metrics", async () => {
    const problems = await load({ reward: "ground-truth" });
    expect(problems.training).toEqual((await load({})).training);
    expect(problems.truth).toEqual(new Map([["a", "2"], ["b", "4"]]));
  });

  it("wants answers where they are used", async () => {
    const bare = await write("bare.jsonl", '{"problem": "1+1="}\n');
    await expect(load({ train: bare })).resolves.toMatchObject({ training: [{ prompt: "1+1=" }] });
    await expect(load({ train: bare, reward: "ground-truth" })).rejects.toThrow("line 1 has no answer");
    await expect(load({ heldOut: bare })).rejects.toThrow("line 1 has no answer");
  });

  it("asks a probe of a task what neither measures nor is trained on, and of a file without its answers", async () => {
    const { probe, heldOut: measuring } = await load({ train: "task:chain/5", trainProblems: 8, heldOut: "task:chain/3-4", heldOutProblems: 200, probe: { source: "task:chain/3", problems: 50 }, startVotes: 4 });
    expect(probe).toHaveLength(50);
    const measured = new Set(measuring.map(({ id }) => id));
    expect(probe.filter(({ id }) => measured.has(id))).toEqual([]);
    for (const problem of probe) expect(problem).not.toHaveProperty("answer");
    expect((await load({ probe: { source: heldOut }, startVotes: 4 })).probe).toEqual([{ id: "c", prompt: "3+3=", source: heldOut }]);
    expect((await load({})).probe).toEqual([]);
  });

  it("leaves out prompts that are too long, and says how many", async () => {
    const long = await write("long.jsonl", '{"id": "d", "problem": "1+1+1+1=", "answer": "4"}\n{"id": "e", "problem": "5+5=", "answer": "10"}\n');
    const { training, heldOut: kept, warnings } = await load({ train: long, heldOut: long.replace("long", "held-out"), maxPromptTokens: 7 });
    expect([training.map(({ id }) => id), kept.map(({ id }) => id)]).toEqual([["e"], ["c"]]);
    expect(warnings).toEqual(["1 of 2 questions of long.jsonl have prompts of more than 7 tokens (`max-prompt-tokens`) and are left out."]);
    expect((await load({ heldOut: long, maxPromptTokens: 7 })).heldOut.map(({ id }) => id)).toEqual(["e"]);
  });

  it("tells of a held-out question with the text of a training question", async () => {
    const copy = await write("copy.jsonl", '{"id": "x", "problem": "2+2=", "answer": "4"}\n');
    expect((await load({ heldOut: copy })).warnings).toEqual([expect.stringContaining("1 of 1 held-out questions have the text of a training question (the first is `x`, which repeats `b`)")]);
  });
});

describe("several sources", () => {
  const rows = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `{"id": "${prefix}${index}", "problem": "${prefix}${index}+1=", "answer": "0"}\n`).join("");
  const ids = async (input: Partial<ConfigInput>) => (await load(input)).training.map(({ id }) => id).join(" ");
  let p = "";
  let q = "";
  beforeAll(async () => {
    p = await write("p.jsonl", rows("p", 6));
    q = await write("q.jsonl", rows("q", 2));
  });

  it("are taken whole without weights", async () => {
    expect(await ids({ train: [p, { source: q }] })).toBe("p0 p1 p2 p3 p4 p5 q0 q1");
  });

  it("are cut to the proportions of their weights", async () => {
    expect(await ids({ train: [{ source: p, weight: 2 }, q] })).toBe("p0 p1 p2 p3 q0 q1");
    expect(await ids({ train: [{ source: p, weight: 2 }, q], trainProblems: 3, promptsPerStep: 1 })).toBe("p0 p1 q0");
    await expect(ids({ train: [p, { source: q, weight: 3 }], trainProblems: 4, promptsPerStep: 1 })).rejects.toThrow("q.jsonl holds fewer rows (2) than were asked for (3).");
  });

  it("may be of different kinds, and keep their labels", async () => {
    const { training, truth } = await load({ train: ["task:chain/5", p], trainProblems: 4, reward: "ground-truth" });
    expect(training.map(({ source }) => source)).toEqual(["task:chain/5", "task:chain/5", p, p]);
    expect([...truth.keys()]).toEqual(training.map(({ id }) => id));
  });

  it("must not share ids", async () => {
    const same = await write("same.jsonl", rows("p", 1));
    await expect(ids({ train: [p, same] })).rejects.toThrow(`the id \`p0\` occurs in ${p} and in ${same}; ids must be distinct over all sources of \`train\`.`);
  });
});

describe("stages", () => {
  it("follow each other and may share questions, as the easiest ones and all of them do", async () => {
    const hard = await write("all.jsonl", '{"id": "a", "problem": "1+1="}\n{"id": "d", "problem": "4+4="}\n');
    const { training, stages, warnings } = await load({ train: [{ source: train, steps: 3 }, hard], promptsPerStep: 1 });
    expect(training.map(({ id }) => id)).toEqual(["a", "b", "a", "d"]);
    expect(stages).toEqual([{ problems: 2, steps: 3 }, { problems: 2, steps: Infinity }]);
    expect(warnings).toEqual([]);
    expect((await load({})).stages).toEqual([{ problems: 2, steps: Infinity }]);
  });

  it("must not give one id to two questions", async () => {
    const other = await write("other.jsonl", '{"id": "a", "problem": "5+5="}\n');
    await expect(load({ train: [{ source: train, steps: 3 }, other] })).rejects.toThrow("the id `a` stands for one question in");
  });
});

it("without `held-out` holds nothing out", async () => {
  expect((await load({ heldOut: "" })).heldOut).toEqual([]);
});

it("gives uses that measure the questions once each, with the answers that are known", async () => {
  const some = await write("some.jsonl", '{"id": "a", "problem": "1+1="}\n{"id": "d", "problem": "4+4=", "answer": 8}\n');
  const config = configSchema.parse({ train: [{ source: some, steps: 1 }, some], steps: 2 });
  expect(await loadTrainingQuestions(config, { renderer: { encodePrompt: () => [0] }, hub: hubAccess({}), warn: () => undefined })).toEqual([
    { id: "a", prompt: "1+1=", source: some },
    { id: "d", prompt: "4+4=", source: some, answer: "8" },
  ]);
});
