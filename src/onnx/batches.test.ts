import { describe, expect, it } from "vitest";
import { causalMask, HIDDEN, microBatches } from "./batches.ts";

describe("micro-batches", () => {
  it("align the places of completion tokens with their targets", () => {
    const [batch] = microBatches([{ prompt: [1, 2], completion: [3, 4] }, { prompt: [5], completion: [6] }], () => 100);
    expect(batch!.rows).toEqual([0, 1]);
    expect(batch!.time).toBe(3);
    expect([...batch!.ids]).toEqual([1, 2, 3, 5, 0, 0]);
    // Token 3 follows place 1 (the prompt's last), token 4 place 2; token 6 follows the second row's first place.
    expect([...batch!.selected]).toEqual([1, 2, 3]);
    expect([...batch!.targets]).toEqual([3, 4, 6]);
  });

  it("hold at most the budget of padded tokens, longest rows first, every row once", () => {
    const sequences = [3, 9, 5, 4, 8].map((length) => ({ prompt: [1], completion: new Array<number>(length).fill(2) }));
    const batches = microBatches(sequences, () => 17);
    expect(batches.map(({ rows }) => rows)).toEqual([[1], [4, 2], [3, 0]]);
    for (const { rows, time } of batches) expect(rows.length * time).toBeLessThanOrEqual(17);
  });

  it("ask for the budget at the length of their longest row", () => {
    const sequences = [8, 8, 2, 2].map((length) => ({ prompt: [1], completion: new Array<number>(length).fill(2) }));
    expect(microBatches(sequences, (time) => (time > 4 ? 8 : 100)).map(({ rows }) => rows)).toEqual([[0], [1], [2, 3]]);
  });

  it("take a row over the budget alone and leave out empty completions", () => {
    const batches = microBatches([{ prompt: [1], completion: [] }, { prompt: [1, 2, 3, 4], completion: [5] }], () => 2);
    expect(batches.map(({ rows }) => rows)).toEqual([[1]]);
  });
});

it("the causal mask hides what comes after, for each stacked head", () => {
  const H = HIDDEN;
  expect([...causalMask(3, 2)]).toEqual([0, H, H, 0, 0, H, 0, 0, 0, 0, H, H, 0, 0, H, 0, 0, 0]);
});
