import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "page/**/*.test.ts", "test/**/*.test.ts"],
    pool: "forks",
    testTimeout: 60_000,
    // One worker fewer than cores is the default, which leaves half of two cores idle.
    maxWorkers: 2,
  },
});
