import { describe, expect, it } from "vitest";
import { answerExcess, collapseAlarm, describeAlarm, driftOf, lastAtRest, lostSureness, startSupport, toldApart, WINDOW } from "./collapse.ts";
import type { Comparison, Signals } from "./collapse.ts";

const compare = (first: string | null, now: string | null, firstShare = 1, nowShare = 1): Comparison => ({ first, now, same: first === now, firstShare, nowShare, taught: false });
const step = (number: number, comparisons: readonly Comparison[], tokenKl = 0.1, abstentionRate = 0): Signals => ({ step: number, tokenKl, abstentionRate, drift: driftOf(comparisons), probe: null });
/** A run of so many steps, each made by its number from 1. */
const run = (steps: number, make: (number: number) => Signals) => Array.from({ length: steps }, (_, index) => make(index + 1));
const agreeing = ["1", "2", "3", "4"].map((answer) => compare(answer, answer));

describe("the signs", () => {
  it("excess: the largest gain of one answer, as a share of the problems, by hand", () => {
    // "7" gains two problems and loses one; "1" and "2" lose one each; "3" gains one.
    const comparisons = [compare("1", "7"), compare("2", "7"), compare("7", "3"), compare("4", "4")];
    expect(answerExcess([step(1, comparisons)])).toBe(1 / 4);
    expect(answerExcess([step(1, agreeing)])).toBe(0);
    expect(answerExcess([step(1, [])])).toBeNull();
  });

  it("lost sureness: weighed by the first model's share above .3 and by the share now, by hand", () => {
    // Weights .5, .6, .1 and 0; changed are the first, of which 80 % agree now, the third (50 %), and the last.
    const comparisons = [compare("1", "2", 0.8, 0.8), compare("1", "1", 0.9), compare("1", "3", 0.4, 0.5), compare("1", "4", 0.3)];
    const window = [1, 2, 3].map((number) => step(number, comparisons));
    expect(lostSureness(window)).toBeCloseTo((0.5 * 0.8 + 0.1 * 0.5) / 1.2, 12);
    // Three problems of which the first model was wholly sure are too few to tell.
    expect(lostSureness([step(1, [compare("1", "2"), compare("1", "2"), compare("1", "2")])])).toBeNull();
  });

  it("lost sureness: a label that was given is learned, not lost", () => {
    expect(lostSureness([step(1, [{ ...compare("1", "2"), taught: true }, ...agreeing])])).toBe(0);
  });
});

describe("a probe", () => {
  it("support: the share of samples with the first model's answer, weighed by its share above .3, by hand", () => {
    // Weights .7, .7, .7, .7, .2 and 0.
    const sure = [1, 1, 0.75, 0.5].map((support) => ({ firstShare: 1, support }));
    const { support, variance } = startSupport([...sure, { firstShare: 0.5, support: 0.25 }, { firstShare: 0.2, support: 1 }], 4)!;
    expect(support).toBeCloseTo((0.7 * 3.25 + 0.2 * 0.25) / 3, 12);
    // Of four samples, three quarters have a variance of 3/16 over 3, and a half of 1/4 over 3.
    expect(variance).toBeCloseTo((0.49 * (3 / 16 + 1 / 4) / 3 + 0.04 * (3 / 16) / 3) / 9, 12);
    // Three problems of which the first model was wholly sure are too few to tell.
    expect(startSupport(sure.slice(0, 3), 4)).toBeNull();
  });

  describe("whose support falls, asked every second step,", () => {
    const supports = [0.6, 0.7, 0.75, 0.75, 0.74, 0.71, 0.679, 0.5];
    const history = (error: number, comparisons = agreeing) =>
      run(16, (number) => {
        const probes = supports.slice(0, Math.floor(number / 2));
        const best = Math.max(...probes);
        const probe = number % 2 === 1 ? null : { support: probes.at(-1)!, error, best, bestStep: 2 * (probes.lastIndexOf(best) + 1) };
        return { ...step(number, comparisons), probe };
      });
    const firstAlarm = (steps: readonly Signals[]) => steps.map((_, index) => collapseAlarm(steps.slice(0, index + 1))).find((alarm) => alarm !== null);

    it("raises the alarm seven points below its best, and goes back to the step that had it", () => {
      const alarm = firstAlarm(history(0.02))!;
      expect(alarm).toMatchObject({ key: "lostSupport", step: 14, lastHealthy: 8, limit: 0.07 });
      expect(alarm.value).toBeCloseTo(0.071, 12);
      expect(describeAlarm(alarm)).toBe("step 14: support for the answers that the first model was sure of, lost since its best probe, is 0.071, above 0.070");
    });

    it("needs less where the first model's sureness is lost in training too, a quarter of that", () => {
      // Of five problems of equal weight one is given up by 80 %: .16 of the sureness, so that .03 of support are enough.
      expect(firstAlarm(history(0.005, [...agreeing, compare("5", "6", 1, 0.8)]))).toMatchObject({ key: "lostSupport", step: 12, limit: expect.closeTo(0.03, 12) as number });
    });

    it("needs two standard errors where those are more", () => {
      expect(firstAlarm(history(0.04))).toMatchObject({ key: "lostSupport", step: 16, limit: 0.08 });
    });
  });
});

describe("the alarm", () => {
  it("is silent over a run that corrects answers in all directions", () => {
    const corrected = [...agreeing, compare("5", "6", 0.4, 0.5), compare("6", "5", 0.4, 0.5)];
    expect(collapseAlarm(run(200, (number) => step(number, corrected, number < 50 ? number / 100 : 0.5)))).toBeNull();
  });

  it("is raised when answers run into one, with its figures and the last step before them", () => {
    const collapsing = [...agreeing.slice(2), compare("1", "0", 0.3), compare("2", "0", 0.3)];
    const history = (steps: number) => run(steps, (number) => step(number, number <= 20 ? agreeing : collapsing));
    // From step 21 two problems in four: at step 26 a window holds 6 such steps of 8, which is 3/8.
    const raised = Array.from({ length: 40 }, (_, index) => collapseAlarm(history(index + 1))).find((alarm) => alarm !== null)!;
    expect(raised).toEqual({ key: "answerExcess", sign: "one answer's share beyond what the first model gave it", step: 26, lastHealthy: 18, value: 3 / 8, limit: 0.35 });
    expect(raised.lastHealthy).toBe(26 - WINDOW);
    expect(describeAlarm(raised)).toBe("step 26: one answer's share beyond what the first model gave it is 0.38, above 0.35 (over 8 steps)");
  });

  it("says its figures with as many decimals as tell them apart", () => {
    expect(toldApart(0.375, 0.35)).toEqual(["0.38", "0.35"]);
    expect(toldApart(0.1823, 0.18)).toEqual(["0.182", "0.180"]);
    expect(toldApart(0.18000001, 0.18)).toEqual(["0.180000", "0.180000"]);
  });

  it("goes back to before the unrest, however long that lasted", () => {
    // One of sixteen sure majorities is lost from step 21 on, and one of four from step 51 on.
    const uneasy = [...Array.from({ length: 15 }, () => compare("1", "1")), compare("2", "3")];
    const history = run(60, (number) => step(number, number <= 20 ? agreeing : number <= 50 ? uneasy : [...agreeing.slice(1), compare("1", "9")]));
    // The window that ends with step 24 has 4 such steps, and loses 4 of 80: just at rest. The next one loses 5 of 92.
    expect(lastAtRest(history.slice(0, 50))).toBe(24);
    const raised = Array.from({ length: 60 }, (_, index) => collapseAlarm(history.slice(0, index + 1))).find((alarm) => alarm !== null)!;
    expect(raised.step).toBeGreaterThan(50);
    expect(raised.lastHealthy).toBe(24);
  });

  it("is raised when majorities change where the first model was sure, whatever they change to", () => {
    const changed = [...agreeing.slice(1), compare("1", "9", 0.8)];
    const other = [...agreeing.slice(1), compare("1", "8", 0.8)];
    const history = run(30, (number) => step(number, number <= 20 ? agreeing : number % 2 === 0 ? changed : other));
    // Weights .5 and three times .7.
    const { sign, value } = collapseAlarm(history)!;
    expect(sign).toBe("share of the first model's sureness that has gone over to other answers");
    expect(value).toBeCloseTo(0.5 / 2.6, 12);
  });

  it("without the first model's votes is raised by KL alone, measured by where it began", () => {
    const history = (late: number) => run(30, (number) => step(number, [], number <= 20 ? 0.1 : late));
    // Mean of the window at most 0.7.
    expect(collapseAlarm(history(0.7))).toBeNull();
    expect(collapseAlarm(history(2))?.sign).toBe("KL of a token to the first model, in nats");
  });

  it("waits until there are enough steps", () => {
    const broken = [compare("1", "0"), compare("2", "0")];
    expect(collapseAlarm(run(WINDOW - 1, (number) => step(number, broken)))).toBeNull();
    expect(collapseAlarm(run(WINDOW, (number) => step(number, broken)))).not.toBeNull();
  });
});
