import { sum } from "../util/statistics.ts";

/** A share as a percentage with one decimal: `0.4567` is `45.7 %`. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Seconds as people say them: `8 s`, `2 min 05 s`, `3 h 07 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const padded = (value: number): string => String(value).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${padded(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${padded(Math.floor((whole % 3600) / 60))} min`;
}

/** Seconds as a clock shows them: `0:08`, `2:05`, `3:07:12`. */
export function countdown(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const padded = (value: number): string => String(value).padStart(2, "0");
  return `${hours > 0 ? `${hours}:${padded(minutes)}` : minutes}:${padded(whole % 60)}`;
}

/** Text on one line of at most `width` characters, cut with an ellipsis. */
export function shorten(text: string, width: number): string {
  const characters = Array.from(text.replace(/\s+/g, " ").trim());
  return characters.length <= width ? characters.join("") : `${characters.slice(0, width - 1).join("")}…`;
}

/** Lines of a table whose columns are aligned to the left, two spaces apart. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, widthOf(cell))));
  return rows.map((row) => row.map((cell, column) => cell + " ".repeat(widths[column]! - widthOf(cell))).join("  ").trimEnd());
}

function widthOf(text: string): number {
  return Array.from(text).length;
}

/** `3 questions`, `1 question`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** The answers of a vote by frequency, e.g. `6 ×9, 3 ×4, none ×3`; the least frequent ones in sum when there are many. */
export function tally(classes: readonly { readonly answer: string; readonly count: number }[], abstentions: number): string {
  const shown = classes.slice(0, 4).map(({ answer, count }) => `${shorten(answer, 24)} ×${count}`);
  const others = sum(classes.slice(4).map(({ count }) => count));
  return [...shown, ...(others > 0 ? [`others ×${others}`] : []), ...(abstentions > 0 ? [`none ×${abstentions}`] : [])].join(", ");
}

/** `srt-2026-11-24T20-41-07`: a name that sorts by time and can be a file's everywhere. */
export function timestamped(stem: string, now: Date): string {
  return `${stem}-${now.toISOString().slice(0, 19).replaceAll(":", "-")}`;
}
