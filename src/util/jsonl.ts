/** One line of a JSON Lines text (jsonlines.org): its number from 1, its text, and its value or why it has none. */
export type JsonLine =
  | { readonly line: number; readonly text: string; readonly ok: true; readonly value: unknown }
  | { readonly line: number; readonly text: string; readonly ok: false; readonly problem: string };

/** All lines of a JSON Lines text that are not blank. A bad line is marked, so that the caller can name the file. */
export function parseJsonLines(text: string): readonly JsonLine[] {
  return text.split("\n").flatMap((raw, index) => {
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    return line.trim() === "" ? [] : [parseLine(line, index + 1)];
  });
}

function parseLine(text: string, line: number): JsonLine {
  try {
    return { line, text, ok: true, value: JSON.parse(text) as unknown };
  } catch (error) {
    return { line, text, ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
}
