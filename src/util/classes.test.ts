import { expect, it } from "vitest";
import { classesBy } from "./classes.ts";

it("numbers classes in order of first appearance", () => {
  const sameNumber = (left: string, right: string) => Number(left) === Number(right);
  expect(classesBy(["7", "3", "07", "7.0", "4", "3.0"], sameNumber)).toEqual([0, 1, 0, 0, 2, 1]);
  expect(classesBy([], sameNumber)).toEqual([]);
});
