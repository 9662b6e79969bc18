import { describe, expect, it } from "vitest";
import { assertDisjoint, assertDistinct, assertSameQuestions, describeRepeats, describeShared } from "./checks.ts";

const problem = (id: string, source = "x", prompt = id) => ({ id, prompt, source });

describe("assertDisjoint", () => {
  it("accepts two sets without a common id", () => {
    expect(() => assertDisjoint([problem("a")], [problem("b", "y")])).not.toThrow();
  });
  it("refuses a held-out problem that is trained on", () => {
    expect(() => assertDisjoint([problem("a"), problem("b")], [problem("b", "y")])).toThrow(
      "the held-out problem `b` of y is also a training problem (x); remove it from one of them.",
    );
  });
});

describe("assertDistinct", () => {
  it("refuses an id that two sources share", () => {
    expect(() => assertDistinct([problem("a"), problem("b"), problem("c", "y")])).not.toThrow();
    expect(() => assertDistinct([problem("a"), problem("b"), problem("a", "y")])).toThrow("the id `a` occurs in x and in y; ids must be distinct over all sources of `train`.");
  });
});

describe("assertSameQuestions", () => {
  it("lets stages share questions, but no id for two of them", () => {
    expect(() => assertSameQuestions([problem("a"), problem("b"), problem("a", "y")])).not.toThrow();
    expect(() => assertSameQuestions([problem("a"), problem("a", "y", "other")])).toThrow(
      "the id `a` stands for one question in x and for another in y; stages may share questions, but an id must name one.",
    );
  });
});

describe("questions with the same text", () => {
  const training = [problem("a"), problem("b", "x", "a"), problem("c"), problem("d", "x", "a")];

  it("are counted within a set, with an example", () => {
    expect(describeRepeats(training, "training")).toBe("2 of 4 training questions repeat the text of another (the first is `b`, which repeats `a`).");
    expect(describeRepeats(training.slice(0, 1), "held-out")).toBeNull();
  });

  it("are counted between training and held-out questions", () => {
    expect(describeShared(training, [problem("e"), problem("f", "y", "c")])).toBe(
      "1 of 2 held-out questions have the text of a training question (the first is `f`, which repeats `c`), so their scores say little.",
    );
    expect(describeShared(training, [problem("e")])).toBeNull();
  });
});
