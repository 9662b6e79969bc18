import { expect, it } from "vitest";
import { adamw, createAdamState, norm } from "./adamw.ts";

const options = { learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0 };

it("moves by the learning rate at the first update, whatever the gradient's size", () => {
  const weights = Float32Array.of(1, 1);
  adamw(weights, Float32Array.of(1e-3, -50), 1, createAdamState(2), options);
  expect(weights[0]).toBeCloseTo(0.9, 4);
  expect(weights[1]).toBeCloseTo(1.1, 4);
});

it("gives the second update worked out by hand", () => {
  // m = 0.9 * 0.1 * 2 + 0.1 * 1 = 0.28, / (1 - 0.81) = 1.473684; v = 0.99 * 0.01 * 4 + 0.01 * 1 = 0.0496, / (1 - 0.9801) = 2.492462
  // second move = 0.1 * 1.473684 / sqrt(2.492462) = 0.0933447
  const weights = Float32Array.of(1);
  const state = createAdamState(1);
  adamw(weights, Float32Array.of(2), 1, state, options);
  adamw(weights, Float32Array.of(1), 1, state, options);
  expect(weights[0]).toBeCloseTo(1 - 0.1 - 0.0933447, 5);
  expect(state.updates).toBe(2);
});

it("decays weights apart from the gradient", () => {
  const weights = Float32Array.of(2);
  adamw(weights, Float32Array.of(0), 1, createAdamState(1), { ...options, weightDecay: 0.5 });
  expect(weights[0]).toBeCloseTo(2 * (1 - 0.1 * 0.5), 6);
});

it("scales the gradient before both moments", () => {
  const state = createAdamState(1);
  adamw(Float32Array.of(1), Float32Array.of(4), 0.5, state, options);
  expect(state.first[0]).toBeCloseTo(0.1 * 2, 6);
  expect(state.second[0]).toBeCloseTo(0.01 * 4, 6);
});

it("takes the L2 norm", () => {
  expect(norm(Float32Array.of(3, 0, -4))).toBe(5);
  expect(norm(Float32Array.of(1, Number.NaN))).toBeNaN();
});
