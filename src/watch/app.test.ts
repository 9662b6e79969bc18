import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recordRun, startWatched } from "../../test/watched.ts";
import type { Watched } from "../../test/watched.ts";
import { createFakePolicy } from "../../test/fake-policy.ts";
import type { MetricsLine, SampleRow, StepMetrics, VotesLine } from "../run/index.ts";
import type { Comparison, EvaluationPoint, InspectedProblem, ProblemOverview, RunAbout, RunOverview } from "./protocol.ts";

let folder: string;
let server: Watched;
let whole: string;
let runs: readonly RunOverview[];
const named = (name: string): RunOverview => runs.find((run) => run.name === name)!;
const linesOf = async (file: string): Promise<unknown[]> => (await readFile(file, "utf8")).trim().split("\n").map((line) => JSON.parse(line) as unknown);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "watch-"));
  whole = await recordRun(folder, "whole");
  await recordRun(folder, "deep/down/other", { config: { seed: 12 }, policy: createFakePolicy({ seed: 6 }) });
  await writeFile(join(folder, "secret.txt"), "not for the page");
  server = await startWatched([folder], { page: null });
  runs = await server.runs();
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

it("lists the runs of a folder and those some levels below", () => {
  expect(runs.map(({ name }) => name)).toEqual(["other", "whole"]);
  expect(named("whole")).toMatchObject({ state: "complete", step: 12, steps: 12, reward: "majority", evaluations: 5, recordings: 6, revision: 0, note: null, secondsLeft: null });
});

it("gives columns of steps as they are in the metrics, from a step on", async () => {
  const steps = (await linesOf(join(whole, "metrics.jsonl"))).filter((line): line is StepMetrics => (line as MetricsLine).kind === "step");
  const answer = await server.get(`/api/runs/${named("whole").id}/steps?columns=kl,flipRate,seconds&from=7`);
  const view = new DataView(await answer.arrayBuffer());
  const values = Array.from({ length: view.byteLength / 4 }, (_, index) => view.getFloat32(4 * index, true));
  const expected = [steps.map(({ kl }) => kl), steps.map(({ flipRate }) => flipRate ?? NaN), steps.map(({ timing }) => timing.seconds)];
  expect(values).toEqual(expected.flatMap((column) => column.slice(7)).map(Math.fround));
});

it("gives the signs of collapse as columns, by the keys that the limits have", async () => {
  const steps = (await linesOf(join(whole, "metrics.jsonl"))).filter((line): line is StepMetrics => (line as MetricsLine).kind === "step");
  const { id, health } = named("whole");
  const tokenKl = new Float32Array(await (await server.get(`/api/runs/${id}/steps?columns=tokenKl`)).arrayBuffer());
  const mean = (first: number) => steps.slice(first, first + 8).reduce((total, { kl, meanLength }) => total + kl / meanLength / 8, 0);
  // Over the eight steps that end with a step: the first seven have none.
  expect([...tokenKl]).toEqual([...Array.from({ length: 7 }, () => NaN), ...[0, 1, 2, 3, 4].map((first) => expect.closeTo(mean(first), 6) as number)]);
  expect(health.signs.map(({ key }) => key)).toEqual(["lostSupport", "lostSureness", "answerExcess", "tokenKl", "abstentionRate"]);
  expect(health.signs[3]).toMatchObject({ value: expect.closeTo(mean(4), 12) as number, start: expect.closeTo(mean(0), 12) as number, limit: Math.max(0.8, 8 * health.signs[3]!.start!) });
});

it("gives evaluations, config, environment and path", async () => {
  const { id } = named("whole");
  const evaluations = await server.json<readonly EvaluationPoint[]>(`/api/runs/${id}/evaluations`);
  expect(evaluations.map(({ step }) => step)).toEqual([0, 3, 6, 9, 12]);
  const about = await server.json<RunAbout>(`/api/runs/${id}/about`);
  expect(about.config).toContainEqual(["start-votes", "4"]);
  expect(about.config).toContainEqual(["teacher.decay", "0.99"]);
  expect(about.chosen).toContain("start-votes");
  expect(about.chosen).not.toContain("teacher.decay");
  expect(about.environment).toContainEqual(["platform", "test"]);
  expect(about.path).toBe(whole);
});

it("shows a recorded step as the votes and the recording have it", async () => {
  const base = `/api/runs/${named("whole").id}/recordings`;
  expect(await server.json(base)).toEqual([2, 4, 6, 8, 10, 12]);
  const problems = await server.json<readonly ProblemOverview[]>(`${base}/12`);
  const votes = (await linesOf(join(whole, "votes.jsonl"))) as VotesLine[];
  const line = votes[11]!;
  const before = new Map(votes.slice(0, 11).flatMap((earlier) => earlier.votes.map(([id, answer]) => [id, answer] as const)));
  expect(problems.map(({ id, pseudoLabel, shareOfAll, flipped }) => [id, pseudoLabel, shareOfAll, flipped])).toEqual(
    line.votes.map(([id, answer, share]) => [id, answer, share, before.has(id) ? before.get(id) !== answer : null]),
  );
  for (const { id, truth, majorityCorrect, pseudoLabel } of problems) {
    expect(truth).toBe(String(Number(id.replace(/^1\+|=$/g, "")) % 10));
    expect(majorityCorrect).toBe(pseudoLabel === null ? null : pseudoLabel === truth);
  }
  const opened = await server.json<InspectedProblem>(`${base}/12/1`);
  expect(opened).toMatchObject(problems[1]!);
  expect(opened.completions).toHaveLength(8);
  expect(opened.groups.map(({ count }) => count).reduce((sum, count) => sum + count, 0)).toBe(8 - opened.abstentions);
  for (const { text, answer, answerAt, tokenEnds, logprobs, group } of opened.completions) {
    expect(answer).toBe(answerAt && text.slice(answerAt.start, answerAt.end));
    expect(tokenEnds).toHaveLength(logprobs.length);
    expect(tokenEnds!.at(-1)).toBe(text.length);
    expect(group === null ? null : opened.groups[group]!.answer).toBe(answer);
  }
});

describe("a recording with answers of many spellings", () => {
  const row = { step: 12, problem: "p", prompt: "?".repeat(300), text: "x", status: "trained", pseudoLabel: "1/2", reward: 1, advantage: 0, kl: 0, stopReason: "stop", tokens: [1], logprobs: [-1], truth: "0.5" };
  const written = ["1/2", "0.5", "1/2", "x=\\frac12", "2", null].map((answer, sample) => ({ ...row, sample, answer, class: answer === null ? null : answer === "2" ? 1 : 0 }));

  it.each([true, false])("names the rule by which each is of its class (with its new columns: %s)", async (recent) => {
    const run = join(folder, `spelled-${recent}`);
    await mkdir(join(run, "samples"), { recursive: true });
    await writeFile(join(run, "config.yaml"), "steps: 12\n");
    const columns = Object.keys(row).concat("sample", "answer", "class").filter((name) => recent || name !== "truth") as (keyof (typeof written)[0])[];
    const bytes = parquetWriteBuffer({ columnData: columns.map((name) => ({ name, data: written.map((each) => each[name]), nullable: name === "answer" || name === "class" })) });
    await writeFile(join(run, "samples", "step-000012.parquet"), new Uint8Array(bytes));
    const other = await startWatched([run]);
    const [overview] = await other.runs();
    const [listed] = await other.json<readonly ProblemOverview[]>(`/api/runs/${overview!.id}/recordings/12`);
    const opened = await other.json<InspectedProblem>(`/api/runs/${overview!.id}/recordings/12/0`);
    await other.close();
    expect(listed).toMatchObject({ truth: recent ? "0.5" : null, majorityCorrect: recent ? true : null, shareOfAll: 4 / 6, classes: 2, abstentions: 1, tied: false, flipped: null });
    expect(listed!.prompt).toHaveLength(200);
    expect(opened.prompt).toHaveLength(300);
    expect(opened.completions[0]).toMatchObject({ tokenEnds: null, answerAt: null, tokens: 1, logprobs: [-1] });
    expect(opened.groups.map(({ answer, count, correct }) => [answer, count, correct])).toEqual([["1/2", 4, recent ? true : null], ["2", 1, recent ? false : null]]);
    expect(opened.groups[0]!.spellings).toEqual([
      { text: "1/2", count: 2, rule: "same text" },
      { text: "0.5", count: 1, rule: "equal as mathematics" },
      { text: "x=\\frac12", count: 1, rule: "A named value is its value." },
    ]);
  });
});

it("compares two runs: what differs, and paired differences at their common steps", async () => {
  const { config, differences, reason } = await server.json<Comparison>(`/api/compare?first=${named("whole").id}&second=${named("other").id}`);
  expect(reason).toBeNull();
  expect(config.filter(({ differs }) => differs)).toEqual([{ key: "seed", first: "11", second: "12", differs: true }]);
  const [one, other] = await Promise.all(["whole", "other"].map((name) => server.json<readonly EvaluationPoint[]>(`/api/runs/${named(name).id}/evaluations`)));
  expect(differences.map(({ step }) => step)).toEqual([0, 3, 6, 9, 12]);
  differences.forEach(({ passAt1, majAtK, problems }, index) => {
    expect(problems).toBe(5);
    expect(passAt1.difference).toBeCloseTo(other![index]!.passAt1 - one![index]!.passAt1, 12);
    expect(majAtK.difference).toBeCloseTo(other![index]!.majAtK - one![index]!.majAtK, 12);
    expect(passAt1.low <= passAt1.difference && passAt1.difference <= passAt1.high).toBe(true);
  });
});

describe("what can't be had gets one sentence", () => {
  const cases: readonly (readonly [path: (id: string) => string, status: number, sentence: string])[] = [
    [() => "/api/nothing", 404, "GET /api/nothing is no call of this server."],
    [() => "/api/runs/0000/about", 404, "no run of this id"],
    [() => "/api/runs/..%2F..%2Fsecret.txt/about", 404, "no run of this id"],
    [(id) => `/api/runs/${id}/recordings/3`, 404, "The samples of step 3 are not recorded"],
    [(id) => `/api/runs/${id}/recordings/..%2F..%2Fconfig`, 400, "`step` is `../../config`; expected a whole number."],
    [(id) => `/api/runs/${id}/recordings/2/4`, 404, "Step 2 has 4 problems; there is none of number 4."],
    [(id) => `/api/runs/${id}/steps?columns=kl,path`, 400, "`columns` names `path`"],
    [(id) => `/api/runs/${id}/steps?columns=kl&from=-1`, 400, "`from` is `-1`"],
    [(id) => `/api/compare?first=${id}`, 404, "no run of this id"],
    [() => "/", 503, "The page is not built"],
  ];
  it.each(cases)("%s", async (path, status, sentence) => {
    const answer = await server.get(path(named("whole").id));
    expect(answer.status).toBe(status);
    expect(((await answer.json()) as { error: string }).error).toContain(sentence);
  });
});

describe("the page's files", () => {
  let page: Watched;
  beforeAll(async () => {
    await mkdir(join(folder, "page", "assets"), { recursive: true });
    await writeFile(join(folder, "page", "index.html"), "<!doctype html>");
    await writeFile(join(folder, "page", "assets", "main.js"), "1");
    page = await startWatched([whole], { page: join(folder, "page") });
  });
  afterAll(() => page.close());

  it("are served with a policy that lets nothing in from elsewhere", async () => {
    const index = await page.get("/");
    expect(await index.text()).toBe("<!doctype html>");
    expect(index.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(index.headers.get("content-security-policy")).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; .*base-uri 'none'.*frame-ancestors 'none'$/);
    expect(index.headers.get("x-content-type-options")).toBe("nosniff");
    expect((await page.get("/assets/main.js")).headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  });

  it.each(["/../secret.txt", "/assets/../../secret.txt", "/..%2Fsecret.txt", "/%2e%2e/secret.txt", "//etc/passwd", "/assets/..%5c..%5csecret.txt"])("don't include %s", async (path) => {
    const { status, body } = await page.raw(path);
    expect(status).toBe(404);
    expect(body).not.toContain("not for the page");
  });

  it("are not for who asks for another name than this machine's", async () => {
    expect((await page.raw("/api/runs", { host: "evil.example" })).status).toBe(403);
    expect((await page.raw("/", { host: "evil.example:80" })).body).toContain("answers only as localhost");
    expect((await page.raw("/api/runs", { host: "localhost:1" })).status).toBe(200);
  });
});

describe("a directory that is not whole", () => {
  const cases: readonly (readonly [string, (path: string) => Promise<void>, Partial<RunOverview>, string])[] = [
    ["without a config", (path) => rm(join(path, "config.yaml")), { step: 12 }, "config.yaml"],
    ["with a broken config", (path) => writeFile(join(path, "config.yaml"), "a: [", "utf8"), { step: 12 }, "config.yaml is not valid YAML"],
    ["with a damaged summary", (path) => writeFile(join(path, "summary.json"), "{"), { step: 12 }, "summary.json is damaged"],
    ["with a damaged line", (path) => appendFile(join(path, "metrics.jsonl"), "{\n"), { step: 12 }, "Line 18 of metrics.jsonl is damaged"],
    ["with something else in its metrics", (path) => appendFile(join(path, "metrics.jsonl"), "[]\n"), { step: 12 }, "where step 13 is due"],
    ["without metrics", (path) => rm(join(path, "metrics.jsonl")), { step: 0 }, ""],
    ["with a folder where metrics should be", async (path) => {
      await rm(join(path, "metrics.jsonl"));
      await mkdir(join(path, "metrics.jsonl"));
    }, { step: 0 }, "can't be read"],
  ];
  it.each(cases)("%s gives a run with a note", async (title, damage, expected, note) => {
    const path = await recordRun(folder, `damaged/${title}`);
    await damage(path);
    const other = await startWatched([path]);
    const [run] = await other.runs();
    expect(run).toMatchObject(expected);
    expect(run!.note ?? "").toContain(note);
    expect((await other.get(`/api/runs/${run!.id}/steps?columns=kl`)).status).toBe(200);
    await other.close();
  });

  it("has a damaged recording that is refused, and no other", async () => {
    const path = await recordRun(folder, "damaged/recording");
    await writeFile(join(path, "samples", "step-000004.parquet"), "PAR1 nonsense PAR1");
    const other = await startWatched([path]);
    const [run] = await other.runs();
    expect((await other.get(`/api/runs/${run!.id}/recordings/4`)).status).toBe(422);
    expect((await other.get(`/api/runs/${run!.id}/recordings/2`)).status).toBe(200);
    await other.close();
  });
});

it("reads a recording as another reader of Parquet does", async () => {
  const bytes = await readFile(join(whole, "samples", "step-000002.parquet"));
  const rows = (await parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) })) as unknown as readonly SampleRow[];
  const opened = await server.json<InspectedProblem>(`/api/runs/${named("whole").id}/recordings/2/3`);
  expect(opened.completions.map(({ text, reward, logprobs }) => ({ text, reward, logprobs }))).toEqual(rows.slice(24).map(({ text, reward, logprobs }) => ({ text, reward, logprobs: Array.from(logprobs) })));
});
