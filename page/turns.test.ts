import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createTurns } from "./turns.ts";

let frames: FrameRequestCallback[];
/** Runs the next frame, at a time in milliseconds; how many were asked for. */
const frame = (now: number): number => {
  const [next, ...others] = frames.splice(0);
  next?.(now);
  return others.length + (next === undefined ? 0 : 1);
};
beforeEach(() => {
  frames = [];
  vi.stubGlobal("requestAnimationFrame", (callback: FrameRequestCallback) => frames.push(callback));
});
afterEach(() => vi.unstubAllGlobals());

it("draws one place in a frame, in the order in which they asked, and of two draws for a place the last", () => {
  const turns = createTurns();
  const drawn: string[] = [];
  const [first, second] = [{}, {}];
  turns.draw(first, 0, () => drawn.push("first, old"));
  turns.draw(second, 0, () => drawn.push("second"));
  turns.draw(first, 0, () => drawn.push("first, new"));
  expect(frame(1)).toBe(1);
  expect(drawn).toEqual(["first, new"]);
  frame(2);
  expect(drawn).toEqual(["first, new", "second"]);
  expect(frame(3)).toBe(0);
});

it("lets a place wait for its time without holding up others, and forgets one that is gone", () => {
  const turns = createTurns();
  const drawn: string[] = [];
  const [late, gone] = [{}, {}];
  turns.draw(late, 1000, () => drawn.push("late"));
  turns.draw({}, 0, () => drawn.push("soon"));
  turns.draw(gone, 0, () => drawn.push("gone"));
  turns.forget(gone);
  for (const now of [10, 500, 999]) frame(now);
  expect(drawn).toEqual(["soon"]);
  frame(1000);
  expect(drawn).toEqual(["soon", "late"]);
});
