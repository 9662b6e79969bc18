import { afterEach, describe, expect, it, vi } from "vitest";
import { interruptible, untilInterrupted } from "./interrupt.ts";
import { createTerminal } from "./terminal.ts";

afterEach(() => void vi.restoreAllMocks());

describe("interruptible", () => {
  const run = async (...times: readonly number[]) => {
    const kill = vi.spyOn(process, "kill").mockImplementation(() => true);
    const written: string[] = [];
    const terminal = createTerminal({ write: (text) => written.push(text) }, {});
    let now = 0;
    const aborted = await interruptible(terminal, () => now, (signal) => {
      for (const time of times) {
        now = time;
        process.emit("SIGINT", "SIGINT");
      }
      return Promise.resolve(signal.aborted);
    });
    return { aborted, written: written.join(""), kills: kill.mock.calls };
  };

  it("lets the task finish by itself without a signal, and leaves no listener", async () => {
    const before = process.listenerCount("SIGINT");
    expect(await run()).toEqual({ aborted: false, written: "", kills: [] });
    expect(process.listenerCount("SIGINT")).toBe(before);
  });

  it("asks the task to stop at the first Ctrl-C", async () => {
    const { aborted, written, kills } = await run(1);
    expect(aborted).toBe(true);
    expect(written).toMatch(/^stopping after this step.*\n$/);
    expect(kills).toEqual([]);
  });

  it("takes a signal that npm has passed on for the same Ctrl-C", async () => {
    expect((await run(1, 1.01)).kills).toEqual([]);
  });

  it("ends at once at the second Ctrl-C, by the signal", async () => {
    const before = process.listenerCount("SIGINT");
    expect((await run(1, 3)).kills).toEqual([[process.pid, "SIGINT"]]);
    expect(process.listenerCount("SIGINT")).toBe(before);
  });
});

it("a server runs until Ctrl-C, is closed then, and has said where it is and that it ends", async () => {
  const told: string[] = [];
  const close = () => Promise.resolve(void told.push("closed"));
  const terminal = createTerminal({ write: (text) => told.push(text) }, {});
  const running = untilInterrupted({ close }, terminal, () => void told.push("announced"), "ending …");
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(told).toEqual(["announced"]);
  process.emit("SIGINT", "SIGINT");
  await running;
  expect(told).toEqual(["announced", "ending …\n", "closed"]);
});
