import pc from "picocolors";

export type Colors = ReturnType<typeof pc.createColors>;

/** Where people read what a command does: lines, and one status line that is redrawn in place. */
export interface Terminal {
  readonly colors: Colors;
  /** Whether a status line can be redrawn; elsewhere (a file, a pipe) `status` writes nothing. */
  readonly live: boolean;
  /** Writes a line for good, above the status line. */
  readonly line: (text: string) => void;
  /** Replaces the status line; an empty text removes it. */
  readonly status: (text: string) => void;
}

/** The part of a stream that a terminal needs; `process.stdout` and `process.stderr` fit. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly write: (text: string) => unknown;
}

const CLEAR_LINE = "\r\u001B[2K";

/** A terminal on a stream. Colours follow NO_COLOR (no-color.org) and are for a live terminal only. */
export function createTerminal(stream: OutputStream, environment: Readonly<Record<string, string | undefined>>): Terminal {
  const live = stream.isTTY === true && environment.TERM !== "dumb";
  let shown = "";
  const draw = (text: string): void => {
    if (shown !== "" || text !== "") stream.write(`${shown === "" ? "" : CLEAR_LINE}${text}`);
    shown = text;
  };
  return {
    colors: pc.createColors(live && !environment.NO_COLOR),
    live,
    line: (text) => {
      const status = shown;
      draw("");
      stream.write(`${text}\n`);
      draw(status);
    },
    status: (text) => {
      // A line that wraps could not be cleared again. Some terminals report no width: 0 columns.
      if (live) draw(text.slice(0, (stream.columns || 80) - 1));
    },
  };
}

/** Tells of something that is odd, but no reason to stop. */
export function warn(terminal: Terminal, message: string): void {
  terminal.line(terminal.colors.yellow(`warning: ${message}`));
}
