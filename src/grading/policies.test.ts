import { describe, expect, it } from "vitest";
import { compareAnswers } from "./grader.ts";
import { POLICIES } from "./policies.ts";
import type { Policy, PolicyName } from "./policies.ts";

describe.each(Object.entries<Policy>(POLICIES))("policy %s", (name, { same, different }) => {
  it.each(same)("%s is %s, and the policy is reported", (left, right) => {
    expect(compareAnswers(left, right)).toEqual({ same: true, policies: expect.arrayContaining([name as PolicyName]) as unknown });
    expect(compareAnswers(right, left).same).toBe(true);
  });

  it.each(different)("%s is not %s", (left, right) => {
    expect(compareAnswers(left, right)).toEqual({ same: false, policies: [] });
    expect(compareAnswers(right, left).same).toBe(false);
  });
});

it("reports no policy for answers that are equal without one", () => {
  expect(compareAnswers("\\frac12", "0.5")).toEqual({ same: true, policies: [] });
});
