import { describe, expect, it } from "vitest";
import { createTerminal } from "./terminal.ts";

/** A stream that keeps what is written, and what a screen would show of it: only the last redraw of a line. */
function recorder(options: { isTTY?: boolean; columns?: number } = {}) {
  const written: string[] = [];
  const stream = { ...options, write: (text: string) => written.push(text) };
  const screen = () => written.join("").split("\n").map((line) => line.slice(line.lastIndexOf("\u001B[2K") + 1).replace("[2K", ""));
  return { stream, text: () => written.join(""), screen };
}

describe("createTerminal", () => {
  it("redraws the status line in place and keeps it below the lines", () => {
    const { stream, screen } = recorder({ isTTY: true, columns: 80 });
    const terminal = createTerminal(stream, {});
    terminal.status("step 1");
    terminal.status("step 2");
    terminal.line("evaluation");
    expect(screen()).toEqual(["evaluation", "step 2"]);
    terminal.status("");
    expect(screen()).toEqual(["evaluation", ""]);
  });

  it("cuts the status line so that it never wraps", () => {
    const { stream, text } = recorder({ isTTY: true, columns: 10 });
    createTerminal(stream, {}).status("0123456789abc");
    expect(text()).toBe("012345678");
  });

  it.each([
    ["a pipe", {}, {}],
    ["a dumb terminal", { isTTY: true }, { TERM: "dumb" }],
  ])("writes no status and no escape to %s", (_name, options, environment) => {
    const { stream, text } = recorder(options);
    const terminal = createTerminal(stream, environment);
    terminal.status("step 1");
    terminal.line(terminal.colors.green("done"));
    expect(text()).toBe("done\n");
  });

  it("honours NO_COLOR", () => {
    const { stream } = recorder({ isTTY: true });
    expect(createTerminal(stream, {}).colors.green("x")).toBe("\u001B[32mx\u001B[39m");
    expect(createTerminal(stream, { NO_COLOR: "1" }).colors.green("x")).toBe("x");
  });
});
