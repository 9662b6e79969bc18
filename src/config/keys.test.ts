import { describe, expect, it } from "vitest";
import { configKey, configKeys } from "./keys.ts";

describe("configKeys", () => {
  it("reads names, expectations and defaults from the schema", () => {
    expect(configKey("learning-rate")).toEqual({
      name: "learning-rate",
      path: ["learningRate"],
      type: "number",
      expected: "a number of at least 0",
      default: 1e-6,
      description: "AdamW learning rate, constant (paper, appendix B.3).",
    });
    expect(configKey("engine.threads")).toMatchObject({ path: ["engine", "threads"], expected: "a whole number of at least 0", default: 0 });
    expect(configKey("steps")?.expected).toBe("a whole number of at least 1");
    expect(configKey("top-p")?.expected).toBe("a number of more than 0 and at most 1");
    expect(configKey("kl-estimator")?.expected).toBe("one of `k1`, `k2`, `k3`");
    expect(configKey("template")?.expected).toBe("text that contains `{problem}`");
    expect(configKey("train")?.default).toBeUndefined();
  });

  it("documents every key", () => {
    for (const key of configKeys) expect(key.description, key.name).toMatch(/^[A-Z].*\.$/);
  });
});
