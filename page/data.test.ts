import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { EvaluationPoint, RunOverview } from "../src/watch/protocol.ts";
import { createReader, type RunData } from "./data.ts";

/** The server's side of one run: the values of its only column, and its evaluations. */
let values: number[];
let points: Pick<EvaluationPoint, "kind" | "step">[];
let asked: string[];
/** While it is set, answers wait for it. */
let gate: Promise<void> | null;

beforeEach(() => {
  [values, points, asked, gate] = [[], [], [], null];
  vi.stubGlobal("fetch", async (path: string) => {
    asked.push(path);
    const waits = gate;
    const answer = path.includes("evaluations") ? JSON.stringify(points) : Float32Array.from(values.slice(Number(/from=(\d+)/.exec(path)![1])));
    await waits;
    return new Response(answer);
  });
});
afterEach(() => vi.unstubAllGlobals());

const overview = (revision: number): RunOverview => ({ id: "a", revision, step: values.length, evaluations: points.length }) as RunOverview;

function reader(): { readonly read: (run?: RunOverview) => void; readonly all: RunData[]; readonly errors: string[] } {
  const all: RunData[] = [];
  const errors: string[] = [];
  const { update } = createReader(["kl"], (news) => all.push(...news.values()), (sentence) => errors.push(sentence));
  return { read: (run = overview(0)) => update(run), all, errors };
}

const columnOf = (data: RunData | undefined): number[] => [...(data?.columns.get("kl") ?? [])];

it("reads on where it ended, and evaluations only when there are more", async () => {
  const { read, all } = reader();
  values = [1, 2];
  points = [{ kind: "evaluation", step: 0 }, { kind: "validation", step: 0 }];
  read();
  await vi.waitFor(() => expect(columnOf(all.at(-1))).toEqual([1, 2]));
  expect(all.at(-1)!.evaluations).toEqual([{ kind: "evaluation", step: 0 }]);
  expect(all.at(-1)!.validations).toEqual([{ kind: "validation", step: 0 }]);
  values.push(3);
  read();
  await vi.waitFor(() => expect(columnOf(all.at(-1))).toEqual([1, 2, 3]));
  expect(asked).toEqual(["api/runs/a/steps?columns=kl&from=0", "api/runs/a/evaluations", "api/runs/a/steps?columns=kl&from=2"]);
  read();
  expect(asked).toHaveLength(3);
});

it("tells of what comes in together at once, and does not wait for what is late", async () => {
  const told: string[][] = [];
  const { update } = createReader(["kl"], (news) => told.push([...news.keys()]), () => undefined);
  values = [1];
  for (const id of ["a", "b", "c"]) update({ ...overview(0), id });
  await vi.waitFor(() => expect(told.flat()).toHaveLength(3));
  expect(told).toEqual([["a", "b", "c"]]);
  let open: () => void = () => undefined;
  update({ ...overview(0), id: "quick" });
  gate = new Promise((resolve) => (open = resolve));
  update({ ...overview(0), id: "late" });
  await vi.waitFor(() => expect(told).toHaveLength(2));
  expect(told[1]).toEqual(["quick"]);
  open();
  await vi.waitFor(() => expect(told[2]).toEqual(["late"]));
});

it("reads all anew after a resumption, and drops an answer that it overtook", async () => {
  const { read, all } = reader();
  values = [1, 2, 3];
  let open: () => void = () => undefined;
  gate = new Promise((resolve) => (open = resolve));
  read();
  values = [1, 9];
  read(overview(1));
  open();
  await vi.waitFor(() => expect(all).toHaveLength(1));
  expect(all[0]!.revision).toBe(1);
  expect(columnOf(all[0])).toEqual([1, 9]);
});

it("says what the server refused in its own sentence, and tries again at the next news", async () => {
  const { read, all, errors } = reader();
  values = [1];
  const answering = fetch;
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(JSON.stringify({ error: "There is no run of this id here." }), { status: 404 })));
  read();
  await vi.waitFor(() => expect(errors).toEqual(["There is no run of this id here."]));
  vi.stubGlobal("fetch", answering);
  read();
  await vi.waitFor(() => expect(columnOf(all.at(-1))).toEqual([1]));
});
