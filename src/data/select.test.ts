import { describe, expect, it } from "vitest";
import { selectLargest, selectRandom } from "./select.ts";

const items = [
  { id: "b", share: 0.5 },
  { id: "a", share: 0.25 },
  { id: "d", share: 1 },
  { id: "c", share: 0.5 },
  { id: "B", share: 0.5 },
];
const ids = (selected: readonly { readonly id: string }[]) => selected.map(({ id }) => id).join("");
const reversed = [...items].reverse();

describe("selectLargest", () => {
  it("takes the largest scores, and on a tie the first ids, in whatever order the items stand", () => {
    expect(ids(selectLargest(items, 3, ({ share }) => share))).toBe("dBb");
    expect(ids(selectLargest(reversed, 3, ({ share }) => share))).toBe("dBb");
    expect(ids(selectLargest(items, 5, ({ share }) => share))).toBe("dBbca");
  });
});

describe("selectRandom", () => {
  it("depends on ids and seed alone", () => {
    expect(ids(selectRandom(reversed, 3, 7))).toBe(ids(selectRandom(items, 3, 7)));
    expect(new Set(Array.from({ length: 20 }, (_, seed) => ids(selectRandom(items, 3, seed)))).size).toBeGreaterThan(5);
  });

  it("takes every item equally often", () => {
    const counts = new Map(items.map(({ id }) => [id, 0]));
    for (let seed = 0; seed < 2000; seed++) for (const { id } of selectRandom(items, 2, seed)) counts.set(id, counts.get(id)! + 1);
    // 2 of 5: mean 800, standard deviation 21.9.
    for (const count of counts.values()) expect(Math.abs(count - 800)).toBeLessThan(4.5 * 21.9);
  });
});
