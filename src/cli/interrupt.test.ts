import { afterEach, describe, expect, it, vi } from "vitest";
import { interruptible } from "./interrupt.ts";
import { createTerminal } from "./terminal.ts";

afterEach(() => void vi.restoreAllMocks());

describe("interruptible", () => {
  const run = async (...times: readonly number[]) => {
    const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
    const written: string[] = [];
    const terminal = createTerminal({ write: (text) => written.push(text) }, {});
    let now = 0;
    const aborted = await interruptible(terminal, () => now, (signal) => {
      for (const time of times) {
        now = time;
        process.emit("SIGINT");
      }
      return Promise.resolve(signal.aborted);
    });
    return { aborted, written: written.join(""), exits: exit.mock.calls };
  };

  it("lets the task finish by itself without a signal, and leaves no listener", async () => {
    const before = process.listenerCount("SIGINT");
    expect(await run()).toEqual({ aborted: false, written: "", exits: [] });
    expect(process.listenerCount("SIGINT")).toBe(before);
  });

  it("asks the task to stop at the first Ctrl-C", async () => {
    const { aborted, written, exits } = await run(1);
    expect(aborted).toBe(true);
    expect(written).toMatch(/^stopping after this step.*\n$/);
    expect(exits).toEqual([]);
  });

  it("takes a signal that npm has passed on for the same Ctrl-C", async () => {
    expect((await run(1, 1.01)).exits).toEqual([]);
  });

  it("ends at once at the second Ctrl-C", async () => {
    expect((await run(1, 3)).exits).toEqual([[130]]);
  });
});
