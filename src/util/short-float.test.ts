import { describe, expect, it } from "vitest";
import { createRandom } from "./random.ts";
import { shortFloat, shortFloats } from "./short-float.ts";

describe("a float with nine digits", () => {
  it("is the same float32, in no more digits than it needs", () => {
    expect(shortFloat(Math.fround(-1 / 3))).toBe(-0.333333343);
    expect(shortFloat(Math.fround(0.1))).toBe(0.100000001);
    expect(shortFloat(123456.7890625)).toBe(123456.789);
    expect(shortFloats(Float32Array.of(-1 / 3, 0, 0.1))).toEqual([-0.333333343, 0, 0.100000001]);
    expect(shortFloats(Float32Array.of(0.1), 2)).toEqual([0, 0, 0.100000001]);
    expect([0, -7, 1e-20, 2 ** -149, 3e38, NaN, -Infinity].map((value) => Math.fround(shortFloat(Math.fround(value))))).toEqual([0, -7, 1e-20, 2 ** -149, 3e38, NaN, -Infinity].map(Math.fround));
  });

  it("is so at every magnitude, and as short as `toPrecision` makes it", () => {
    const random = createRandom(1);
    for (let draw = 0; draw < 20_000; draw++) {
      const value = Math.fround((random.uniform() - 0.5) * 10 ** (60 * random.uniform() - 40));
      const short = shortFloat(value);
      expect(Object.is(Math.fround(short), value) || value === 0, String(value)).toBe(true);
      expect(String(short).length, String(value)).toBeLessThanOrEqual(String(Number(value.toPrecision(9))).length);
    }
  });
});
