import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Leaf, Piece } from "./answer.ts";
import { numeral } from "./expression.ts";
import { leafFrom } from "./leaf.ts";
import { intersect, interval, point, region, without } from "./regions.ts";

const at = (value: number): Leaf => leafFrom(String(value), numeral({ top: BigInt(value), bottom: 1n }));
const valueOf = ({ exact }: Leaf): number => Number(exact!.top);
const holds = (pieces: readonly Piece[], x: number): boolean =>
  pieces.some(({ low, high, lowClosed, highClosed }) => (x > valueOf(low) || (lowClosed && x === valueOf(low))) && (x < valueOf(high) || (highClosed && x === valueOf(high))));

const piece = fc.tuple(fc.integer({ min: -5, max: 4 }), fc.integer({ min: 1, max: 4 }), fc.boolean(), fc.boolean()).map(([low, width, lowClosed, highClosed]) => interval(at(low), at(low + width), lowClosed, highClosed));
const pieces = fc.array(piece, { minLength: 1, maxLength: 4 });
/** Every end and a point between each two. */
const POINTS = Array.from({ length: 41 }, (_, index) => -10 + index / 2);

describe("sets of intervals, point by point", () => {
  it("join into disjoint, sorted pieces with the same points", () => {
    fc.assert(fc.property(pieces, (some) => {
      const union = region(some, "union");
      if (union.kind !== "region") return false;
      const isSorted = union.pieces.every((next, index) => index === 0 || valueOf(union.pieces[index - 1]!.high) <= valueOf(next.low));
      return isSorted && POINTS.every((x) => holds(union.pieces, x) === holds(some, x));
    }));
  });

  it("intersect", () => {
    fc.assert(fc.property(pieces, pieces, (left, right) => POINTS.every((x) => holds(intersect(left, right)!, x) === (holds(left, x) && holds(right, x)))));
  });

  it("lose single points", () => {
    fc.assert(fc.property(pieces, fc.array(fc.integer({ min: -6, max: 9 }), { maxLength: 3 }), (some, lost) =>
      POINTS.every((x) => holds(without(some, lost.map(at))!, x) === (holds(some, x) && !lost.includes(x))),
    ));
  });

  it("are numbers and finite sets where only points are left", () => {
    expect(region([point(at(3))], "3")).toMatchObject({ kind: "leaf", key: "3" });
    expect(region([point(at(5)), point(at(3)), point(at(3))], "set")).toMatchObject({ kind: "collection", items: [{ key: "3" }, { key: "5" }] });
  });
});
