import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Evaluation } from "../evaluate.ts";
import type { StepMetrics } from "../run/index.ts";
import type { StepReport } from "../types.ts";
import { createProgress, evaluationLine, progressLine, secondsLeft } from "./progress.ts";
import { createTerminal } from "./terminal.ts";

const metricsOf = (step: number) =>
  ({ step, pseudoReward: 0.6125, majorityShareOfAll: 0.632, kl: 0.0412, timing: { seconds: 2, tokensPerSecond: 8210.4 } }) as StepMetrics;
const report = {} as StepReport;

describe("lines", () => {
  it("show a step", () => {
    expect(progressLine(metricsOf(7), 80, 96)).toBe("step  7/80  1:36 left  pseudo-reward 0.61  majority 63 %  KL 0.041  8.2K tok/s");
    const widest = { ...metricsOf(80), pseudoReward: 1, majorityShareOfAll: 1, kl: 9.9994, timing: { tokensPerSecond: 123_456 } } as StepMetrics;
    expect(progressLine(widest, 80, 599)).toHaveLength(79);
    expect(progressLine({ ...metricsOf(7), kl: -0.0001 }, 80, 96)).toContain("KL 0.000 ");
    expect(progressLine({ ...metricsOf(7), pseudoReward: null }, 80, 96)).toContain("pseudo-reward none");
  });

  it("show an evaluation", () => {
    const evaluation = { passAt1: 0.521, standardError: 0.023, majAtK: 0.719, majStandardError: 0.04, k: 16, problems: 128 } as Evaluation;
    expect(evaluationLine(10, 80, evaluation)).toBe("step 10/80  pass@1 52.1 % ± 2.3  maj@16 71.9 % ± 4.0  128 held-out questions");
  });
});

it("expects the rest to take as long as the steps so far, counted from a resume", () => {
  expect(secondsLeft({ firstStep: 1, startedAt: 100 }, 4, 10, 108)).toBe(12);
  expect(secondsLeft({ firstStep: 41, startedAt: 0 }, 50, 80, 20)).toBe(60);
});

describe("createProgress", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const record = (isTTY: boolean) => {
    const written: string[] = [];
    let now = 0;
    const terminal = createTerminal({ isTTY, columns: 120, write: (text) => written.push(text) }, { NO_COLOR: "1" });
    const progress = createProgress(20, terminal, () => now);
    return { written, progress, step: (step: number, at: number) => { now = at; progress.observer.stepped?.(report, metricsOf(step)); }, at: (time: number) => (now = time) };
  };

  it("reports steps to a pipe now and then, and always the last", () => {
    const { written, progress, step } = record(false);
    for (let number = 1; number <= 20; number++) step(number, 2 * number);
    progress.close();
    expect(written.map((line) => /^step +(\d+)/.exec(line)?.[1])).toEqual(["1", "6", "11", "16", "20"]);
    expect(written[1]).toContain("0:28 left  ");
  });

  it("lets the time left tick on a live terminal between steps", () => {
    const { written, progress, step, at } = record(true);
    step(1, 2);
    expect(written.at(-1)).toContain("0:38 left");
    at(5);
    vi.advanceTimersByTime(1000);
    expect(written.at(-1)).toContain("0:35 left");
    progress.close();
    const after = written.length;
    vi.advanceTimersByTime(5000);
    expect(written).toHaveLength(after);
  });
});
