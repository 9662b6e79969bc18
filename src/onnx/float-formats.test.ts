import { expect, it } from "vitest";
import { toBfloat16, widen } from "./float-formats.ts";

const widened = (format: string, ...halves: number[]): number[] => {
  const target = new Float32Array(halves.length);
  widen(new Uint8Array(Uint16Array.from(halves).buffer), format, target);
  return [...target];
};

it("F16: values of the standard's tables", () => {
  // one, -2, largest, smallest normal, smallest subnormal, 1/3 rounded, infinities, zeros
  const halves = [0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x3555, 0x7c00, 0xfc00, 0x0000, 0x8000];
  expect(widened("F16", ...halves)).toEqual([1, -2, 65504, 2 ** -14, 2 ** -24, 0.333251953125, Infinity, -Infinity, 0, -0]);
  expect(widened("F16", 0x7e00)[0]).toBeNaN();
});

it("BF16: the upper half of a float32", () => {
  expect(widened("BF16", 0x3f80, 0xc049, 0x7f80, 0x0080)).toEqual([1, -3.140625, Infinity, 2 ** -126]);
});

it("to BF16: rounded to the nearest, halfway to the even one", () => {
  const halves = (...words: number[]): number[] => [...toBfloat16(new Float32Array(Uint32Array.from(words).buffer))];
  // just below half, half at an even and at an odd number, just above half
  expect(halves(0x3f807fff, 0x3f808000, 0x3f818000, 0x3f808001)).toEqual([0x3f80, 0x3f80, 0x3f82, 0x3f81]);
  // into the next exponent, the same with a sign, the largest float32, a subnormal, a negative zero
  expect(halves(0x3fffc000, 0xbfffc000, 0x7f7fffff, 0x00018000, 0x80000000)).toEqual([0x4000, 0xc000, 0x7f80, 0x0002, 0x8000]);
  // infinity stays, and a NaN stays a NaN wherever its fraction lies
  expect(halves(0xff800000, 0x7f800001, 0xffffffff)).toEqual([0xff80, 0x7fc0, 0xffff]);
});

it("F32: as it is, from any place in a buffer", () => {
  const bytes = new Uint8Array(9);
  bytes.set(new Uint8Array(Float32Array.of(1.5, -0.1).buffer), 1);
  const target = new Float32Array(3);
  widen(bytes.subarray(1), "F32", target.subarray(1));
  expect([...target]).toEqual([0, 1.5, Math.fround(-0.1)]);
});
