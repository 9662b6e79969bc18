import { describe, expect, it } from "vitest";
import { commandLine, mergeJobs, trainJob } from "./job.ts";

describe("jobs", () => {
  it("are written as they are typed into a shell", () => {
    const job = trainJob("a", { train: "task:chain/3-8", template: "{problem} isn't", "learning-rate": 5e-4 });
    expect(commandLine(job)).toBe("npx selftrain train base.yaml --train task:chain/3-8 --template '{problem} isn'\\''t' --learning-rate 0.0005 --out runs/a");
  });

  it("of several figures are each there once, after those that they read", () => {
    const [a, b, c] = [trainJob("a", {}), trainJob("b", {}, ["a"]), trainJob("c", {}, ["b"])];
    expect(mergeJobs([[c, b], [a, b]]).map(({ name }) => name)).toEqual(["a", "b", "c"]);
  });

  it("of one name are one command, and read what is there", () => {
    expect(() => mergeJobs([[trainJob("a", { seed: 1 })], [trainJob("a", { seed: 2 })]])).toThrow("two jobs are called a");
    expect(() => mergeJobs([[trainJob("b", {}, ["a"])]])).toThrow("b reads a, which no figure makes");
  });
});
